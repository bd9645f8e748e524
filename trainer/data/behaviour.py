"""A digest of the cutter's results, kept beside cut beats to recognise the cutter that made them.

A digest of source text would change with every comment, and miss the imports of a listed file. This digest cuts a
minute of the excerpt under made-up labels and hashes the beats: it changes when results change.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.records import library
from ecg.records.aami import CLASS_OF
from ecg.records.record import Annotations, Record
from ecg.signal.path import SignalPath
from trainer.data.cutting import SOURCES, CutRecord, cut

VERSION: Final = 1
"""Raised for an intended change of results that a minute of one patient cannot show."""
SECONDS: Final = 60
STEPS: Final = 64
"""Steps per beat size, and per unit of a feature: a smaller difference is no change."""


@cache
def cutting() -> str:
    """SHA-256 of the beats of `sample`, as the signal path cuts them and the labelling names them."""
    return digest([beats for source in SOURCES for beats in cut([sample()], source)])


def digest(cuts: list[CutRecord]) -> str:
    """SHA-256 of cut beats, rounded beyond the float differences between machines."""
    made = hashlib.sha256(str(VERSION).encode())
    for one in cuts:
        parts: list[NDArray[Any]] = [
            one.index,
            one.classes,
            one.reference.index,
            one.reference.classes,
            one.reference.flutter,
            one.rhythms,
            np.rint(one.windows.mean(axis=2) * STEPS).astype(np.int64),
            np.rint(np.nan_to_num(one.features) * STEPS).astype(np.int64),
        ]
        for part in parts:
            made.update(np.ascontiguousarray(part).tobytes())
    return made.hexdigest()


@cache
def sample() -> Record:
    """A minute of the excerpt under labels of every kind, one beat unlabelled and one labelled 0.2 s too late."""
    whole = library.read(library.EXCERPT)
    record = replace(whole, samples=whole.samples[: round(SECONDS * whole.rate)])
    path, slot = SignalPath(1), np.zeros(1, np.int64)
    path.reset(slot, np.array([record.rate]), slot)
    index = path.step(slot, [record.millivolts(0)]).index.copy()
    symbols = np.array(["N", "N", "N", "V", *CLASS_OF])[np.arange(len(index)) % (4 + len(CLASS_OF))]
    index[9] += round(0.2 * record.rate)
    symbols[[20, 24, 26]] = "~", "[", "]"
    return replace(record, annotations=Annotations(index, symbols, np.full(len(index), "(N")))
