"""The schedule: the time of every message.

Message k of bed i is due (k + 1 + i / beds) periods after the start. All times are computed from the start, so a late
message does not delay the next, and an hour of replay ends on time. Beds are spread over the period: the load is even.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from producer.connection import Connection

SLEEP_SECONDS: Final = 0.002
"""A shorter wait is not worth a change of tasks."""
FASTEST_CHUNKS: Final = 60.0
"""At a higher speed messages become more frequent instead of longer."""
BREATH: Final = 50

Speed = float | Literal["max"]


def chunk_seconds(wanted: float, speed: Speed) -> float:
    """Seconds of signal in one message: `wanted` in real time, longer in fast replay, so that messages stay few."""
    factor = FASTEST_CHUNKS if speed == "max" else min(max(speed, 1.0), FASTEST_CHUNKS)
    return wanted * factor


@dataclass(slots=True)
class Progress:
    """Messages sent so far. behind_s: lateness of the last message, s. elapsed_s: since the start, s."""

    messages: int = 0
    behind_s: float = 0.0
    elapsed_s: float = 0.0


async def replay(
    connections: list[Connection],
    period: float | None,
    qos: int,
    stop: asyncio.Event,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send every bed to its end, or until `stop`; `progress` is kept up to date. Statuses are the connections' task.

    period: wall seconds between two messages of one bed; None: no wait.
    """
    lanes = [(link, bed) for link in connections for bed in link.beds]
    start = clock()
    number = len(lanes)
    while lanes and not stop.is_set():
        running = False
        for position, (link, bed) in enumerate(lanes):
            if period is not None:
                due = start + (number + position) * period / len(lanes)
                wait = due - clock()
                if wait > SLEEP_SECONDS and not bed.done:
                    await _sleep(wait, stop)
                    wait = due - clock()
                progress.behind_s = max(-wait, 0.0)
            if stop.is_set():
                break
            if bed.done:
                continue
            if period is None:  # there is no pace that would have to be kept
                await link.ready(stop)
            await link.wave(bed, time.time_ns(), qos)
            running = True
            progress.messages += 1
            progress.elapsed_s = clock() - start
            if progress.messages % BREATH == 0:
                await asyncio.sleep(0)
        number += len(lanes)
        if not running and not stop.is_set():
            break


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Sleep; a stop ends it early."""
    if seconds < 0.3:
        await asyncio.sleep(seconds)
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
