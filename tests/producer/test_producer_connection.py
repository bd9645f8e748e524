"""The producer's connections: what is said of the beds, at the start, at the end, and after a death."""

from __future__ import annotations

import asyncio
import time

import aiomqtt
import msgspec
import pytest

from ecg.records import library
from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.messages import BedStatus, ProducerStatus, Wave, decode
from producer.connection import Connection, connections
from producer.faults import Faults
from producer.sources.records import Bed, make_beds
from tests.support.brokers import Mosquitto, until


@pytest.fixture
def beds() -> list[Bed]:
    return make_beds([library.read("excerpt")], 3, "all", 1.0, "r", loop=False, truth=True)


async def standing(found: Broker) -> dict[str, bytes]:
    """Retained messages by topic."""
    got = {}
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe([("ecg/v1/#", 1), ("end", 1)])
        await client.publish("end", b"", 1)
        async for message in client.messages:
            if message.topic.value == "end":
                break
            if message.payload:
                got[message.topic.value] = bytes(message.payload)
    return got


async def test_a_shared_connection_s_own_status_is_gone_after_an_orderly_end(
    any_broker: Broker, beds: list[Bed]
) -> None:
    (shared,) = connections(MqttSettings(), any_broker, beds, 1.0, "r", alone=2, shared=10)
    await shared.open()
    await until(lambda: not len(shared._session.outbox))
    status = "ecg/v1/_producer/producer-r-0/status"
    assert decode((await standing(any_broker))[status], ProducerStatus).beds == [bed.name for bed in beds]
    await shared.waves([(beds[0], Faults())], time.time_ns(), 1)
    await shared.close()
    left = await standing(any_broker)
    assert status not in left
    assert {topic: decode(payload, BedStatus).published for topic, payload in left.items()} == {
        "ecg/v1/208-excerpt-1/status": 360,
        "ecg/v1/208-excerpt-2/status": 0,
        "ecg/v1/208-excerpt-3/status": 0,
    }


async def test_who_listens_hears_that_the_beds_are_offline_before_the_status_goes(
    mosquitto: Mosquitto, beds: list[Bed]
) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    shared = Connection(MqttSettings(), found, beds, 1.0, "p")
    await shared.open()
    said: list[bytes] = []
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe("ecg/v1/_producer/+/status", 1)
        await shared.close()
        async with asyncio.timeout(10):
            async for message in client.messages:
                said.append(bytes(message.payload))
                if not message.payload:
                    break
    assert [decode(payload, ProducerStatus).state for payload in said[:-1]] == ["online", "offline"]


async def test_a_shared_connection_that_breaks_leaves_a_will_that_names_its_beds(
    mosquitto: Mosquitto, beds: list[Bed]
) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    shared = Connection(MqttSettings(), found, beds, 1.0, "p")
    will = shared._will()
    assert will.retain and decode(will.payload, ProducerStatus) == ProducerStatus(
        1, "offline", [bed.name for bed in beds]
    )
    alone = Connection(MqttSettings(), found, beds[:1], 1.0, "q")
    assert decode(alone._will().payload, BedStatus).state == "offline"
    assert alone._will().topic == "ecg/v1/208-excerpt-1/status"


async def test_what_the_broker_was_not_there_for_is_sent_late_and_in_order(
    mosquitto: Mosquitto, beds: list[Bed]
) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    (alone,) = connections(MqttSettings(), found, beds[:1], 1.0, "r", alone=2, shared=10)
    await alone.open()
    await alone.waves([(beds[0], Faults())], time.time_ns(), 0)
    mosquitto.stop()
    await until(lambda: alone.problem != "")
    for qos in (0, 1):
        await asyncio.wait_for(alone.waves([(beds[0], Faults())], time.time_ns(), qos), 5)
    mosquitto.start()
    await until(lambda: alone.problem == "")
    listening: list[int] = []
    stamped: list[bool] = []
    async with aiomqtt.Client(found.host, found.port) as client:  # one that is back later than the producer
        await client.subscribe("ecg/v1/+/wave", 1)
        await asyncio.wait_for(alone.ready(asyncio.Event()), 20)
        await alone.waves([(beds[0], Faults())], time.time_ns(), 1)
        async with asyncio.timeout(20):
            async for message in client.messages:
                wave = decode(bytes(message.payload), Wave)
                listening.append(wave.index)
                stamped.append(wave.sent_ns > 0)
                if listening[-1] == 3 * 360:
                    break
    assert listening == [0, 360, 720, 1080]  # the first was sent shortly before the end, and maybe lost
    assert stamped == [False, False, False, True]  # how long they were kept is no latency of the monitor's
    assert alone.dropped == 0
    left = await standing(found)
    status = decode(left["ecg/v1/208-excerpt-1/status"], BedStatus)
    assert (status.state, status.published) == ("online", None)
    await alone.close()
    final = decode((await standing(found))["ecg/v1/208-excerpt-1/status"], BedStatus)
    assert final == msgspec.structs.replace(status, state="offline", published=4 * 360)


async def test_a_live_signal_waits_for_nobody(mosquitto: Mosquitto, beds: list[Bed]) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    beds[0].truth = False
    (alone,) = connections(MqttSettings(), found, beds[:1], 1.0, "r", alone=2, shared=10, keep_seconds=2.0)
    await alone.open()
    mosquitto.stop()
    await until(lambda: alone.problem != "")
    for _ in range(5):
        await asyncio.wait_for(alone.waves([(beds[0], Faults())], time.time_ns(), 0), 5)
    assert alone.dropped == 3
    await asyncio.wait_for(alone.close(), 5)
    assert alone.dropped >= 5


async def test_what_is_due_together_goes_out_together_each_bed_once(mosquitto: Mosquitto, beds: list[Bed]) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    shared = Connection(MqttSettings(), found, beds, 1.0, "p")
    await shared.open()
    came: list[tuple[str, int]] = []
    due = [(bed, Faults()) for bed in beds]
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe([("ecg/v1/+/wave", 1), ("ecg/v1/+/truth", 1)])
        for _ in range(3):
            await shared.waves(due, time.time_ns(), 0)
        async with asyncio.timeout(10):
            async for message in client.messages:
                if message.topic.value.endswith("wave"):
                    wave = decode(bytes(message.payload), Wave)
                    came.append((message.topic.value.split("/")[2], wave.index))
                    if len(came) == 9:
                        break
    await shared.close()
    assert came == [(bed.name, index) for index in (0, 360, 720) for bed in beds]


async def test_every_lap_is_announced_before_its_first_samples(mosquitto: Mosquitto) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    (bed,) = make_beds([library.read("excerpt")], 1, "all", 200.0, "r", loop=True, truth=False)
    link = Connection(MqttSettings(), found, [bed], "max", "p")
    await link.open()
    came: list[tuple[str, str]] = []
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe("ecg/v1/208-excerpt/+", 1)
        for _ in range(3):
            await link.waves([(bed, Faults())], time.time_ns(), 1)
        async with asyncio.timeout(10):
            async for message in client.messages:
                kind = message.topic.value.rpartition("/")[2]
                payload = bytes(message.payload)
                stream = decode(payload, Wave).stream if kind == "wave" else decode(payload, BedStatus).stream
                came.append((kind, stream))
                if came[-1] == ("wave", "208-excerpt-r-1"):
                    break
    await link.close()
    assert came[-2:] == [("status", "208-excerpt-r-1"), ("wave", "208-excerpt-r-1")]
