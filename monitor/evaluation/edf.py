"""python -m monitor export: a recording as EDF+, for programs that do not read WFDB."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np

from ecg import programs
from ecg.errors import UserError, needs
from ecg.records.record import Record
from monitor.evaluation import recorded

LABEL: Final = 16
"""Characters of a signal's name in EDF."""
NUMBER: Final = 8
"""Characters of a number in EDF."""


def parser() -> argparse.ArgumentParser:
    """Options of `python -m monitor export`."""
    made = argparse.ArgumentParser(prog=f"{programs.shown('monitor')} export", description=__doc__.splitlines()[0])
    made.add_argument("record", type=Path, metavar="DIR/RECORD", help="a recording, or another WFDB record")
    made.add_argument("--edf", type=Path, required=True, metavar="FILE", help="the EDF+ file to write")
    return made


def run(arguments: list[str]) -> int:
    """`export`; returns the exit status. Raises UserError where it cannot be done."""
    options = parser().parse_args(arguments)
    write(recorded.find(options.record), texts(recorded.stem(options.record)), options.edf)
    return 0


def texts(path: Path) -> list[tuple[int, str]]:
    """What stands at which sample in the annotation file: a note, else a letter. Empty where there is no file."""
    if not path.with_name(f"{path.name}.atr").is_file():
        return []
    import wfdb

    try:
        found = wfdb.rdann(str(path), "atr")
    except Exception as error:  # the package raises whatever a broken file makes of it
        raise UserError(f"the annotations {path}.atr cannot be read: {error}") from None
    return [
        (int(sample), note.rstrip("\0") or symbol)
        for sample, symbol, note in zip(found.sample, found.symbol, found.aux_note, strict=True)
    ]


def write(record: Record, notes: list[tuple[int, str]], file: Path) -> None:
    """The record as an EDF+ file: all leads in mV, notes with their times. Raises UserError.

    EDF has 16 bits as the record does, and numbers of 8 characters for their scale: values differ by less than a
    thousandth of their range. A missing sample is the smallest number. The last second is filled with such.
    """
    with needs("files", "writing EDF"):
        import edfio
    if record.rate != round(record.rate):
        raise UserError(f"record {record.name} has {record.rate:g} samples a second: EDF wants a whole number of them")
    rate = round(record.rate)
    short = -len(record.samples) % rate
    rows = np.concatenate((record.samples, np.full((short, len(record.leads)), -32768, np.int16)))
    ascii_names = [name.encode("ascii", "replace").decode()[:LABEL] for name in record.leads]
    signals = [
        edfio.EdfSignal.from_digital(
            np.ascontiguousarray(rows[:, column]),
            record.rate,
            label=ascii_names[column],
            physical_dimension="mV",
            physical_range=(
                shortened((-32768 - record.baseline[column]) / record.gain[column]),
                shortened((32767 - record.baseline[column]) / record.gain[column]),
            ),
            digital_range=(-32768, 32767),
        )
        for column in range(len(record.leads))
    ]
    marks = [edfio.EdfAnnotation(sample / record.rate, None, text) for sample, text in notes if sample >= 0]
    try:
        edfio.Edf(signals, annotations=marks, data_record_duration=1.0).write(file)
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be written: {error}") from None


def shortened(value: float) -> float:
    """The number as it fits the header."""
    for digits in range(NUMBER - 1, -1, -1):
        if len(text := f"{value:.{digits}f}") <= NUMBER:
            return float(text)
    raise UserError(f"a lead reaches {value:g} mV: EDF has {NUMBER} characters for that")
