"""The course of one bed as the service keeps it, and when the two rules of alarm ring."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.trends import change
from monitor.link.protocol import STEP_SECONDS
from monitor.link.protocol import Course as Told

MOST: Final = 8640
"""Values kept: a day."""
SIGNS: Final = ("rate", "hrv", "pressure")


@dataclass(kw_only=True)
class Course:
    """Values of one stream. first: number of the first, counted from the stream's beginning. values: by sign, NaN where
    there is none.
    """

    stream: str = ""
    first: int = 0
    values: dict[str, deque[float]] = field(default_factory=lambda: {sign: deque(maxlen=MOST) for sign in SIGNS})

    @property
    def begin(self) -> float:
        """Signal time of the first value, s."""
        return self.first * STEP_SECONDS

    def take(self, told: Told) -> None:
        """Add new values; where they do not follow those before, they begin anew."""
        known = len(self.values[SIGNS[0]])
        if told.stream != self.stream or told.first != self.first + known:
            self.stream, self.first, known = told.stream, told.first, 0
            for kept in self.values.values():
                kept.clear()
        for point in told.points:
            for sign in SIGNS:
                self.values[sign].append(getattr(point, sign))
        self.first += max(known + len(told.points) - MOST, 0)

    def of(self, sign: str) -> NDArray[np.float64]:
        """The values of a sign, those that are missing as the one before them: float64 [n]; none where all are."""
        values = np.array(self.values[sign], float)
        known = np.flatnonzero(~np.isnan(values))
        if not len(known):
            return np.zeros(0)
        place = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
        return values[np.where(place < 0, known[0], place)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Limits of both alarms. low, high: of the value. limit: of the change. half, window: of the change, in steps.

    falls: the change counts where it falls, else in either direction.
    """

    low: float
    high: float
    limit: float
    half: int
    window: int
    falls: bool = False

    def ringing(self, values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each value, and each change, is beyond its limit: bool [n] each."""
        moved = change(values, self.half, self.window)
        beyond = -moved >= self.limit if self.falls else np.abs(moved) >= self.limit
        return (values > self.high) | (values < self.low), beyond
