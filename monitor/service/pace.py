"""When the main loop takes its next step: a step costs about as much with one message as with ten.

A message that comes after a pause is taken at once. Where messages come one after the other, the next step begins so
late that whatever came in since the last one began waits no longer than the deadline, the step itself and half a step
more included: with few beds that makes some twenty steps a second in place of one for each message, and with many
beds, whose steps are long, the pauses become as short as they must.
"""

from __future__ import annotations

from typing import Final

GATHER_SECONDS: Final = 0.004
"""So long messages that were sent together may come apart."""
AHEAD_SECONDS: Final = 0.006
"""So long before a step the socket is looked at again: a broker that waited for an acknowledgement then sends more."""
STEPS: Final = 1.5
"""Steps of the deadline that are left for the step itself: not every one is as long as usual."""
LEARN: Final = 0.25


class Pace:
    """Pauses between steps. deadline_s: what a beat may wait and be worked on."""

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._began_s = float("-inf")
        self._usual_s = 0.0

    def pause_s(self, now_s: float) -> float:
        """How long to wait for more messages, now that there is one. now_s: monotonic clock."""
        spread_s = self._began_s + self._deadline_s - STEPS * self._usual_s - now_s
        return max(spread_s, min(GATHER_SECONDS, self._deadline_s))

    def stepped(self, began_s: float, ended_s: float) -> None:
        """A step has been taken."""
        self._began_s = began_s
        self._usual_s += LEARN * (ended_s - began_s - self._usual_s)
