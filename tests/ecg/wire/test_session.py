"""The session against real brokers: order, last will, login, subscriptions, and coming back."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from ecg.settings import MqttSettings
from ecg.wire import broker, session
from ecg.wire.broker import Broker
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from tests.support.brokers import Mosquitto, free_port, until

WILL = Outgoing("w/status", b"gone", True)


def beats(*names: object, topic: str = "w/beat", retain: bool = False) -> list[Outgoing]:
    return [Outgoing(topic, str(name).encode(), retain) for name in names]


def at(mosquitto: Mosquitto) -> Broker:
    return Broker("127.0.0.1", mosquitto.port, "external")


@asynccontextmanager
async def opened(made: Session) -> AsyncIterator[Session]:
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def retained(found: Broker, topic: str) -> bytes | None:
    """The retained message of a topic as a newcomer gets it; None for none."""
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe([(topic, 1), ("end", 1)])
        await client.publish("end", b"", 1)
        async for message in client.messages:
            if message.topic.value == topic and message.retain:
                return bytes(message.payload)
            if message.topic.value == "end":
                return None
    raise AssertionError("the broker is gone")


def send(mosquitto: Mosquitto, number: signal.Signals) -> None:
    assert mosquitto._process is not None
    mosquitto._process.send_signal(number)


class Heard:
    """A session that only listens, and comes back by itself."""

    def __init__(self, found: Broker) -> None:
        self.said: list[str] = []
        self.session = Session(
            MqttSettings(),
            found,
            "listener",
            lambda: Outgoing("w/listener", b"", False),
            filters=("w/beat",),
            arrived=lambda _topic, payload, _retained: self.said.append(payload.decode()),
        )


async def test_what_was_in_flight_when_the_broker_died_comes_first_and_in_order(mosquitto: Mosquitto) -> None:
    found = at(mosquitto)
    async with opened(Session(MqttSettings(), found, "one", lambda: WILL)) as one:
        one.publish(beats(0))
        await one.flush()
        send(mosquitto, signal.SIGSTOP)
        one.publish(beats(1, 2, 3, 4, 5))
        await asyncio.sleep(0.2)
        assert one.outbox.in_flight == 5
        send(mosquitto, signal.SIGKILL)
        await until(lambda: not one.connected)
        one.publish(beats(6, 7))
        heard = Heard(found)
        mosquitto.start()
        async with opened(heard.session):
            await until(lambda: one.connected)
            await one.flush()
            await until(lambda: len(heard.said) >= 7 or heard.said[-1:] == ["7"])
    assert heard.said == list("1234567")
    assert (one.reconnects, one.outbox.dropped, one.outbox.confirmed) == (1, 0, 8)


async def test_a_retained_topic_ends_with_the_newest_message_when_the_broker_died_in_between(
    mosquitto: Mosquitto,
) -> None:
    found = at(mosquitto)
    async with opened(Session(MqttSettings(), found, "one", lambda: WILL)) as one:
        send(mosquitto, signal.SIGSTOP)
        one.publish(beats(*range(1, 31), topic="w/alarm", retain=True))
        await asyncio.sleep(0.2)
        assert one.outbox.in_flight == 30
        send(mosquitto, signal.SIGKILL)
        await until(lambda: not one.connected)
        mosquitto.start()
        await until(lambda: one.connected)
        await one.flush()
        assert await retained(found, "w/alarm") == b"30"


async def test_order_is_kept_over_restarts_in_the_middle_of_a_stream(mosquitto: Mosquitto) -> None:
    found = at(mosquitto)
    heard = Heard(found)
    async with opened(heard.session), opened(Session(MqttSettings(), found, "one", lambda: WILL)) as one:
        for number in range(3000):
            one.publish(beats(number))
            if number in (1000, 2000):
                mosquitto.stop()
                await until(lambda: not one.connected)
                mosquitto.start()
            if number == 1500:
                await until(lambda: one.connected)
            if number % 20 == 0:
                await asyncio.sleep(0)
        await until(lambda: one.connected and heard.session.connected)
        await one.flush(60)
        one.publish(beats(3000))  # what came while the listener was still away it never heard
        await until(lambda: heard.said[-1:] == ["3000"])
    numbers = [int(said) for said in heard.said]
    first = list(dict.fromkeys(numbers))
    assert first == sorted(first), "a message overtook another"
    assert one.outbox.confirmed == 3001 and one.reconnects == 2


async def test_an_embedded_broker_s_restart_keeps_the_order_too() -> None:
    port = free_port()
    said: list[str] = []
    with broker.ensure(MqttSettings(port=port)) as found:
        one = Session(
            MqttSettings(),
            found,
            "one",
            lambda: WILL,
            filters=("w/beat",),
            arrived=lambda _topic, payload, _retained: said.append(payload.decode()),
        )
        await one.open()
        one.publish(beats(*range(100)))
        await one.flush()
        await until(lambda: len(said) == 100)
        await asyncio.sleep(0.3)  # amqtt may hang where it is stopped while it reads what confirms them
    await until(lambda: not one.connected)
    one.publish(beats(*range(100, 300)))
    assert len(one.outbox) == 200 and "trying again" in one.problem
    with broker.ensure(MqttSettings(port=port)):
        await until(lambda: one.connected)
        await one.flush()
        await until(lambda: said[-1:] == ["299"])
        await one.close()
    assert said == [str(number) for number in range(300)]
    assert one.problem == ""


async def test_a_session_that_dies_leaves_its_will_and_one_that_ends_does_not(any_broker: Broker) -> None:
    await_status = asyncio.create_task(first_payload(any_broker, "w/status"))
    await asyncio.sleep(0.3)
    orderly = Session(MqttSettings(), any_broker, "orderly", lambda: WILL._replace(payload=b"never"))
    await orderly.open()
    await orderly.close()
    dying = Session(MqttSettings(), any_broker, "dying", lambda: WILL)
    await dying.open()
    assert dying._line is not None
    connected = dying._line._paho.socket()
    assert connected is not None
    asyncio.get_running_loop().remove_reader(connected.fileno())
    assert isinstance(connected, socket.socket)
    connected.shutdown(socket.SHUT_RDWR)  # the broker sees the end of the connection without a goodbye
    assert await asyncio.wait_for(await_status, 20) == b"gone"
    await dying.close()


async def first_payload(found: Broker, topic: str) -> bytes:
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe(topic, 1)
        return bytes((await anext(client.messages)).payload)


async def test_an_empty_will_removes_a_retained_status(any_broker: Broker) -> None:
    online = Outgoing("w/status", b"online", True)
    dying = Session(MqttSettings(), any_broker, "dying", lambda: online._replace(payload=b""), births=lambda: [online])
    await dying.open()
    await dying.flush()
    assert await retained(any_broker, "w/status") == b"online"
    assert dying._task is not None and dying._line is not None
    connected = dying._line._paho.socket()
    assert connected is not None
    asyncio.get_running_loop().remove_reader(connected.fileno())
    assert isinstance(connected, socket.socket)
    connected.shutdown(socket.SHUT_RDWR)
    for _ in range(200):
        if not (left := await retained(any_broker, "w/status")):
            break
        await asyncio.sleep(0.05)
    assert not left
    await dying.close()


async def test_it_subscribes_again_and_says_its_births_again_after_a_restart(mosquitto: Mosquitto) -> None:
    found = at(mosquitto)
    got: list[tuple[str, bytes]] = []
    made = Session(
        MqttSettings(),
        found,
        "one",
        lambda: WILL,
        births=lambda: [Outgoing("w/status", b"online", True)],
        filters=("a/+", "b"),
        arrived=lambda topic, payload, _retained: got.append((topic, payload)),
    )
    async with opened(made) as one:
        one.publish([Outgoing("a/1", b"before", False)])
        await until(lambda: got == [("a/1", b"before")])
        mosquitto.stop()
        await until(lambda: not one.connected)
        mosquitto.start()
        await until(lambda: one.connected)
        one.publish([Outgoing("b", b"after", False)])
        await until(lambda: got[1:] == [("b", b"after")])
        assert await retained(found, "w/status") == b"online"


async def test_a_message_of_quality_0_is_for_now_or_for_nobody(mosquitto: Mosquitto) -> None:
    async with opened(Session(MqttSettings(), at(mosquitto), "one", lambda: WILL)) as one:
        assert await one.hand(beats("x", "y"))
        mosquitto.stop()
        await until(lambda: not one.connected)
        assert not await one.hand(beats("x"))
        assert len(one.outbox) == 0


async def test_an_outbox_that_is_full_drops_and_counts_and_the_session_goes_on(mosquitto: Mosquitto) -> None:
    found = at(mosquitto)
    async with opened(Session(MqttSettings(), found, "one", lambda: WILL, most=100)) as one:
        mosquitto.stop()
        await until(lambda: not one.connected)
        one.publish(beats("first", topic="w/alarm", retain=True))
        for number in range(1000):
            one.publish(beats(number))
        assert len(one.outbox) <= 100 and one.outbox.dropped == 1001 - len(one.outbox)
        mosquitto.start()
        await until(lambda: one.connected)
        await one.flush()
        assert await retained(found, "w/alarm") == b"first"


async def test_topics_that_are_no_topics_reach_the_receiver_and_break_nothing() -> None:
    """The embedded broker passes on what a stricter one refuses, wildcards in a topic's name among it."""
    got: list[str] = []
    with broker.ensure(MqttSettings(port=free_port())) as found:
        made = Session(
            MqttSettings(), found, "one", lambda: WILL, filters=("a/#",), arrived=lambda topic, *_: got.append(topic)
        )
        async with opened(made) as one:
            reader, writer = await asyncio.open_connection(found.host, found.port)
            writer.write(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04evil")
            await reader.readexactly(4)
            for topic in (b"a/\xff\xfe", b"a/+", b"a/#", b"a/\x1b[2J", b"a/good"):
                writer.write(bytes([0x30, len(topic) + 3]) + len(topic).to_bytes(2, "big") + topic + b"x")
                await writer.drain()
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.3)
            writer.close()
            one.publish([Outgoing("a/last", b"", False)])
            await until(lambda: "a/last" in got)
            assert one.reconnects == 0


@pytest.mark.parametrize(
    ("attempt", "whole"), [(0, 0.5), (1, 1.0), (2, 1.0), (60, 1.0), (61, 2.0), (62, 4.0), (63, 8.0), (64, 8.0)]
)
def test_waits_between_attempts_are_short_for_a_minute_then_double_and_differ(attempt: int, whole: float) -> None:
    waits = {session.retry_seconds(attempt) for _ in range(50)}
    assert len(waits) > 1
    assert all(whole / 2 <= wait <= whole for wait in waits)
    assert session.retry_seconds(10_000) <= session.LAST_RETRY_SECONDS


async def test_a_session_that_is_deaf_hears_nothing_and_still_publishes(mosquitto: Mosquitto) -> None:
    heard: list[str] = []
    will = Outgoing("w", b"", False)
    at = Broker("127.0.0.1", mosquitto.port, "external")
    deaf = Session(
        MqttSettings(), at, "deaf", lambda: will, filters=("a",), arrived=lambda topic, *_: heard.append(topic)
    )
    other = Session(
        MqttSettings(), at, "other", lambda: will, filters=("b",), arrived=lambda topic, *_: heard.append(topic)
    )
    await asyncio.gather(deaf.open(), other.open())
    other.publish([Outgoing("a", b"1", False)])
    await until(lambda: heard == ["a"])
    deaf.deafen()
    other.publish([Outgoing("a", b"2", False)])
    await other.flush()
    deaf.publish([Outgoing("b", b"", False)])
    await until(lambda: "b" in heard)
    assert heard == ["a", "b"]
    await asyncio.gather(deaf.close(), other.close())
