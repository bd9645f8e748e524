"""The monitor's connection: what comes in is kept in bulk, what goes out is in order, and nothing is left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from ecg.settings import MqttSettings
from ecg.wire import broker
from ecg.wire.broker import Broker
from monitor.service.connection import Connection, Outgoing
from tests.support.brokers import Mosquitto, has_ipv6, until

STATUS = "ecg/v1/_monitor/abc/status"


async def heard(found: Broker, topic: str) -> list[tuple[bytes, bool]]:
    """(payload, retained) of what stands on a topic."""
    got = []
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe([(topic, 1), ("end", 1)])
        await client.publish("end", b"", 1)
        async for message in client.messages:
            if message.topic.value == "end":
                break
            got.append((bytes(message.payload), bool(message.retain)))
    return got


async def test_a_monitor_that_has_ended_leaves_no_status_behind(any_broker: Broker) -> None:
    monitor = Connection(MqttSettings(), any_broker, "abc")
    await monitor.open()
    monitor.publish([Outgoing(STATUS, b"online", True)])
    await monitor.flush()
    assert await heard(any_broker, STATUS) == [(b"online", True)]
    async with aiomqtt.Client(any_broker.host, any_broker.port) as client:
        await client.subscribe(STATUS, 1)
        monitor.publish([Outgoing(STATUS, b"offline", False)])
        await monitor.close()
        said = [b"nothing yet"]
        while said[-1]:
            said.append(bytes((await asyncio.wait_for(anext(client.messages), 10)).payload))
    assert list(dict.fromkeys(said[1:])) == [b"online", b"offline", b""]  # amqtt gives a newcomer the first one twice
    assert not [payload for payload, _ in await heard(any_broker, STATUS) if payload]


async def test_what_is_published_while_the_broker_is_away_goes_out_in_order_afterwards(mosquitto: Mosquitto) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    told: list[int] = []
    monitor = Connection(MqttSettings(), found, "abc", told.extend)
    await monitor.open()
    mosquitto.stop()
    await until(lambda: not monitor.connected)
    for number in range(200):
        monitor.publish([Outgoing("ecg/v1/b/alarm", str(number).encode(), True, number + 1)])
    await monitor.flush()
    assert told == [] and "does not answer, trying again" in monitor.problem
    mosquitto.start()
    await until(lambda: monitor.connected)
    await monitor.flush()
    assert told == list(range(1, 201)) and monitor.published == 200
    assert await heard(found, "ecg/v1/b/alarm") == [(b"199", True)]
    assert (monitor.problem, monitor.dropped) == ("", 0)
    assert monitor.reconnects >= 1
    await monitor.close()


async def test_a_broker_that_has_forgotten_is_told_again_what_it_is_to_keep(mosquitto: Mosquitto) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    monitor = Connection(MqttSettings(), found, "abc")
    await monitor.open()
    monitor.publish([Outgoing("ecg/v1/b/alarm", b"old", True), Outgoing("ecg/v1/b/alarm", b"active", True)])
    monitor.publish([Outgoing("ecg/v1/gone/alarm", b"x", True), Outgoing("ecg/v1/gone/alarm", b"", True)])
    await monitor.flush()
    mosquitto.stop()
    await until(lambda: not monitor.connected)
    monitor.publish([Outgoing("ecg/v1/c/alarm", b"new", True)])
    mosquitto.start()
    await until(lambda: monitor.connected)
    await monitor.flush()
    assert sorted(await heard(found, "ecg/v1/+/alarm")) == [(b"active", True), (b"new", True)]
    assert monitor.published == 6
    await monitor.close()


async def test_every_kind_of_a_producer_s_message_arrives_again_after_a_restart(mosquitto: Mosquitto) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    monitor = Connection(MqttSettings(), found, "abc")
    await monitor.open()
    mosquitto.stop()
    await until(lambda: not monitor.connected)
    mosquitto.start()
    await until(lambda: monitor.connected)
    topics = [f"ecg/v1/b/{kind}" for kind in ("wave", "truth", "status")] + ["ecg/v1/_producer/p/status"]
    async with aiomqtt.Client(found.host, found.port) as client:
        for topic in [*topics, "ecg/v1/b/beat", "other/b/wave"]:
            await client.publish(topic, b"x", 1)
    await until(lambda: len(monitor.inbox) >= 4)
    assert [arrival.topic for arrival in monitor.inbox.take(10)] == topics
    await monitor.close()


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize("host", ["[::1]", "::1"])
async def test_a_broker_that_listens_at_an_ipv6_address_is_one_like_others(tmp_path: Path, host: str) -> None:
    running = Mosquitto(tmp_path, host="::1")
    try:
        with broker.ensure(MqttSettings(host=host, port=running.port)) as found:
            assert str(found) == f"[::1]:{running.port} (external)"
            monitor = Connection(MqttSettings(), found, "abc")
            await monitor.open()
            monitor.publish([Outgoing("ecg/v1/b/status", b"x", False)])
            await until(lambda: len(monitor.inbox) == 1)
            await monitor.close()
    finally:
        running.stop()
