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
TURNS: Final = 10
PERIODS: Final = 2.2
"""Periods of a status that are waited for a fresh one."""


class Rival(NamedTuple):
    """Another monitor that lives. name: as in its topic."""

    name: str
    status: MonitorStatus


class Look:
    """What is heard of other monitors while one looks."""

    def __init__(self) -> None:
        self._retained: set[str] = set()
        self._rival: asyncio.Future[Rival] = asyncio.get_running_loop().create_future()

    def heard(self, topic: str, payload: bytes, retained: bool) -> None:
        """One status message; an empty one clears a status, and what cannot be read proves nothing."""
        name = topic.split("/")[-2]
        try:
            status = decode_json(payload, MonitorStatus) if payload else None
        except MessageError:
            status = None
        if status is None or status.state != "online":
            self._retained.discard(name)
        elif retained:
            self._retained.add(name)
        elif not self._rival.done():
            self._rival.set_result(Rival(name, status))

    async def verdict(self, status_seconds: float) -> Rival | None:
        """Another living monitor, None where there is none; call it once subscribed.

        Within a second where no status is retained; where one is, it waits up to two periods for a fresh one.
        """
        limit = time.monotonic() + PERIODS * status_seconds
        for _ in range(TURNS):  # in turns: what has come is heard, however late this loop gets to it
            await asyncio.wait({self._rival}, timeout=RETAINED_SECONDS / TURNS)
        while not self._rival.done() and self._retained and (rest := limit - time.monotonic()) > 0:
            await asyncio.wait({self._rival}, timeout=min(rest, RETAINED_SECONDS))
        return self._rival.result() if self._rival.done() else None


async def find(mqtt: Mqtt, broker: Broker, status_seconds: float) -> Rival | None:
    """Another living monitor, None where there is none or the broker refuses to tell."""
    look = Look()
    try:
        async with aiomqtt.Client(
            broker.host, broker.port, username=mqtt.username or None, password=mqtt.password or None, timeout=10
        ) as client:
            await client.subscribe(Topics(mqtt.topic_root).monitor("+"), 1)
            listening = asyncio.create_task(_listen(client, look))
            found = await look.verdict(status_seconds)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            return found
    except aiomqtt.MqttError:
        return None


async def _listen(client: aiomqtt.Client, look: Look) -> None:
    async for message in client.messages:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        look.heard(message.topic.value, payload, bool(message.retain))
