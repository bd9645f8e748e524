"""What could not be sent while the broker was away, and what may not have arrived: kept, bounded, sent late.

Messages of QoS 0 that were handed over shortly before a connection broke may be lost with it, and a broker that starts
anew forwards nothing to monitors that are not back yet. So after a pause the last seconds are sent again, then what was
kept meanwhile, in order. A monitor counts what comes twice as repeated. No MQTT, no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from ecg.wire.outbox import Outgoing

AGAIN_SECONDS: Final = 1.5
"""Wall seconds of messages before a loss that are sent again."""


MOST_SECONDS: Final = 30.0
"""So long messages are remembered of a broker that says nothing: its connection is given up before."""
MOST_TIMES: Final = 2
"""So often a message is sent again: where connections break one after the other it must not pile up."""
MOST_MESSAGES: Final = 100_000
AT_ONCE: Final = 64
"""Messages taken at once."""


class Item(NamedTuple):
    """A message that a producer sends. seconds: of signal in it. since_s: when it was made, monotonic clock. times: how
    often it was sent again.
    """

    message: Outgoing
    qos: int
    seconds: float = 0.0
    since_s: float = 0.0
    times: int = 0


class Kept:
    """Messages of one connection. most_s: seconds of signal kept, of all its beds together.

    dropped: messages given up for want of room.
    """

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._waiting: deque[Item] = deque()
        self._seconds = 0.0
        self._handed: deque[tuple[float, list[Item]]] = deque()
        self.dropped = 0

    def __len__(self) -> int:
        """Messages that wait."""
        return len(self._waiting)

    def keep(self, items: Sequence[Item]) -> None:
        """These messages are the next to be sent, behind those that wait."""
        self._waiting.extend(items)
        self._seconds += sum([item.seconds for item in items])

    def trim(self) -> None:
        """What waits now has to wait for longer: where that is too much, the oldest go."""
        while self._waiting and (
            self._seconds > self._most_s or self._most_s <= 0 or len(self._waiting) > MOST_MESSAGES
        ):
            self._seconds -= self._waiting.popleft().seconds
            self.dropped += 1

    def handed(self, items: list[Item], now_s: float, heard_s: float | None = None) -> None:
        """Messages have been handed over; they are remembered until shortly after the broker was heard.

        now_s: monotonic clock. heard_s: when the broker was heard, None for just now.
        """
        if self._most_s <= 0:
            return
        self._handed.append((now_s, items))
        since_s = max(now_s if heard_s is None else heard_s, now_s - MOST_SECONDS) - 2 * AGAIN_SECONDS
        while self._handed[0][0] < since_s:
            self._handed.popleft()

    def lost(self, at_s: float) -> None:
        """The connection broke, at the latest at that time: what was handed over shortly before waits again."""
        recent = [item for when_s, items in self._handed if at_s - when_s <= AGAIN_SECONDS for item in items]
        again = [item._replace(times=item.times + 1) for item in recent if item.times < MOST_TIMES]
        self._handed.clear()
        self._waiting.extendleft(reversed(again))
        self._seconds += sum(item.seconds for item in again)

    def take(self) -> list[Item]:
        """The next messages that wait, of one quality of service, AT_ONCE at most; none where there is none."""
        items: list[Item] = []
        waiting = self._waiting
        while waiting and len(items) < AT_ONCE and waiting[0].qos == (items or waiting)[0].qos:
            items.append(waiting.popleft())
        self._seconds -= sum([item.seconds for item in items])
        return items

    def put_back(self, items: list[Item]) -> None:
        """The messages just taken could not be sent."""
        self._waiting.extendleft(reversed(items))
        self._seconds += sum(item.seconds for item in items)

    def clear(self) -> None:
        """Nobody will send what is left."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._seconds = 0.0
