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
from monitor.service.connection import Arrival, Inbox

PAUSE_SECONDS: Final = 1.0
"""Between two looks at all that waits."""
SAID_SECONDS: Final = 10.0
"""So long the status line says who was gapped."""


@dataclass(slots=True)
class Lag:
    """Which messages of which beds are to be forgone.

    left: wave messages of each bed still to be forgone. behind_s: seconds of signal they hold.
    """

    limit_s: float
    left: dict[str, int] = field(default_factory=dict)
    behind_s: dict[str, float] = field(default_factory=dict)
    _looked_s: float = float("-inf")
    _said: str = ""
    _said_s: float = float("-inf")

    def shed(self, inbox: Inbox, topics: Topics, exempt: Callable[[str], bool], now_s: float) -> None:
        """Where signal has waited too long, choose the beds whose unread messages are to be forgone.

        exempt: is this bed sent without a pace? now_s: monotonic clock.
        """
        if inbox.waited_s <= self.limit_s or self.left or now_s - self._looked_s < PAUSE_SECONDS:
            return
        self._looked_s = now_s
        late = self.look(inbox.look(), topics, exempt)
        if late:
            more = f" and {len(late) - 1} more" if len(late) > 1 else ""
            seconds = max(self.behind_s[bed] for bed in late)
            self._said = f"bed {late[0]}{more} gapped: {seconds:.1f} s of signal waited unread"
            self._said_s = now_s

    def problem(self, now_s: float) -> str:
        """Who was gapped of late, in words; "" for nobody."""
        return self._said if now_s - self._said_s < SAID_SECONDS else ""

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
