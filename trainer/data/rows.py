"""Rows of the Kaggle file "ECG Heartbeat Categorization": one beat each, cut after Kachuee et al. 2018.

A row: 187 samples at 125 Hz from the annotated R-peak on, min-max scaled, zero-padded, and the label (0 to 4: N, S, V,
F, Q). `read_csv` reads the published files; `rows_of` makes their like from a record. The published files hold every
beat of the 48 records but each record's last, and the rows made here have exactly their class counts.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import resample_poly

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.model.lecture import ROW_LENGTH
from ecg.records.aami import CLASSES
from ecg.records.record import Record, pick_lead
from ecg.signal.path import MODEL_RATE
from trainer.data.cutting import reference_of

COLUMNS: Final = ROW_LENGTH + 1
SPAN: Final = 1.2
"""Length of a row in median RR intervals of the 10 s around it."""
AROUND_SECONDS: Final = 5.0
TEST_COUNTS: Final = (18118, 556, 1448, 162, 1608)
"""Rows of each class in the published test file, a random draw from all beats."""
TRAIN_FILE: Final = "mitbih_train.csv"
TEST_FILE: Final = "mitbih_test.csv"
DECIMALS: Final = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """Beats as rows. values: float32 [n, 187], 0 to 1. classes: int64 [n], AAMI class numbers."""

    values: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, chosen: NDArray[np.int64]) -> Rows:
        """The chosen rows, by position."""
        return Rows(self.values[chosen], self.classes[chosen])

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each class: int64 [5]."""
        return np.bincount(self.classes, minlength=len(CLASSES)).astype(np.int64)


def read_csv(path: Path) -> Rows:
    """A file as Kaggle has it: 188 columns, no header, the label last.

    Raises UserError with row and column (from 1) of the first unusable value.
    """
    try:
        table = pd.read_csv(path, header=None, dtype=np.float64).to_numpy()
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; `python -m trainer prepare --kaggle` rebuilds it"
        ) from None
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError):
        raise UserError(_first_fault(path)) from None
    if table.shape[1] != COLUMNS or not np.isfinite(table).all():
        raise UserError(_first_fault(path))
    labels = table[:, ROW_LENGTH]
    strange = np.flatnonzero(~np.isin(labels, np.arange(len(CLASSES))))
    if len(strange):
        row = int(strange[0])
        raise UserError(f"{path}: row {row + 1}, column {COLUMNS}: the label is {labels[row]:g}, allowed are 0 to 4")
    return Rows(table[:, :ROW_LENGTH].astype(np.float32), labels.astype(np.int64))


def _first_fault(path: Path) -> str:
    """A sentence with the first fault of a file."""
    number = 0
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.reader(file), 1):
                for column, text in enumerate(row, 1):
                    try:
                        value = float(text)
                    except ValueError:
                        hint = "; the file has no header line" if number == 1 else ""
                        return f"{path}: row {number}, column {column}: {text!r} is not a number{hint}"
                    if not math.isfinite(value):
                        return f"{path}: row {number}, column {column}: {text} is not a finite number"
                if len(row) != COLUMNS:
                    return f"{path}: row {number} has {len(row)} columns, needed are {COLUMNS}: 187 samples and a label"
    except (UnicodeDecodeError, csv.Error) as error:
        return f"{path}: row {number + 1} cannot be read as text: {error}"
    return f"{path} holds no rows" if number == 0 else f"{path} cannot be read as a table of numbers"


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
    signal = record.millivolts(pick_lead(record.leads))
    up, down = _ratio(record.rate)
    resampled = resample_poly(signal.astype(np.float64), up, down)
    index = reference.index[:-1]
    starts = np.rint(index * MODEL_RATE / record.rate).astype(np.int64)
    values = np.zeros((len(index), ROW_LENGTH), np.float32)
    for row, (peak, start) in enumerate(zip(index, starts, strict=True)):
        reach = AROUND_SECONDS * record.rate
        first, last = np.searchsorted(reference.index, (peak - reach, peak + reach))
        intervals = np.diff(reference.index[max(min(first, row), 0) : max(last, row + 2)])
        length = round(SPAN * float(np.median(intervals)) * MODEL_RATE / record.rate)
        beat = resampled[start : start + min(max(length, 2), ROW_LENGTH)]
        low, high = (float(beat.min()), float(beat.max())) if len(beat) else (0.0, 0.0)
        values[row, : len(beat)] = (beat - low) / max(high - low, 1e-6)
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
