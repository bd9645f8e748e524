"""When a socket is not looked at: each look wakes a thread, which costs more than the message that it finds.

Who works through messages at known times needs none of them before. Until then they are as well off in the kernel, as
long as they fit there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LEAST_SECONDS: Final = 0.008
"""A shorter rest saves no look."""
MOST_SECONDS: Final = 0.25
"""No rest is longer: the library's own packets wait too."""
MOST_BYTES: Final = 1 << 17
"""What the kernel keeps for a socket on any system, about: a sender waits when it is more, and a broker then drops."""
SHARE: Final = 4
"""Of a larger buffer the part that messages may fill: a kernel counts what it keeps them in, and much may come at once.
"""
MEASURED_SECONDS: Final = 0.05
WINDOW: Final = 10
"""Messages of QoS 1 that came at once: a broker sends 20 or so, and no more before they are acknowledged; of those that
wait it keeps a thousand.
"""
AWAKE_SECONDS: Final = 0.1
"""So long there is no rest after so many."""


class Rest:
    """Rests between looks at a socket. until: before when nobody needs what comes, monotonic clock.

    most_bytes: what the kernel keeps for it.
    """

    def __init__(self, until: Callable[[], float]) -> None:
        self._until = until
        self.most_bytes = MOST_BYTES
        self._little = True
        self._awake_until_s = 0.0
        self._since_s = self._looked_s = self._rate = 0.0
        self._bytes = 0

    @property
    def little(self) -> bool:
        """Does so little come that the kernel keeps it for two of the longest rests? Once not, for three."""
        self._little = (2 if self._little else 3) * MOST_SECONDS * self._rate < self.most_bytes
        return self._little and self._looked_s >= self._awake_until_s

    def buffer(self, size: int) -> None:
        """The kernel has a buffer of so many bytes for the socket."""
        self.most_bytes = max(size // SHARE, MOST_BYTES)

    def looked(self, now_s: float, taken: int, acknowledged: int = 0) -> None:
        """A look took so many bytes, and that many messages that are to be acknowledged."""
        self._looked_s = now_s
        self._bytes += taken
        if acknowledged >= WINDOW:
            self._awake_until_s = now_s + AWAKE_SECONDS
        passed_s = now_s - self._since_s
        if passed_s >= MEASURED_SECONDS:
            self._rate, self._since_s, self._bytes = self._bytes / passed_s, now_s, 0

    def left(self, now_s: float) -> float:
        """How long the socket may be left alone from now on; 0: not at all.

        So much comes in a rest as came in the last looks, in the same time: never more than `most_bytes`.
        """
        most_s = self._looked_s - now_s + min(MOST_SECONDS, self.most_bytes / max(self._rate, 1.0))
        if now_s < self._awake_until_s:
            return 0.0
        rest_s = min(self._until() - now_s, most_s)
        return rest_s if rest_s >= LEAST_SECONDS else 0.0
