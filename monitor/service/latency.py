"""Latency histograms of fixed size, in the manner of HDR histograms: constant relative error, no samples kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import clock
from monitor.ward.events import BeatRead, Event

STAGES: Final = ("received", "read", "total")
"""Of one beat, from the sending of its last needed sample until it was received; from there until the network had read
the beat; and from the sending until the broker had confirmed it.
"""

LOWEST_MS: Final = 1e-3
GROWTH: Final = 1.02
BINS: Final = 1200
AT_ONCE: Final = 512
"""Values that wait to be counted."""
_LOG: Final = float(np.log(GROWTH))


class Histogram:
    """Counts of milliseconds in bins two per cent wide, from a microsecond to hours.

    Values are counted when somebody asks, or many at once: few beds have a value or two in a step.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, np.int64)
        self._highest = 0.0
        self._waiting: deque[float] = deque()
        self._counting = Lock()

    def add(self, milliseconds: NDArray[np.float64] | float) -> None:
        """Count one value or an array of them; below zero counts as zero."""
        if isinstance(milliseconds, np.ndarray):
            self._waiting.extend(milliseconds.tolist())
        else:
            self._waiting.append(milliseconds)
        if len(self._waiting) >= AT_ONCE:
            self._count()

    def _count(self) -> None:
        """Count what waits; others may add to it meanwhile, and ask from threads of their own."""
        with self._counting:
            values = np.array([self._waiting.popleft() for _ in range(len(self._waiting))], np.float64)
            if len(values):
                self._highest = max(self._highest, float(values.max()))
                bins = np.log(np.maximum(values, LOWEST_MS) / LOWEST_MS) / _LOG
                np.add.at(self._counts, np.minimum(bins.astype(np.int64), BINS - 1), 1)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many values are in each bin."""
        self._count()
        return self._counts

    @property
    def highest(self) -> float:
        """The largest value; 0 where there is none."""
        self._count()
        return self._highest

    def together(self, other: Histogram) -> Histogram:
        """The values of both."""
        both = Histogram()
        both._counts = self.counts + other.counts
        both._highest = max(self.highest, other.highest)
        return both

    @property
    def total(self) -> int:
        """Values counted."""
        return int(self.counts.sum())

    def below(self, step: int) -> list[tuple[float, int]]:
        """(ms, how many were below it) at every `step`th bin's upper edge from 0.5 ms to a minute."""
        summed = np.cumsum(self.counts)
        edges = LOWEST_MS * GROWTH ** (np.arange(step - 1, BINS, step) + 1)
        wanted = (edges > 0.5) & (edges < 60_000)
        return list(zip(edges[wanted].tolist(), summed[step - 1 :: step][wanted].tolist(), strict=True))

    def quantile(self, share: float) -> float | None:
        """The value that `share` of all are below (within 2 per cent), ms; None where nothing was counted."""
        total = self.total
        if total == 0:
            return None
        if share >= 1:
            return self.highest
        place = int(np.searchsorted(np.cumsum(self.counts), share * total))
        return min(float(LOWEST_MS * GROWTH ** (place + 0.5)), self.highest)


class Latencies:
    """One histogram for each stage, and one of the total that is emptied now and then."""

    def __init__(self) -> None:
        self.stages = {stage: Histogram() for stage in STAGES}
        self.recent = Histogram()
        self._before = Histogram()

    def take(self, events: Sequence[Event]) -> None:
        """Count the beats among these whose sender has a clock."""
        beats = [event for event in events if isinstance(event, BeatRead) and event.sent_ns]
        if beats:
            received = np.array([(beat.received_ns - beat.sent_ns) / 1e6 for beat in beats])
            read = np.array([beat.latency_ms for beat in beats])
            self.add("received", received)
            self.add("read", read - received)

    def confirmed(self, sent_ns: list[int]) -> None:
        """The broker has the beats whose last samples were sent at these times."""
        self.add("total", (clock.steady_ns() - np.array(sent_ns)) / 1e6)

    def add(self, stage: str, milliseconds: NDArray[np.float64] | float) -> None:
        """Count values of a stage; "total" is also what the status line shows."""
        self.stages[stage].add(milliseconds)
        if stage == "total":
            self.recent.add(milliseconds)

    def turn(self) -> None:
        """Forget what is older than two turns in what the status line shows."""
        self._before, self.recent = self.recent, Histogram()

    def shown(self, share: float) -> float | None:
        """Quantile of the total over the last one to two turns, ms."""
        return self.recent.together(self._before).quantile(share)
