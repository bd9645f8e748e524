"""What is to go out, in order: a queue that keeps a message until the broker has confirmed it. No MQTT, no clock.

What was in flight when the connection was lost goes out again first and in its original order, so the last message of a
retained topic is always the newest. Some of it may arrive twice; nothing overtakes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

MOST_WAITING: Final = 100_000
"""Messages kept while the broker is away: more than a minute of a thousand beds' beats."""
WINDOW: Final = 256
"""Messages in flight: the beats of a thousand beds in a fifth of a second."""
SHED: Final = 0.1
"""Share of the room that is made at once when there is none left, so that making room costs little."""


class Outgoing(NamedTuple):
    """A message to publish. mark: told once the broker has it, 0 for nobody who wants to know."""

    topic: str
    payload: bytes
    retain: bool
    mark: int = 0


class Outbox:
    """Messages that wait, and messages in flight: `window` of these at most, `most` of both together.

    dropped: messages given up for want of room. confirmed: messages the broker has.
    """

    def __init__(self, most: int = MOST_WAITING, window: int = WINDOW) -> None:
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

    def retained(self) -> set[str]:
        """Topics of which a retained message is not confirmed yet."""
        return {item.topic for item in (*self._flight.values(), *self._waiting) if item.retain}

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

    def take(self) -> list[Outgoing]:
        """The next messages to send; none where none waits, or as many as may be are in flight."""
        room = min(self.window - len(self._flight), len(self._waiting))
        return [self._waiting.popleft() for _ in range(room)]

    def sent(self, numbers: Iterable[int], items: Iterable[Outgoing]) -> None:
        """The messages just taken are in flight under these numbers."""
        self._flight.update(zip(numbers, items, strict=True))

    def not_sent(self, items: Sequence[Outgoing]) -> None:
        """The messages just taken could not be sent: they are the next ones again."""
        self._waiting.extendleft(reversed(items))

    def confirm(self, numbers: Iterable[int]) -> list[Outgoing]:
        """The broker has the messages of these numbers; returns those that were in flight."""
        found = [item for number in numbers if (item := self._flight.pop(number, None)) is not None]
        self.confirmed += len(found)
        return found

    def lost(self) -> None:
        """The connection is lost: what was in flight is what goes out next, in the order it had."""
        self._waiting.extendleft(reversed(self._flight.values()))
        self._flight.clear()

    def clear(self) -> None:
        """Give up everything, and count it."""
        self.dropped += len(self)
        self._waiting.clear()
        self._flight.clear()
