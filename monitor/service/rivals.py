"""Is there another monitor for the same broker and root? Two would both publish every beat and fight over alarms.

A monitor keeps a retained status on the broker, which its last will clears. One that came retained proves little: the
will of a monitor that died with its broker was never carried out. It counts once the same monitor says so afresh,
which a living one does every `status_seconds`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Final, NamedTuple

from ecg.settings import Mqtt
from ecg.wire.broker import Broker
from ecg.wire.client import Line, LineError
from ecg.wire.messages import MessageError, MonitorStatus, decode_json
from ecg.wire.tls import encryption
from ecg.wire.topics import Topics

RETAINED_SECONDS: Final = 0.5
"""So long after subscribing, what is retained has come."""
PERIODS: Final = 2.2
"""Periods of a status that are waited for a fresh one."""


class Rival(NamedTuple):
    """Another monitor that lives. name: as in its topic."""

    name: str
    status: MonitorStatus


async def find(mqtt: Mqtt, broker: Broker, status_seconds: float) -> Rival | None:
    """Another living monitor, None where there is none or the broker refuses to tell.

    Returns within a second where no status is retained; where one is, it waits up to two periods for a fresh one.
    """
    came: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue()

    def arrived(topic: str, payload: bytes, retained: bool) -> None:
        came.put_nowait((topic, payload, retained))

    topics = Topics(mqtt.topic_root)
    identifier = f"look-{secrets.token_hex(4)}"
    try:
        async with Line(mqtt, broker, identifier, None, encryption(mqtt), arrived, lambda _number: None) as line:
            await line.subscribe([topics.every_monitor()])
            return await _listen(came, status_seconds)
    except LineError:
        return None


async def _listen(came: asyncio.Queue[tuple[str, bytes, bool]], status_seconds: float) -> Rival | None:
    retained: set[str] = set()
    now = time.monotonic()
    soon, late = now + RETAINED_SECONDS, now + PERIODS * status_seconds
    while (rest := (late if retained else soon) - time.monotonic()) > 0:
        try:
            topic, payload, is_retained = await asyncio.wait_for(came.get(), rest)
        except TimeoutError:
            continue
        name = topic.split("/")[-2]
        status = _status(payload)
        if status is None or status.state != "online":
            retained.discard(name)
        elif is_retained:
            retained.add(name)
        else:
            return Rival(name, status)
    return None


def _status(payload: bytes) -> MonitorStatus | None:
    """What a monitor says of itself; None where it is cleared or cannot be read."""
    if not payload:
        return None
    try:
        return decode_json(payload, MonitorStatus)
    except MessageError:
        return None
