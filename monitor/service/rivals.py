"""Is there another monitor for the same broker and root? Two would both publish every beat and fight over alarms.

A monitor keeps a retained status on the broker, which its last will clears. One that came retained proves little: the
will of a monitor that died with its broker was never carried out. It counts once the same monitor says so afresh,
which a living one does every `status_seconds`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, NamedTuple

import aiomqtt

from ecg.settings import Mqtt
from ecg.wire.broker import Broker
from ecg.wire.messages import MessageError, MonitorStatus, Topics, decode_json

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
    try:
        async with aiomqtt.Client(
            broker.host, broker.port, username=mqtt.username or None, password=mqtt.password or None, timeout=10
        ) as client:
            return await _listen(client, Topics(mqtt.topic_root), status_seconds)
    except aiomqtt.MqttError:
        return None


async def _listen(client: aiomqtt.Client, topics: Topics, status_seconds: float) -> Rival | None:
    await client.subscribe(topics.monitor("+"), 1)
    retained: set[str] = set()
    now = time.monotonic()
    soon, late = now + RETAINED_SECONDS, now + PERIODS * status_seconds
    messages = aiter(client.messages)
    while (rest := (late if retained else soon) - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(anext(messages), rest)
        except TimeoutError:
            continue
        name = message.topic.value.split("/")[-2]
        status = _status(message.payload)
        if status is None or status.state != "online":
            retained.discard(name)
        elif message.retain:
            retained.add(name)
        else:
            return Rival(name, status)
    return None


def _status(payload: object) -> MonitorStatus | None:
    """What a monitor says of itself; None where it is cleared or cannot be read."""
    if not isinstance(payload, bytes) or not payload:
        return None
    try:
        return decode_json(payload, MonitorStatus)
    except MessageError:
        return None
