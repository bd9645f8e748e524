"""Rows of beats as Kaggle's "ECG Heartbeat Categorization" has them (Kachuee et al. 2018): one beat each.

A row: 187 samples at 125 Hz from the R-peak on, min-max scaled, zero-padded, and the label (0 to 4: N, S, V, F, Q; in
the files of PTB 0 normal, 1 abnormal).
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError, needs
from ecg.records.aami import CLASSES

ROW_LENGTH: Final = 187
"""Samples in a row."""
ROW_RATE: Final = 125.0
SPAN: Final = 1.2
"""Length of a row in median RR intervals of the 10 s around it (Kachuee et al. 2018)."""
AROUND_SECONDS: Final = 5.0
"""To either side: those 10 s."""
COLUMNS: Final = ROW_LENGTH + 1
TOLERANCE: Final = 1e-5
"""Outside of 0 to 1, for rounding."""


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


def row_of(beat: NDArray[np.float64]) -> NDArray[np.float32]:
    """One beat as a row: min-max scaled, zero-padded. beat: up to 187 samples at 125 Hz from its R-peak on."""
    row = np.zeros(ROW_LENGTH, np.float32)
    low, high = (float(beat.min()), float(beat.max())) if len(beat) else (0.0, 0.0)
    row[: len(beat)] = (beat - low) / max(high - low, 1e-6)
    return row


def length_of(rr: float, rate: float) -> int:
    """Samples of a row's beat. rr: median RR interval of the 10 s around it, in samples at `rate` Hz."""
    return min(max(round(SPAN * rr * ROW_RATE / rate), 2), ROW_LENGTH)


def read_csv(path: Path) -> Rows:
    """A file as Kaggle has it: 188 columns, no header, the label last.

    Raises UserError with row and column (from 1) of the first unusable value, among them a sample outside of 0 to 1:
    a network fitted on rows of another scale knows nothing.
    """
    with needs("files", "reading rows of beats"):
        import pandas

    try:
        table = pandas.read_csv(path, header=None, dtype=np.float64).to_numpy()
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; `python -m trainer prepare --kaggle` rebuilds it"
        ) from None
    except (ValueError, pandas.errors.ParserError, UnicodeDecodeError):
        raise UserError(_first_fault(path)) from None
    if table.shape[1] != COLUMNS or not np.isfinite(table).all():
        raise UserError(_first_fault(path))
    labels = table[:, ROW_LENGTH]
    strange = np.flatnonzero(~np.isin(labels, np.arange(len(CLASSES))))
    if len(strange):
        row = int(strange[0])
        raise UserError(f"{path}: row {row + 1}, column {COLUMNS}: the label is {labels[row]:g}, allowed are 0 to 4")
    values = table[:, :ROW_LENGTH]
    beyond = np.argwhere((values < -TOLERANCE) | (values > 1 + TOLERANCE))
    if len(beyond):
        row, column = beyond[0]
        raise UserError(
            f"{path}: row {row + 1}, column {column + 1}: {values[row, column]:g} is outside of 0 to 1, which every "
            f"beat is scaled to; so are {len(np.unique(beyond[:, 0]))} rows"
        )
    return Rows(values.clip(0, 1).astype(np.float32), labels.astype(np.int64))


def is_rows(path: Path) -> bool:
    """Is it a file of rows? Its first line holds that many numbers, and no names."""
    try:
        with path.open(encoding="utf-8") as lines:
            cells = lines.readline().split(",")
        return len(cells) == COLUMNS and all(math.isfinite(float(cell)) for cell in cells)
    except (OSError, ValueError):
        return False


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
