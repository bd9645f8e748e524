"""What to do when the monitor cannot keep up: a bed with too much unread signal is declared gapped.

Signal is too late where a bed has more than `max_lag_seconds` of it waiting and the oldest message has waited for that
long by the clock too: a replay at 60 times real time brings that much in one message and is not late at all. A replay
that is sent as fast as it can be ("max") has no pace to fall behind.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ecg.wire.messages import BedStatus, MessageError, decode_json, decode_wave
from monitor.service.connection import Arrival
from monitor.service.inbox import Inbox

MOST_READ: Final = 256
"""Messages of a bed that are read to see how much signal waits."""
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

    def shed(self, inbox: Inbox, exempt: Callable[[str], bool], now_s: float) -> None:
        """Where signal has waited too long, choose the beds whose unread messages are to be forgone.

        exempt: is this bed sent without a pace? now_s: monotonic clock.
        """
        if now_s - self._looked_s < PAUSE_SECONDS:
            return
        late = []
        for bed, waiting in inbox.late(self.limit_s).items():
            self._looked_s = now_s
            if bed in self.left or exempt(bed):
                continue
            count, seconds = unread(waiting)
            if seconds > self.limit_s:
                self.left[bed], self.behind_s[bed] = count, seconds
                late.append(bed)
        if late:
            more = f" and {len(late) - 1} more" if len(late) > 1 else ""
            longest = max(self.behind_s[bed] for bed in late)
            self._said = f"bed {late[0]}{more} gapped: {longest:.1f} s of signal waited unread"
            self._said_s = now_s

    def problem(self, now_s: float) -> str:
        """Who was gapped of late, in words; "" for nobody."""
        return self._said if now_s - self._said_s < SAID_SECONDS else ""

    def forgo(self, bed: str) -> bool:
        """Is the bed's next wave message to be forgone, whatever is in it? Counts it."""
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


def unread(waiting: list[Arrival]) -> tuple[int, float]:
    """Wave messages among those that wait of a bed, and seconds of signal in them; 0 s where it has no pace.

    Of many only the first MOST_READ are read, and the others are taken to hold as much.
    """
    waves, seconds, read = 0, 0.0, 0
    for arrival in waiting:
        is_wave = arrival.topic.endswith("/wave")
        waves += is_wave
        if read == MOST_READ or not (is_wave or arrival.topic.endswith("/status")):
            continue
        with suppress(MessageError):
            if not is_wave and arrival.payload and decode_json(arrival.payload, BedStatus).speed == "max":
                return waves, 0.0
            if is_wave:
                wave = decode_wave(arrival.payload)
                seconds += len(wave.samples) / (2 * len(wave.leads)) / wave.rate
        read += 1
    return waves, seconds * max(waves / read, 1.0) if read else 0.0
