"""Messages that have arrived and are not processed yet: a lane for each bed, and every lane has its turn.

One bed, or a stranger, that floods the monitor keeps itself waiting and no other: lanes are emptied by turns, each turn
gives a lane the same share of bytes (deficit round robin), and all names that are no bed's yet share the turns of one.
Within a lane messages keep their order.

Messages are put into lanes only when more wait than is taken at once: until then they stay together as they came.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from ecg import clock
from ecg.wire.lots import Lot
from ecg.wire.packets import Arrival
from ecg.wire.topics import LONGEST_SHOWN, Topics, readable
from monitor.service.fresh import OVERHEAD, Chunk, came_ns, messages_of, size_of

MOST_BYTES: Final = 512 << 20
"""Bytes of messages not processed yet; beyond that the newest are dropped, and the ledger shows the gap."""
ANYBODYS: Final = 0.75
"""Share of these bytes that anybody may fill; the rest is for beds of which little waits."""
LITTLE_BYTES: Final = 256 << 10
"""More than a minute of a bed in real time."""
LANE_BYTES: Final = 1024
"""Bytes that a lane takes: so does a name of its own for each message."""
TURN_BYTES: Final = 16 << 10
"""What a turn gives a lane: seconds of a bed in real time."""
MESSAGE_BYTES: Final = 1024
"""What a message counts besides its payload: to read an empty one takes as long as to read so many bytes more."""
MOST_TOGETHER: Final = 4096
"""Messages that stay together as they came."""
MOST_TOPICS: Final = 16_384
"""Topics whose lane is remembered: anyone can make up more."""
PROGRAMS: Final = "/programs"
"""Lane of the statuses of connections that many beds share."""
ODD: Final = "/odd"
"""Lane of topics that name no bed. No bed's name has a stroke."""


class Lane:
    """What waits of one bed.

    size: its bytes. credit: bytes that it may take in its turn; below 0, what it owes. queued: will it have a turn?
    parked: it is not to have any.
    """

    __slots__ = ("credit", "name", "parked", "queued", "size", "waiting")

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0
        self.credit = 0
        self.queued = False
        self.parked = False
        self.waiting: deque[Arrival] = deque()


class Inbox:
    """Messages that have arrived and are not processed yet. The connection's thread puts, the service takes.

    Of an odd topic there is what may be shown of it. known: is there a bed of that name already? overflowed: messages
    that there was no room for; `crowded` is whose the last one was.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, topics: Topics, known: Callable[[str], bool] = lambda _name: True
    ) -> None:
        self.wake = asyncio.Event()
        self.closed = False
        self.overflowed = 0
        self.crowded = ""
        self.received = 0
        self.last_s = time.monotonic()
        self._loop, self._topics, self._known = loop, topics, known
        self._woken = False
        self._count = 0
        self._bytes = 0
        self._lanes: dict[str, Lane] = {}
        self._by_topic: dict[str, Lane] = {}
        self._strangers: deque[Lane] = deque()
        self._crowd = Lane("/strangers")
        self._turns: deque[Lane] = deque()
        self._parked: set[Lane] = set()
        self._fresh: list[Chunk] = []
        self._fresh_bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def put(self, arrivals: list[Arrival]) -> None:
        """Keep messages, in whatever thread they are read; none once it is `closed`."""
        known = self._by_topic
        if any(one.topic not in known and not _shown(one.topic) for one in arrivals):
            arrivals = [one if _shown(one.topic) else one._replace(topic=readable(one.topic)) for one in arrivals]
        self._put(arrivals, len(arrivals), sum(one.retained for one in arrivals))

    def put_lot(self, lot: Lot) -> None:
        """Keep the messages of a lot."""
        self._put(lot, len(lot.table), int(lot.table[:, 3].sum()))

    def _put(self, chunk: Chunk, count: int, retained: int) -> None:
        if self.closed or not count:
            return
        if count > retained:
            self.last_s = time.monotonic()
            self.received += count - retained
        with self._lock:
            self._fresh.append(chunk)
            self._fresh_bytes += size_of(chunk)
            self._count += count
            if self._count > MOST_TOGETHER or self._bytes + self._fresh_bytes > ANYBODYS * MOST_BYTES:
                self._deal()
        if self._count and not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self.wake.set)

    def take_fresh(self, most: int, most_bytes: int) -> list[Chunk]:
        """All that waits, as it came; nothing where that is more than so much, or lanes are to be served (`take`)."""
        with self._lock:
            if self._turns or self._parked or self._count > most or self._fresh_bytes > most_bytes + OVERHEAD * most:
                return []
            chunks, self._fresh = self._fresh, []
            self._fresh_bytes = self._count = 0
        return chunks

    def put_back(self, chunks: list[Chunk]) -> None:
        """Keep what has been taken and not read, before all that came since."""
        with self._lock:
            self._fresh = chunks + self._fresh
            self._fresh_bytes += sum(map(size_of, chunks))
            self._count += sum(len(messages_of(chunk)) for chunk in chunks)
            self._deal()

    def _deal(self) -> None:
        """Put what waits into lanes."""
        chunks, self._fresh, self._fresh_bytes = self._fresh, [], 0
        for chunk in chunks:
            for one in messages_of(chunk):
                lane = self._by_topic.get(one.topic)
                if lane is None:
                    lane = self._lane(one.topic)
                if self._bytes > ANYBODYS * MOST_BYTES and not self._has_room(lane):
                    self.overflowed += 1
                    self.crowded = lane.name
                    self._count -= 1
                    continue
                if not lane.waiting:
                    self._bytes += LANE_BYTES
                    if not lane.queued:
                        self._queue(lane)
                size = len(one.payload) + OVERHEAD
                self._bytes += size
                lane.size += size
                lane.waiting.append(one)

    def _lane(self, topic: str) -> Lane:
        """The lane of a topic that is not remembered."""
        if len(self._by_topic) >= MOST_TOPICS:
            self._by_topic.clear()
            self._lanes = {name: lane for name, lane in self._lanes.items() if lane.waiting or lane.parked}
        place = self._topics.parse(topic)
        name = place[0] if place else PROGRAMS if self._topics.parse_program(topic) else ODD
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name)
        self._by_topic[topic] = lane
        return lane

    def _has_room(self, lane: Lane) -> bool:
        """May a message be kept although there is a lot already?."""
        return self._bytes <= MOST_BYTES and lane.size < LITTLE_BYTES and not self._is_strange(lane)

    def _is_strange(self, lane: Lane) -> bool:
        return lane.name != PROGRAMS and not self._known(lane.name)

    def _queue(self, lane: Lane) -> None:
        """Give a lane its turn, after the others."""
        lane.queued = True
        if self._is_strange(lane):
            if not self._strangers:
                self._turns.append(self._crowd)
            self._strangers.append(lane)
        else:
            self._turns.append(lane)

    def take(self, most: int, most_bytes: int = MOST_BYTES) -> list[Arrival]:
        """Up to `most` messages of the lanes whose turn it is; none after `most_bytes` of payload have been taken."""
        taken: list[Arrival] = []
        left = most_bytes
        with self._lock:
            self._deal()
            while self._turns and len(taken) < most and left > 0:
                lane = self._turns.popleft()
                if lane is self._crowd:
                    lane = self._strangers.popleft()
                    if self._strangers:
                        self._turns.append(self._crowd)
                lane.queued = False
                if lane.parked:
                    continue
                waiting = lane.waiting
                until_ns = self._oldest_ns(lane) if lane.name == PROGRAMS else 0
                lane.credit = min(lane.credit, 0) + TURN_BYTES
                while waiting and lane.credit > 0 and len(taken) < most and left > 0:
                    if until_ns and waiting[0].received_ns >= until_ns:
                        break
                    one = waiting.popleft()
                    taken.append(one)
                    size = len(one.payload)
                    left -= size
                    lane.size -= size + OVERHEAD
                    lane.credit -= size + MESSAGE_BYTES
                if waiting:
                    self._queue(lane)
                else:
                    self._bytes -= LANE_BYTES
            self._count -= len(taken)
            self._bytes -= most_bytes - left + OVERHEAD * len(taken)
        return taken

    def park(self, bed: str) -> None:
        """Give no message of this bed, until `unpark`."""
        with self._lock:
            self._deal()
            lane = self._lanes.get(bed)
            if lane is not None:
                lane.parked = True
                self._parked.add(lane)

    def unpark(self, bed: str | None = None) -> None:
        """Give messages of this bed again; without a name of all beds."""
        with self._lock:
            for lane in [lane for lane in self._parked if bed in (None, lane.name)]:
                self._parked.remove(lane)
                lane.parked = False
                if lane.waiting and not lane.queued:
                    self._queue(lane)

    def _oldest_ns(self, but: Lane) -> int:
        """When the oldest message of all lanes but one was received, 0 for none.

        What a connection says of its beds is to be heard after what it had sent of them.
        """
        return min((lane.waiting[0].received_ns for lane in self._filled() if lane is not but), default=0)

    def _filled(self) -> Iterator[Lane]:
        yield from (lane for lane in self._turns if lane is not self._crowd)
        yield from self._strangers
        yield from (lane for lane in self._parked if lane.waiting and not lane.queued)

    @property
    def waited_s(self) -> float:
        """For how long the oldest message has been waiting, s."""
        with self._lock:
            since = [lane.waiting[0].received_ns for lane in self._filled()]
            since += [came_ns(self._fresh[0])] if self._fresh else []
        oldest_ns = min(since, default=0)
        return (clock.steady_ns() - oldest_ns) / 1e9 if oldest_ns else 0.0

    def late(self, seconds: float) -> dict[str, list[Arrival]]:
        """What waits of beds whose oldest message has waited for longer than that, left where it is."""
        since_ns = clock.steady_ns() - int(seconds * 1e9)
        with self._lock:
            if self._fresh and came_ns(self._fresh[0]) < since_ns:
                self._deal()
            late = [lane for lane in self._filled() if lane.waiting[0].received_ns < since_ns and lane.name[0] != "/"]
            return {lane.name: list(lane.waiting) for lane in late}

    async def wait(self, seconds: float) -> None:
        """Until there is a message, or for so long."""
        if not self._count:
            self._woken = False
            self.wake.clear()
            if not self._count:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), seconds)


def _shown(topic: str) -> bool:
    """May a topic be shown as it is?."""
    return len(topic) <= LONGEST_SHOWN and topic.isprintable()
