"""The course of one bed: a value every few seconds for as long as it is shown, and when the two rules of alarm ring."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.trends import change
from monitor.screen.state.history import BedHistory
from monitor.screen.state.rhythm import variability

STEP_SECONDS: Final = 10.0
MOST: Final = 8640
"""Values kept: a day."""
HRV_SECONDS: Final = 60.0
SIGNS: Final = ("rate", "hrv", "pressure")


@dataclass(kw_only=True)
class Course:
    """Values of one stream. begin: signal time of the first, s. values: by sign, NaN where there is none."""

    stream: str = ""
    generation: int = -1
    begin: float = 0.0
    values: dict[str, deque[float]] = field(default_factory=lambda: {sign: deque(maxlen=MOST) for sign in SIGNS})
    _until: int = 0

    def follow(self, history: BedHistory) -> None:
        """Add the steps that are complete by now. A stream that the screen was told afresh goes on where it can."""
        if not history.rate:
            return
        step = int(STEP_SECONDS * history.rate)
        if history.stream != self.stream or history.first > self._until + step:
            self.stream = history.stream
            self._until = -(-history.first // step) * step
            self.begin = self._until / history.rate
            for kept in self.values.values():
                kept.clear()
        while self._until + step <= history.next - int(history.rate):  # beats are a second late
            since, self._until = self._until, self._until + step
            self.values["rate"].append(_rate(history, since, self._until))
            found = variability(history.beats_between(self._until - int(HRV_SECONDS * history.rate), self._until))
            self.values["hrv"].append(found.rmssd if found else float("nan"))
            self.values["pressure"].append(_pressure(history, since, self._until))

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


def _rate(history: BedHistory, since: int, until: int) -> float:
    known = [beat.rr_ms for beat in history.beats_between(since, until) if beat.rr_ms]
    return 60_000 / float(np.mean(known)) if known else float("nan")


def _pressure(history: BedHistory, since: int, until: int) -> float:
    """The mean of the first pressure that the bed sends."""
    for lead in range(len(history.leads)):
        if history.kind(lead) == "pressure":
            samples = history.samples(lead, since, until)[1]
            heard = samples[~np.isnan(samples)]
            return float(heard.mean()) if len(heard) else float("nan")
    return float("nan")
