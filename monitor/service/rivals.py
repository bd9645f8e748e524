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

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.client import Line
from ecg.wire.messages import MessageError, MonitorStatus, decode_json
from ecg.wire.session import one_by_one
from ecg.wire.tls import encryption
from ecg.wire.topics import Topics
from ecg.wire.writing import LineError

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


async def find(mqtt: MqttSettings, broker: Broker, status_seconds: float) -> Rival | None:
    """Another living monitor, None where there is none or the broker refuses to tell."""
    look = Look()
    try:
        async with Line(
            mqtt, broker, f"look-{secrets.token_hex(4)}", None, encryption(mqtt), one_by_one(look.heard)
        ) as line:
            await line.subscribe([Topics(mqtt.topic_root).every_monitor()])
            return await look.verdict(status_seconds)
    except LineError:
        return None
