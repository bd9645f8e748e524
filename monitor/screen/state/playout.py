"""The clock of the sweep: signal comes in chunks, and the sweep draws it evenly, a little behind them.

The position follows the received signal at the pace of its arrival, at any replay speed, so that the trace moves
smoothly between two messages. It never passes the signal and never goes back.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from monitor.screen.state.history import BedHistory

WINDOW_SECONDS: Final = 2.0
LEAST_LAG: Final = 0.05
MOST_LAG: Final = 1.0
"""Wall seconds behind the newest sample; a larger lag is made up at once."""


class Playout:
    """The position of one bed's sweep, in samples. now: the screen's clock, in seconds."""

    def __init__(self) -> None:
        self.position = 0.0
        self._generation = -1
        self._known = -1
        self._now = 0.0
        self._arrivals: deque[tuple[float, int]] = deque()
        self._pause = 0.25

    def at(self, history: BedHistory, now: float, frozen: bool) -> float:
        """The position in a history now; it restarts with the history and stands still while frozen."""
        if history.generation != self._generation:
            self._generation = history.generation
            self.start(history.next, now)
        return self.position if frozen else self.follow(history.next, history.rate, now)

    def start(self, available: int, now: float) -> None:
        """Restart at the newest sample."""
        self.position = float(available)
        self._known, self._now = available, now
        self._arrivals.clear()
        self._arrivals.append((now, available))
        self._pause = 0.25

    def follow(self, available: int, rate: float, now: float) -> float:
        """The position now. available: index after the newest sample. rate: Hz."""
        elapsed, self._now = max(now - self._now, 0.0), max(now, self._now)
        if available > self._known:
            if self._arrivals:
                pause = now - self._arrivals[-1][0]
                self._pause = max(pause, 0.9 * self._pause) if pause < MOST_LAG else self._pause
            self._known = available
            self._arrivals.append((now, available))
        while len(self._arrivals) > 2 and self._arrivals[0][0] < now - WINDOW_SECONDS:
            self._arrivals.popleft()
        pace = self._pace(rate)
        lag = min(max(1.2 * self._pause, LEAST_LAG), MOST_LAG) * pace
        behind = available - self.position
        if behind > lag + MOST_LAG * pace:
            self.position = available - lag
        else:
            trim = min(max((behind - lag) / max(lag, 1.0), -0.6), 0.6)
            self.position = min(self.position + elapsed * pace * (1 + 0.5 * trim), float(available))
        return self.position

    def _pace(self, rate: float) -> float:
        """The pace of arrival, samples per wall second."""
        if len(self._arrivals) < 4:
            return rate
        (since, before), (until, after) = self._arrivals[0], self._arrivals[-1]
        return (after - before) / (until - since) if until > since else rate
