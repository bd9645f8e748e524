"""Which broker is used, and that the embedded one is a real one."""

from __future__ import annotations

import asyncio
import socket

import aiomqtt
import pytest

from ecg import settings
from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire import broker
from tests.support.brokers import Mosquitto, free_port, has_ipv6


def test_a_broker_that_answers_is_used(mosquitto: Mosquitto) -> None:
    with broker.ensure(MqttSettings(port=mosquitto.port)) as found:
        assert found.kind == "external"


async def test_the_embedded_broker_carries_messages_and_keeps_retained_ones() -> None:
    port = free_port()
    with broker.ensure(MqttSettings(port=port)) as found:
        assert str(found) == f"127.0.0.1:{port} (embedded amqtt)"
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.publish("a/b", b"kept", qos=1, retain=True)
            await client.subscribe("a/#", qos=1)
            message = await asyncio.wait_for(anext(client.messages), 5)
            assert (message.payload, message.retain) == (b"kept", True)
    assert broker.probe("127.0.0.1", port) is not None


async def test_a_subscriber_of_the_embedded_broker_hears_the_retained_messages_of_its_own_topics_alone() -> None:
    port = free_port()

    async def heard(*topics: str) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        async with aiomqtt.Client("127.0.0.1", port) as client:
            for topic in topics:
                await client.subscribe(topic, qos=1)
            await client.publish("end", b"", qos=1)
            async for message in client.messages:
                if str(message.topic) == "end":
                    return found
                assert isinstance(message.payload, bytes)
                found.append((str(message.topic), message.payload))
        return found

    with broker.ensure(MqttSettings(port=port)):
        async with aiomqtt.Client("127.0.0.1", port) as client:
            for bed in ("a", "b"):
                await client.publish(f"ward/{bed}/status", bed.encode(), qos=1, retain=True)
        everything = [("ward/a/status", b"a"), ("ward/b/status", b"b")]
        assert sorted(await heard("ward/+/status", "end")) == everything
        assert await heard("end") == []
        assert await heard("ward/b/status", "end") == everything[1:]


def test_it_listens_on_the_loopback_only() -> None:
    port = free_port()
    outside = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)} - {
        "127.0.0.1"
    }
    with broker.ensure(MqttSettings(port=port)):
        for address in outside:
            if not address.startswith("127."):
                assert broker.probe(str(address), port) is not None


@pytest.mark.parametrize(("host", "embedded"), [("127.0.0.1", False), ("192.0.2.1.invalid", True)])
def test_where_none_answers_and_none_may_be_started_the_user_is_told(host: str, embedded: bool) -> None:
    with (
        pytest.raises(UserError, match=f"no MQTT broker answers at {host}"),
        broker.ensure(MqttSettings(host=host, port=free_port(), embedded=embedded)),
    ):
        pass


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ward.example", ("ward.example", 1883)),
        ("ward.example:8883", ("ward.example", 8883)),
        ("[::1]:1884", ("::1", 1884)),
        ("[::1]", ("::1", 1883)),
        ("::1", ("::1", 1883)),
        ("2001:db8::1", ("2001:db8::1", 1883)),
    ],
)
def test_a_broker_is_read_as_it_is_typed(typed: str, expected: tuple[str, int]) -> None:
    assert settings.host_and_port(typed) == expected


@pytest.mark.parametrize(
    "typed", ["", ":", ":1883", "a:", "a:b", "a:0", "a:65536", "a:²", "a:" + "9" * 5000, "[]:1", "[::1]:", "a b:1"]
)
def test_a_broker_that_cannot_be_one_is_one_sentence(typed: str) -> None:
    with pytest.raises(UserError, match="cannot be used: give host:port"):
        settings.host_and_port(typed)


@pytest.mark.parametrize("host", ["a..b", "a\0b", "ä" * 80, "nowhere.invalid"])
def test_a_name_that_no_host_can_have_is_no_broker(host: str) -> None:
    assert broker.probe(host, 1883) is not None


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_loopback_is_one_too(host: str) -> None:
    port = free_port()
    with broker.ensure(MqttSettings(host=host, port=port)) as found:
        assert str(found) == f"[::1]:{port} (embedded amqtt)"
        assert broker.probe(host, port) is None
        with broker.ensure(MqttSettings(host=host, port=port)) as again:
            assert again == broker.Broker("::1", port, "external")
