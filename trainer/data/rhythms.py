"""What leads the heart at each annotated beat, for the rhythm head: by the rhythm labels, and by runs of S and V.

Only a database that can be trusted for rhythms (ecg.records.databases) says where none of them is. Fibrillation that a
made-up version has of its own is labelled in any.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.model.rhythms import ATRIAL, FIBRILLATION, SINUS, UNKNOWN, VENTRICULAR
from ecg.records.aami import CLASSES
from ecg.records.databases import KNOWN, database_of
from ecg.records.record import ATRIAL_FIBRILLATION, ATRIAL_FLUTTER

RUN: Final = 3
"""Beats in a row of one class that make a rhythm."""


def of_beats(name: str, classes: NDArray[np.int64], labels: NDArray[np.str_]) -> NDArray[np.int64]:
    """The rhythm of each annotated beat: int64 [m], a place in RHYTHMS, UNKNOWN where nothing says it.

    name: full name of the record, or of a version of it. classes: int64 [m]. labels: str [m], the rhythm in force.
    """
    known = KNOWN.get(database_of(name))
    found = np.full(len(classes), SINUS if known and known.rhythms else UNKNOWN, np.int64)
    found[_runs(classes == CLASSES.index("S"))] = ATRIAL
    found[np.isin(labels, (ATRIAL_FIBRILLATION, ATRIAL_FLUTTER))] = FIBRILLATION
    found[_runs(classes == CLASSES.index("V"))] = VENTRICULAR
    return found


def _runs(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The chosen ones that stand RUN or more in a row: bool [m]."""
    edges = np.flatnonzero(np.diff(np.r_[False, chosen, False].astype(np.int8)))
    inside = np.zeros(len(chosen), bool)
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        inside[first:end] = end - first >= RUN
    return inside
