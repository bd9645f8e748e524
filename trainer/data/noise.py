"""Noise alone, as another patient of the fit: whatever our detector takes for a beat in it is of no known class (Q).

Without it a network has to name noise N, S, V or F. The first half of each record of NSTDB is fitted on, from both of
its leads; the second half is left for scoring.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from ecg.model.rhythms import NOISE
from ecg.records.aami import CLASSES
from ecg.records.databases import NSTDB
from ecg.records.record import Record
from ecg.signal.path import SignalPath
from trainer.data.cutting import CutRecord, Reference, Source
from trainer.data.streams import Cuts

UNKNOWN: Final = CLASSES.index("Q")
SOURCE: Final[Source] = "detector"


def first_half(record: Record) -> Record:
    """The half that is fitted on."""
    return replace(record, samples=record.samples[: len(record.samples) // 2])


def cut_noise(records: list[Record]) -> Cuts:
    """Cut records of noise alone, a lead at a time: by source and name ("nstdb:bw/0"), all of class Q."""
    found: Cuts = {}
    for record in records:
        for lead in range(len(record.leads)):
            path, slot = SignalPath(1), np.zeros(1, np.int64)
            path.reset(slot, np.array([record.rate]), np.zeros(1, np.int64))
            beats = path.step(slot, [record.millivolts(lead)])
            nothing = np.zeros(0, np.int64)
            reference = Reference(
                f"{NSTDB.full(record.name)}/{lead}", record.rate, nothing, nothing, np.zeros((0, 2), np.int64), nothing
            )
            classes = np.full(len(beats), UNKNOWN, np.int64)
            rhythms = np.full(len(beats), NOISE, np.int64)
            cut = CutRecord(SOURCE, reference, beats.windows, beats.features, beats.index, classes, rhythms)
            found[SOURCE, cut.name] = cut
    return found
