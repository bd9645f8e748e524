"""What is to go out, in order: a queue that keeps a message until the broker has confirmed it. No MQTT, no clock.

What was in flight when the connection was lost goes out again first and in its original order, so the last message of a
retained topic is always the newest. Some of it may arrive twice; nothing overtakes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

MOST_WAITING: Final = 100_000
"""Messages kept while the broker is away: more than a minute of a thousand beds' beats."""
SHED: Final = 0.1
"""Share of the room that is made at once when there is none left, so that making room costs little."""


class Outgoing(NamedTuple):
    """A message to publish at QoS 1. done: called once the broker has it."""

    topic: str
    payload: bytes
    retain: bool
    done: Callable[[], None] | None = None


class Outbox:
    """Messages that wait, and messages in flight: `window` of these at most, `most` of both together.

    dropped: messages given up for want of room. confirmed: messages the broker has.
    """

    def __init__(self, most: int = MOST_WAITING, window: int = 64) -> None:
        self.most, self.window = most, window
        self.dropped = 0
        self.confirmed = 0
        self._waiting: deque[Outgoing] = deque()
        self._flight: dict[int, Outgoing] = {}

    def __len__(self) -> int:
        """Messages the broker has not confirmed yet."""
        return len(self._waiting) + len(self._flight)

    @property
    def in_flight(self) -> int:
        """Messages sent and not confirmed."""
        return len(self._flight)

    def put(self, items: Iterable[Outgoing]) -> None:
        """Add messages; where that is too many, the oldest go, but of a retained topic never the newest."""
        self._waiting.extend(items)
        if len(self) > self.most:
            self._make_room()

    def _make_room(self) -> None:
        keep = max(self.most - int(self.most * SHED) - len(self._flight), 0)
        newest = {item.topic: place for place, item in enumerate(self._waiting) if item.retain}
        surplus = len(self._waiting) - keep
        kept: deque[Outgoing] = deque()
        for place, item in enumerate(self._waiting):
            if surplus and newest.get(item.topic) != place:
                surplus -= 1
                self.dropped += 1
            else:
                kept.append(item)
        while len(kept) + len(self._flight) > self.most:  # retained topics alone are too many
            kept.popleft()
            self.dropped += 1
        self._waiting = kept

    def take(self) -> Outgoing | None:
        """The next message to send; None where none waits, or as many as may be are in flight."""
        return self._waiting.popleft() if self._waiting and len(self._flight) < self.window else None

    def sent(self, number: int, item: Outgoing) -> None:
        """The message just taken is in flight under that number."""
        self._flight[number] = item

    def not_sent(self, item: Outgoing) -> None:
        """The message just taken could not be sent: it is the next one again."""
        self._waiting.appendleft(item)

    def confirm(self, number: int) -> bool:
        """The broker has the message of that number. Was one in flight?."""
        item = self._flight.pop(number, None)
        if item is None:
            return False
        self.confirmed += 1
        if item.done:
            item.done()
        return True

    def lost(self) -> None:
        """The connection is lost: what was in flight is what goes out next, in the order it had."""
        self._waiting.extendleft(reversed(self._flight.values()))
        self._flight.clear()

    def clear(self) -> None:
        """Give up everything, and count it."""
        self.dropped += len(self)
        self._waiting.clear()
        self._flight.clear()
