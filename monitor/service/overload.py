"""What to do when the monitor cannot keep up: a bed with too much unread signal is declared gapped.

Signal is too late where a bed has more than `max_lag_seconds` of it waiting and the oldest message has waited for that
long by the clock too: a replay at 60 times real time brings that much in one message and is not late at all. A replay
that is sent as fast as it can be ("max") has no pace to fall behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ecg.wire.messages import BedStatus, MessageError, decode_json, decode_wave
from ecg.wire.topics import Topics
from monitor.service.connection import Arrival

PAUSE_SECONDS: Final = 1.0
"""Between two looks at all that waits."""


@dataclass(slots=True)
class Lag:
    """Which messages of which beds are to be forgone.

    left: wave messages of each bed still to be forgone. behind_s: seconds of signal they hold. gapped: beds, in all.
    """

    limit_s: float
    left: dict[str, int] = field(default_factory=dict)
    behind_s: dict[str, float] = field(default_factory=dict)
    gapped: int = 0
    _looked_s: float = float("-inf")

    def due(self, waited_s: float, now_s: float) -> bool:
        """Is it time to look at what waits? now_s: monotonic clock."""
        if waited_s <= self.limit_s or self.left or now_s - self._looked_s < PAUSE_SECONDS:
            return False
        self._looked_s = now_s
        return True

    def look(self, waiting: Iterable[Arrival], topics: Topics, exempt: Callable[[str], bool]) -> list[str]:
        """Choose the beds that are too late; returns their names."""
        count: dict[str, int] = {}
        seconds: dict[str, float] = {}
        unpaced: set[str] = set()
        for arrival in waiting:
            bed, kind = topics.parse(arrival.topic) or ("", "")
            with suppress(MessageError):
                if kind == "status" and arrival.payload and decode_json(arrival.payload, BedStatus).speed == "max":
                    unpaced.add(bed)
                if kind != "wave" or bed in unpaced or exempt(bed):
                    continue
                wave = decode_wave(arrival.payload)
                count[bed] = count.get(bed, 0) + 1
                seconds[bed] = seconds.get(bed, 0.0) + len(wave.samples) / (2 * len(wave.leads)) / wave.rate
        late = [bed for bed, behind in seconds.items() if behind > self.limit_s]
        for bed in late:
            self.left[bed], self.behind_s[bed] = count[bed], seconds[bed]
        self.gapped += len(late)
        return late

    def forgo(self, bed: str) -> bool:
        """Is the bed's next message to be forgone? Counts it."""
        if bed not in self.left:
            return False
        self.left[bed] -= 1
        return True

    def over(self, bed: str) -> float | None:
        """Seconds of signal that were forgone, once the last message of them is gone; else None."""
        if self.left.get(bed) != 0:
            return None
        del self.left[bed]
        return self.behind_s.pop(bed)
