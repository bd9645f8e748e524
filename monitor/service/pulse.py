"""Does the service live? Its main loop turns, and it is connected."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from ecg import notify

STILL_SECONDS: Final = 10.0
"""A main loop that has not turned for so long does not live. One turn takes half a second at most."""


class Pulse:
    """Turns of the main loop. connected, beds: asked when somebody wants to know."""

    def __init__(
        self, connected: Callable[[], bool], beds: Callable[[], int], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._connected, self._beds, self._now_s = connected, beds, now_s
        self._turned_s = now_s()

    def turn(self) -> None:
        """The main loop has come round."""
        self._turned_s = self._now_s()

    @property
    def still_s(self) -> float:
        """Since the last turn, s."""
        return self._now_s() - self._turned_s

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Is all well? And the figures that say so."""
        connected, still_s = self._connected(), self.still_s
        figures = {"connected": connected, "beds": self._beds(), "last_turn_s": round(still_s, 3)}
        return connected and still_s < STILL_SECONDS, figures

    def beat(self, every_s: float) -> None:
        """Tell systemd that the service lives, where it does; it is asked for every `every_s`."""
        if self.still_s < max(every_s, 1.0):
            notify.tell("WATCHDOG=1")
