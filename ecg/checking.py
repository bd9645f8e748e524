"""What --check says: of each part whether it can be used, a line each."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Final

from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire.broker import EXTERNAL, Broker, address, bare, ensure, is_loopback, probe
from ecg.wire.client import Line
from ecg.wire.tls import encryption
from ecg.wire.writing import LineError

CANNOT: Final = UserError.status
SECONDS: Final = 15.0

Part = tuple[str, Callable[[], str]]
"""The name of a part, and what returns how it is; it raises UserError where it cannot be used."""


def run(parts: Sequence[Part]) -> int:
    """Look at all parts, say how each is on standard output; the exit status: 0, or that of what cannot be used."""
    status = 0
    for name, look in parts:
        try:
            print(f"ok    {name}: {look()}")
        except UserError as error:
            print(f"FAIL  {name}: {error}")
            status = error.status
    sys.stdout.flush()
    return status


def broker(mqtt: MqttSettings, filters: Sequence[str]) -> str:
    """Connect, log in and subscribe as a run would. Raises UserError where that is refused or nobody answers."""
    host = bare(mqtt.host)
    at, problem = address(host, mqtt.port), probe(host, mqtt.port)
    if problem is None:
        asyncio.run(_connect(mqtt, Broker(host, mqtt.port, EXTERNAL), filters))
        return f"{at} lets us in"
    if mqtt.embedded and is_loopback(host) and not mqtt.tls:
        return f"nobody answers at {at}: one would be started in the program"
    with ensure(mqtt):  # which says why not
        return at


async def _connect(mqtt: MqttSettings, at: Broker, filters: Sequence[str]) -> None:
    tls = encryption(mqtt)
    try:
        async with asyncio.timeout(SECONDS):
            async with Line(mqtt, at, f"check-{secrets.token_hex(3)}", None, tls, None) as line:
                if filters:
                    await line.subscribe(filters)
    except (LineError, TimeoutError) as error:
        raise UserError(f"no connection to the broker {at}: {error or 'it does not answer'}; check [mqtt]") from None
