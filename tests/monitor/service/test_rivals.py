"""Another monitor is believed when it says itself that it lives, not because a broker remembers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, MonitorStatus, encode_json
from monitor.service import rivals

PERIOD = 0.5
TOPIC = "ecg/v1/_monitor/other/status"


def status(state: str) -> bytes:
    return encode_json(
        MonitorStatus(
            v=SCHEMA,
            state="online" if state == "online" else "offline",
            version="0.1.0",
            device="cpu",
            beds=4,
            beats_per_s=1.0,
            latency_p50_ms=None,
            latency_p99_ms=None,
            dropped=0,
        )
    )


@asynccontextmanager
async def saying(found: Broker, payloads: list[bytes], every_s: float = 0.0, topic: str = TOPIC) -> AsyncIterator[None]:
    """The broker keeps these, said one after the other; the last again and again where `every_s` is above 0."""
    async with aiomqtt.Client(found.host, found.port) as client:
        for payload in payloads:
            await client.publish(topic, payload, qos=1, retain=True)

        over = asyncio.Event()

        async def again() -> None:
            while not over.is_set():
                await asyncio.sleep(every_s)
                await client.publish(topic, payloads[-1], qos=1, retain=True)

        task = asyncio.create_task(again()) if every_s else None
        yield
        if task:  # asked to end: wait_for of Python 3.11, in the client, may swallow a cancellation
            over.set()
            await task
        await client.publish(topic, b"", qos=1, retain=True)


async def find(found: Broker) -> rivals.Rival | None:
    return await rivals.find(MqttSettings(host=found.host, port=found.port), found, PERIOD)


async def test_a_monitor_that_says_that_it_lives_is_found(any_broker: Broker) -> None:
    async with saying(any_broker, [status("online")], every_s=PERIOD):
        rival = await find(any_broker)
    assert rival is not None
    assert (rival.name, rival.status.beds) == ("other", 4)


@pytest.mark.parametrize(
    "payloads",
    [
        [status("online")],
        [status("online"), status("offline")],
        [status("online"), b""],
        [b"no status at all"],
        [b"[1, 2, 3]"],
    ],
    ids=["died-with-its-broker", "offline", "cleared", "junk", "another-form"],
)
async def test_what_a_broker_remembers_proves_nothing(any_broker: Broker, payloads: list[bytes]) -> None:
    async with saying(any_broker, payloads):
        assert await find(any_broker) is None


async def test_junk_that_is_said_again_and_again_proves_nothing_either(any_broker: Broker) -> None:
    async with saying(any_broker, [b"junk"], every_s=0.1):
        assert await find(any_broker) is None


async def test_monitors_of_another_root_are_none_of_ours(any_broker: Broker) -> None:
    async with saying(any_broker, [status("online")], every_s=0.1, topic="ward-b/_monitor/other/status"):
        assert await find(any_broker) is None


async def test_where_nobody_answers_there_is_no_rival() -> None:
    assert await find(Broker("127.0.0.1", 1, "external")) is None
