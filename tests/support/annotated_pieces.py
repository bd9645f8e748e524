from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import wfdb

from ecg.records import library
from ecg.records.record import Annotations, Record
from ecg.signal.features import columns
from trainer.data.cutting import cut

SECONDS = 40


def annotated(name: str, start: float, seconds: float = SECONDS) -> Record:
    """A piece of the real excerpt, with R-peaks and classes made up from how its beats look.

    The excerpt carries no cardiologist's annotations: beats unlike the average are called V, every ninth other one A.
    """
    whole = library.read("excerpt")
    first, last = round(start * whole.rate), round((start + seconds) * whole.rate)
    bare = replace(whole, name=name, samples=whole.samples[first:last], annotations=fake([0], ["N"]))
    beats = cut([bare], "detector")[0]
    symbol = np.where(beats.features[:, columns(["qrs_likeness"])[0]] < 0.8, "V", "N")
    symbol[::9] = "A"
    return replace(bare, annotations=fake(beats.index, symbol))


def fake(index: object, symbol: object) -> Annotations:
    codes = np.array(symbol, np.str_)
    return Annotations(np.array(index, np.int64), codes, np.full(len(codes), "", "<U8"))


def write_wfdb(record: Record, folder: Path) -> None:
    wfdb.wrsamp(
        record.name,
        record.rate,
        ["mV"] * len(record.leads),
        list(record.leads),
        d_signal=record.samples.astype(np.int64),
        fmt=["16"] * len(record.leads),
        adc_gain=list(record.gain),
        baseline=[int(b) for b in record.baseline],
        write_dir=str(folder),
    )
    notes = record.annotations
    if notes is not None:
        wfdb.wrann(record.name, "atr", notes.index, list(notes.symbol), write_dir=str(folder))
