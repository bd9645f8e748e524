"""Rows of beats (`ecg.records.rows`) as one strip: a bed whose every beat is known, and whose rhythm is none.

A row begins at its R-peak and reaches 1.2 RR intervals far, into the next beat. So its padding is taken off, and all
behind 0.84 RR; a short rise leads to the R-peak, a flat line to the next row, as long as the row's own RR interval.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records.aami import CLASSES
from ecg.records.record import Annotations, Record
from ecg.records.rows import ROW_LENGTH, ROW_RATE, SPAN, Rows, read_csv

MILLIVOLTS: Final = 1.5
"""Height of every row: the files have lost the heights."""
GAIN: Final = 1000.0
KEPT: Final = 0.7
"""Share of a row that is kept: the T wave, not the next beat."""
RISE: Final = 5
FALL: Final = 10
"""Samples before the R-peak, and from the end of what is kept down to the line."""
SHORTEST: Final = 25
STITCHED: Final = "stitched: not a real rhythm"
"""The source of such a record."""
MARK: Final = "STITCHED, not a rhythm: "
"""Before its name: as much as a screen shows of one."""
SYMBOLS: Final = np.array(list(CLASSES))
PTB: Final = "ptbdb"
PTB_LABELS: Final = ("(NORMAL", "(ABNORMAL")


def read(path: Path, by_class: bool = False) -> list[Record]:
    """The strip of a file in the order of its rows, or one strip for each class in it. Raises UserError."""
    rows = read_csv(path)
    of_ptb = path.stem.startswith(PTB)
    if of_ptb and rows.classes.max() > 1:
        raise UserError(f"{path}: a label of {rows.classes.max()}, allowed in a file of PTB are 0 and 1")
    if not by_class:
        return [stitch(rows, path.stem, of_ptb)]
    names = ("normal", "abnormal") if of_ptb else CLASSES
    kinds = [kind for kind in range(len(names)) if (rows.classes == kind).any()]
    return [
        stitch(rows.take(np.flatnonzero(rows.classes == kind)), f"{path.stem}-{names[kind]}", of_ptb) for kind in kinds
    ]


def stitch(rows: Rows, name: str, of_ptb: bool = False) -> Record:
    """One strip of rows. Its truth: the class of each row at its R-peak; of PTB's rows, whose beats have none, rhythms.

    PTB's annotations are "(NORMAL" and "(ABNORMAL", at each change.
    """
    pieces = [piece(row) for row in rows.values]
    starts = np.cumsum([0, *(len(one) for one in pieces[:-1])])
    peaks = (starts + RISE).astype(np.int64)
    samples = np.rint(np.concatenate(pieces) * GAIN).astype(np.int16)[:, None]
    if of_ptb:
        changes = np.flatnonzero(np.diff(rows.classes, prepend=-1))
        said = np.array([PTB_LABELS[kind] for kind in rows.classes[changes]])
        notes = Annotations(peaks[changes], np.full(len(changes), "+"), said)
    else:
        notes = Annotations(peaks, SYMBOLS[rows.classes], np.full(len(peaks), "", "<U1"))
    return Record(
        name=f"{MARK}{name}",
        rate=ROW_RATE,
        leads=("MLII",),
        gain=np.array([GAIN]),
        baseline=np.array([0.0]),
        samples=samples,
        source=STITCHED,
        annotations=notes,
    )


def piece(row: NDArray[np.float32]) -> NDArray[np.float64]:
    """One row as a beat in mV: float64 [samples], from the line to the line, the R-peak at sample RISE."""
    there = np.flatnonzero(row)
    length = max(int(there[-1]) + 1 if len(there) else 0, SHORTEST)
    beat = MILLIVOLTS * (row[:length].astype(np.float64) - float(np.median(row[:length])))
    kept = beat[: max(round(KEPT * length) - RISE, SHORTEST)]
    whole = min(max(round(length / SPAN), RISE + len(kept) + FALL), 2 * ROW_LENGTH)
    drawn = np.zeros(whole)
    drawn[:RISE] = np.linspace(0, kept[0], RISE, endpoint=False)
    drawn[RISE : RISE + len(kept)] = kept
    drawn[RISE + len(kept) : RISE + len(kept) + FALL] = np.linspace(kept[-1], 0, FALL + 2)[1:-1]
    return drawn
