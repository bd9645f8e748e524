"""Heart rate variability, and the rule of a trend: alarm on a change against alarm on a value, the same in the lesson
`trend` and on the screen.

A course is smoothed by a running mean, and the change is that mean less the mean a while before. Where a course begins,
its first value stands for what came before it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
LEAST_BEATS: Final = 10


class Interval(Protocol):
    """A beat, its AAMI class, and the interval before it in ms, None where there is none."""

    @property
    def cls(self) -> str:
        """N, S, V, F or Q."""

    @property
    def rr_ms(self) -> float | None:
        """Ms."""


@dataclass(frozen=True, slots=True)
class Variability:
    """Heart rate variability over `count` intervals between normal beats, ms."""

    sdnn: float
    rmssd: float
    count: int


def variability(beats: Sequence[Interval]) -> Variability | None:
    """SDNN and RMSSD of the intervals between neighbouring N beats; None with fewer than LEAST_BEATS of them.

    Source: Task Force of the ESC and NASPE, Circulation 93:1043-1065 (1996). RMSSD takes the differences of
    intervals that follow each other directly.
    """
    normal = [
        beat.rr_ms if beat.rr_ms is not None and beat.cls == "N" and before.cls == "N" else None
        for before, beat in itertools.pairwise(beats)
    ]
    known = [rr for rr in normal if rr is not None]
    steps = [b - a for a, b in itertools.pairwise(normal) if a is not None and b is not None]
    if len(known) < LEAST_BEATS or not steps:
        return None
    mean = sum(known) / len(known)
    sdnn = sqrt(sum((rr - mean) ** 2 for rr in known) / (len(known) - 1))
    return Variability(sdnn, sqrt(sum(step * step for step in steps) / len(steps)), len(known))


def smoothed(values: Floats, length: int) -> Floats:
    """The mean of the last `length` values, at each: [..., steps] to [..., steps]."""
    first = np.repeat(values[..., :1], length - 1, axis=-1)
    padded = np.concatenate((first, values), axis=-1)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, length, axis=-1).mean(axis=-1))


def change(values: Floats, length: int, window: int) -> Floats:
    """The running mean of `length` values less that of `window` values before: [..., steps]. Below 0: it has fallen."""
    mean = smoothed(values, length)
    before = np.concatenate((np.repeat(mean[..., :1], window, axis=-1), mean[..., :-window]), axis=-1)
    return np.asarray((mean - before[..., : mean.shape[-1]]).astype(values.dtype))
