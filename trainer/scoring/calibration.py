"""How far probabilities can be believed: among beats named with 80 % confidence, 80 % should be right.

The beats of a record are counted by the confidence of their names. Counts add up over records.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 10
LEAST_RIGHT: Final = 0.75
"""A letter is sure where at least so many of those with its confidence are right."""
Bins = NDArray[np.float64]
"""float64 [BINS, 3]: beats, sum of their confidences, and how many of them are named right, by confidence."""
NONE: Final[Bins] = np.zeros((BINS, 3))
"""No beats."""


def count(probabilities: NDArray[np.float32], classes: NDArray[np.int64]) -> Bins:
    """The beats of one record. probabilities: float32 [n, classes]. classes: int64 [n], -1 where none is known."""
    known = classes >= 0
    confidence = probabilities[known].max(axis=1).astype(np.float64)
    right = probabilities[known].argmax(axis=1) == classes[known]
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    found = NONE.copy()
    np.add.at(found, place, np.stack((np.ones(len(place)), confidence, right), axis=1))
    return found


def expected_error(bins: Bins) -> float:
    """The expected calibration error: mean distance of confidence and share of right names, weighted by beats."""
    total = bins[:, 0].sum()
    return float(np.abs(bins[:, 1] - bins[:, 2]).sum() / total) if total else float("nan")


def level(bins: Bins, least: float = LEAST_RIGHT) -> float:
    """The confidence from which on names are right at least so often: the lower bound of a bin, 0 to 1.

    bins: of held-out patients. Every bin with beats above that bound is right so often; the one below it is not.
    """
    enough = (bins[:, 0] == 0) | (bins[:, 2] >= least * bins[:, 0])
    short = np.flatnonzero(~enough)
    return float(short[-1] + 1) / BINS if len(short) else 0.0


def rows(bins: Bins) -> list[tuple[float, float, float, float]]:
    """Lower bound, share of the beats, mean confidence and share right of each bin that has any, 0 to 1."""
    total = bins[:, 0].sum()
    return [
        (place / BINS, float(beats / total), float(confidence / beats), float(right / beats))
        for place, (beats, confidence, right) in enumerate(bins)
        if beats
    ]
