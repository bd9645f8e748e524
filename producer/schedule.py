"""The schedule: the time of every message.

Message k of bed i is due (k + 1 + i / beds) periods after the start. All times are computed from the start, so a late
message does not delay the next, and an hour of replay ends on time. Beds are spread over the period: the load is even.
A bed that was paused, or whose speed was changed, is counted from that moment on.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Literal

from producer.connection import Connection
from producer.faults import Faults
from producer.pacing import UNBOUNDED_SPEED, Pace
from producer.sources.base import Bed

SLEEP_SECONDS: Final = 0.002
"""A shorter wait is not worth a change of tasks."""
FASTEST_CHUNKS: Final = 60.0
"""At a higher speed messages become more frequent instead of longer."""
TICK_SECONDS: Final = 0.01
"""What is due within so long goes out together: a tenth of the work of sending each message by itself."""
AT_ONCE: Final = 256
"""Messages sent before others have their turn."""
LOOK_SECONDS: Final = 0.25
"""A longer wait is broken up: a bed may have been resumed, or have become quicker."""

Speed = float | Literal["max"]


def chunk_seconds(wanted: float, speed: Speed) -> float:
    """Seconds of signal in one message: `wanted` in real time, longer in fast replay, so that messages stay few."""
    factor = FASTEST_CHUNKS if speed == "max" else min(max(speed, 1.0), FASTEST_CHUNKS)
    return wanted * factor


@dataclass(slots=True)
class Progress:
    """Messages sent so far. behind_s: lateness of the last message, s. elapsed_s: since the start, s. slowed_s: for how
    long monitors were waited for, s.
    """

    messages: int = 0
    behind_s: float = 0.0
    elapsed_s: float = 0.0
    slowed_s: float = 0.0


@dataclass(slots=True, eq=False)
class Lane:
    """One bed on its way: the connection that carries it, its faults, and when its messages are due.

    speed: "max" for no wait; anew: it was changed. share: place of the bed among all, 0 to 1. wanted: seconds of a
    message at 1x. paced_by: the schedule's clock where it waits for monitors.
    """

    link: Connection
    bed: Bed
    speed: Speed
    share: float
    wanted: float
    faults: Faults = field(default_factory=Faults)
    paused: bool = False
    anew: bool = False
    base: float = 0.0
    number: int = 0
    paced_by: Pace | None = None

    @property
    def unbounded(self) -> bool:
        """Is nothing waited for but the broker?."""
        return self.speed == "max" and (self.paced_by is None or self.paced_by.free)

    @property
    def due(self) -> float:
        """When the next message is due, on the schedule's clock; at speed "max" as soon as the last one was sent."""
        if self.speed == "max":
            return self.base + (0.0 if self.unbounded else self.bed.chunk_seconds / UNBOUNDED_SPEED)
        return self.base + (self.number + 1 + self.share) * self.bed.chunk_seconds / self.speed

    def begin(self, now: float) -> None:
        """Count from now on."""
        self.base, self.number, self.anew = now, 0, False

    def pace(self, speed: Speed) -> None:
        """Another speed, and as many messages a second."""
        self.speed, self.anew = speed, True
        self.bed.chunk_seconds = chunk_seconds(self.wanted, speed)


def lanes_of(links: list[Connection], speed: Speed, wanted: float) -> list[Lane]:
    """The beds of all connections, spread evenly. wanted: seconds of signal in a message at 1x."""
    beds = [(link, bed) for link in links for bed in link.beds]
    return [Lane(link, bed, speed, place / len(beds), wanted) for place, (link, bed) in enumerate(beds)]


async def replay(
    lanes: list[Lane],
    qos: int,
    stop: asyncio.Event,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
    pace: Pace | None = None,
) -> None:
    """Send every bed to its end, or until `stop`; `progress` is kept up to date. Statuses are the connections' task.

    What is due at the same time goes out together. A lane may be paused, resumed and given another speed in between.
    pace: the clock that the schedule goes by, where it waits for monitors.
    """
    begin = clock()
    clock, real = pace or clock, clock
    start = last = clock()
    queue: list[tuple[float, int, Lane]] = []
    turn = count()  # of lanes that are due at the same time, who came first goes first

    def put(lane: Lane, due: float) -> None:
        heapq.heappush(queue, (due, next(turn), lane))

    for lane in lanes:
        lane.paced_by = pace
        lane.begin(start)
        put(lane, lane.due)
    resting: list[Lane] = []
    while not stop.is_set() and (queue or resting):
        for lane in [one for one in resting if not one.paused]:
            resting.remove(lane)
            lane.begin(clock())
            put(lane, lane.due)
        if not queue:
            await _sleep(LOOK_SECONDS, stop)
            continue
        now, (due, _, first) = clock(), queue[0]
        wait = 0.0 if first.unbounded else max(due, last + TICK_SECONDS) - now
        if pace:
            wait = pace.wall_seconds(wait)
        if wait > SLEEP_SECONDS:
            await _sleep(min(wait, LOOK_SECONDS), stop)
            if wait > LOOK_SECONDS:  # a command may have come in between
                heapq.heapreplace(queue, (min(due, first.due), next(turn), first))
            continue
        last = now
        progress.behind_s = 0.0 if first.speed == "max" else max(now - due, 0.0)
        progress.slowed_s = pace.slowed_s if pace else 0.0
        going: dict[Connection, list[Lane]] = {}
        for _ in range(AT_ONCE):
            if not queue or queue[0][0] > now + SLEEP_SECONDS:
                break
            lane = heapq.heappop(queue)[2]
            if lane.paused:
                resting.append(lane)
            elif lane.anew and not lane.bed.done:
                lane.begin(now)
                put(lane, lane.due)
            elif not lane.bed.done:
                going.setdefault(lane.link, []).append(lane)
        for link, lanes_now in going.items():
            if any(lane.speed == "max" for lane in lanes_now):  # there is no pace that would have to be kept
                await link.ready(stop)
            resting += [lane for lane in lanes_now if lane.paused]  # while the broker was waited for
            sending = [lane for lane in lanes_now if not lane.paused]
            await link.waves([(lane.bed, lane.faults) for lane in sending], time.time_ns(), qos)
            progress.messages += len(sending)
            progress.elapsed_s = real() - begin
            for lane in sending:
                lane.number += 1
                if lane.speed == "max":
                    lane.base = clock()
                put(lane, lane.due)
        await asyncio.sleep(0)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Sleep; a stop ends it early."""
    if seconds < 0.3:
        await asyncio.sleep(seconds)
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
