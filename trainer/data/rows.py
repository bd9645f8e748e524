"""Rows of the Kaggle file "ECG Heartbeat Categorization": one beat each, cut after Kachuee et al. 2018.

A row: 187 samples at 125 Hz from the annotated R-peak on, min-max scaled, zero-padded, and the label (0 to 4: N, S, V,
F, Q). `ecg.records.rows` reads the published files; `rows_of` makes their like from a record. The published files hold
every beat of the 48 records but each record's last, and the rows made here have exactly their class counts.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
from scipy.signal import resample_poly

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.records.aami import CLASSES
from ecg.records.record import Record
from ecg.records.rows import AROUND_SECONDS, ROW_LENGTH, length_of, row_of
from ecg.records.rows import Rows as Rows
from ecg.records.rows import read_csv as read_csv
from ecg.signal.path import MODEL_RATE
from trainer.data.cutting import reference_of

TEST_COUNTS: Final = (18118, 556, 1448, 162, 1608)
"""Rows of each class in the published test file, a random draw from all beats."""
TRAIN_FILE: Final = "mitbih_train.csv"
TEST_FILE: Final = "mitbih_test.csv"
DECIMALS: Final = 5


def write_csv(path: Path, rows: Rows) -> None:
    """Write rows as Kaggle has them, to 5 decimals. Raises UserError on a full disk."""
    texts = np.array([f"{i / 10**DECIMALS:.{DECIMALS}f}".rstrip("0") or "0" for i in range(10**DECIMALS + 1)], object)
    texts[0], texts[-1] = "0.0", "1.0"
    steps = np.rint(np.clip(rows.values, 0, 1) * 10**DECIMALS).astype(np.int64)
    lines = [",".join([*texts[row], f"{label}.0"]) for row, label in zip(steps, rows.classes, strict=True)]
    write_atomic({path: ("\n".join(lines) + "\n").encode()})


def rows_of(record: Record) -> Rows:
    """All beats of one record but its last, as rows. Lead MLII if there is one, else the first."""
    reference = reference_of(record)
    signal = record.millivolts(record.best_lead())
    up, down = _ratio(record.rate)
    resampled = resample_poly(signal.astype(np.float64), up, down)
    index = reference.index[:-1]
    starts = np.rint(index * MODEL_RATE / record.rate).astype(np.int64)
    values = np.zeros((len(index), ROW_LENGTH), np.float32)
    for row, (peak, start) in enumerate(zip(index, starts, strict=True)):
        reach = AROUND_SECONDS * record.rate
        first, last = np.searchsorted(reference.index, (peak - reach, peak + reach))
        intervals = np.diff(reference.index[max(min(first, row), 0) : max(last, row + 2)])
        length = length_of(float(np.median(intervals)), record.rate)
        values[row] = row_of(resampled[start : start + length])
    return Rows(values, reference.classes[:-1])


def join(parts: list[Rows]) -> Rows:
    """Rows of several records, one after another."""
    return Rows(np.concatenate([p.values for p in parts]), np.concatenate([p.classes for p in parts]))


def split(rows: Rows) -> tuple[Rows, Rows]:
    """Train and test rows, drawn at random within each class, sorted by class as published.

    From all 48 records the test rows have the published class counts, else they are a fifth of each class.
    """
    rng = np.random.default_rng(0)
    published = rows.counts.sum() == 109446
    train, test = [], []
    for number, count in enumerate(rows.counts):
        members = rng.permutation(np.flatnonzero(rows.classes == number))
        out = TEST_COUNTS[number] if published else round(0.2 * count)
        test.append(members[:out])
        train.append(members[out:])
    return rows.take(np.concatenate(train)), rows.take(np.concatenate(test))


def demand_classes(rows: Rows, where: str) -> None:
    """Raise UserError if a class has no rows."""
    lacking = [f"{name} (label {i})" for i, name in enumerate(CLASSES) if rows.counts[i] == 0]
    if lacking:
        raise UserError(f"{where} has no rows of class {', '.join(lacking)}: every class needs some to be fitted")


def _ratio(rate: float) -> tuple[int, int]:
    """Up and down factors from `rate` Hz to the model's rate."""
    scaled = round(rate * 1000)
    common = math.gcd(MODEL_RATE * 1000, scaled)
    return MODEL_RATE * 1000 // common, scaled // common
