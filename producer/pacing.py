"""Fast replay waits for the monitors: no faster than they read, so that nothing is lost.

A monitor says in its retained status for how long signal has been waiting there unread (`behind_s`), four times a
second while that is so. The schedule's clock runs slower while a monitor is behind, stands still while it is far
behind, and runs faster again once it is not. Where no monitor is heard nobody is waited for. No MQTT, no signal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ecg.wire.messages import MessageError, MonitorStatus, decode_json
from ecg.wire.topics import Topics

LITTLE_SECONDS: Final = 0.3
"""A monitor that is less behind could take more."""
MUCH_SECONDS: Final = 2.0
"""A monitor that is more behind is waited for; it gives signal up at `max_lag_seconds`, 10 s."""
SLOWER: Final = 0.8
FASTER: Final = 1.1
STEP_SECONDS: Final = 0.5
"""Between two changes of the rate."""
FORGET_SECONDS: Final = 20.0
"""A monitor that says nothing for so long is gone: it speaks every 5 s."""
SLOWEST: Final = 0.01
UNBOUNDED_SPEED: Final = 60.0
"""Times real time of a bed that is sent as fast as it can be, at rate 1 of the clock."""
BEGIN_SECONDS: Final = 600.0
"""Seconds of signal of all beds in a second that a replay begins with where a monitor is heard: any machine reads so
much. More comes quickly until it is too much, and slowly afterwards.
"""
QUICKLY: Final = 1.5


class Pace:
    """The schedule's clock. speed: of the beds, times real time, "max" for none. beds: how many.

    rate: of this clock by the wall's, from SLOWEST; 0 while a monitor is far behind. slowed_s: wall seconds that this
    clock has lost.
    """

    def __init__(
        self, topics: Topics, speed: float | str, beds: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._topics, self._clock = topics, clock
        self._most = float("inf") if speed == "max" else 1.0
        begin = BEGIN_SECONDS / beds / (UNBOUNDED_SPEED if isinstance(speed, str) else speed)
        self._wanted = min(begin, self._most)
        self._faster = QUICKLY
        self._monitors: dict[str, tuple[float, float]] = {}
        self._wall = self._changed = clock()
        self._now = self._wall
        self._held = False
        self.slowed_s = 0.0

    @property
    def rate(self) -> float:
        """Seconds of this clock in a second."""
        return 1.0 if self.free else 0.0 if self._held else self._wanted

    @property
    def free(self) -> bool:
        """Is nobody there to be waited for?."""
        return not self._monitors

    def arrived(self, topic: str, payload: bytes, _retained: bool) -> None:
        """A status of a monitor; an empty one, or one that cannot be read, is that of none."""
        place = self._topics.parse_program(topic)
        if place is None or place[0] != "monitor":
            return
        self()  # the time until now has passed at the rate until now
        try:
            status = decode_json(payload, MonitorStatus) if payload else None
        except MessageError:
            status = None
        if status is None or status.state != "online":
            self._monitors.pop(place[1], None)
        else:
            self._monitors[place[1]] = (status.behind_s, self._wall)
        self._look(self._wall)

    def __call__(self) -> float:
        """The time by this clock, s."""
        wall = self._clock()
        passed, self._wall = wall - self._wall, wall
        self._now += passed * self.rate
        self.slowed_s += passed * max(min(self._most, 1.0) - self.rate, 0.0)
        self._look(wall)
        return self._now

    def wall_seconds(self, seconds: float) -> float:
        """How long so many seconds of this clock take at the present rate."""
        return seconds / max(self.rate, SLOWEST)

    def _look(self, wall: float) -> None:
        """Change the rate where it is time."""
        for name in [name for name, (_, heard) in self._monitors.items() if wall - heard > FORGET_SECONDS]:
            del self._monitors[name]
        behind = max((behind for behind, _ in self._monitors.values()), default=0.0)
        if behind > LITTLE_SECONDS:
            self._faster = FASTER
        if behind > MUCH_SECONDS and not self._held:
            self._held = True
            self._wanted = max(self._wanted / 2, SLOWEST)
        elif self._held and behind <= LITTLE_SECONDS:
            self._held, self._changed = False, wall
        if self._held or wall - self._changed < STEP_SECONDS:
            return
        self._changed = wall
        if behind > LITTLE_SECONDS:
            self._wanted = max(self._wanted * SLOWER, SLOWEST)
        elif not self.free:
            self._wanted = min(self._wanted * self._faster, self._most)
