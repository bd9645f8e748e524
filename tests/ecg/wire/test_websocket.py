"""MQTT over WebSocket, against a real broker that speaks it (amqtt)."""

from __future__ import annotations

import msgspec
import pytest
from amqtt.broker import Broker as Amqtt

from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire import broker
from ecg.wire.broker import Broker, _Embedded
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from tests.support.authority import Authority
from tests.support.brokers import free_port, until


async def test_messages_go_both_ways_through_a_websocket() -> None:
    port = free_port()
    listener = {"type": "ws", "bind": f"127.0.0.1:{port}", "max_connections": 0}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    serving = Amqtt({"listeners": {"default": listener}, "plugins": plugins})
    await serving.start()
    heard: list[tuple[str, bytes]] = []
    session = Session(
        MqttSettings(transport="websockets"),
        Broker("127.0.0.1", port, "external"),
        "x",
        lambda: Outgoing("w", b"", False),
        filters=("a/#",),
        arrived=lambda topic, payload, _retained: heard.append((topic, payload)),
    )
    try:
        await session.open()
        session.publish([Outgoing("a/one", b"1", False)])
        await session.flush(20)
        assert await session.hand([Outgoing("a/two", b"2" * 100_000, False)])
        await until(lambda: len(heard) == 2)
        assert sorted(heard) == [("a/one", b"1"), ("a/two", b"2" * 100_000)]
        await session.close()
    finally:
        await serving.shutdown()


def test_none_is_started_by_itself_that_would_not_be_understood() -> None:
    settings = MqttSettings(port=free_port(), transport="websockets")
    with pytest.raises(UserError, match="one that is started by itself knows no websockets"), broker.ensure(settings):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.org"])
def test_the_embedded_broker_listens_nowhere_but_on_the_loopback(host: str) -> None:
    with pytest.raises(UserError, match="it is for the loopback alone"):
        _Embedded(host, free_port())


async def test_a_websocket_is_encrypted_and_its_broker_checked(authority: Authority) -> None:
    port = free_port()
    certificate, key = authority.sign("broker", "127.0.0.1")
    listener = {"type": "ws", "bind": f"127.0.0.1:{port}", "max_connections": 0, "ssl": True}
    listener |= {"certfile": str(certificate), "keyfile": str(key)}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    serving = Amqtt({"listeners": {"default": listener}, "plugins": plugins})
    await serving.start()
    mqtt = MqttSettings(transport="websockets", tls=True, ca_file=str(authority.file))
    session = Session(mqtt, Broker("127.0.0.1", port, "external"), "x", lambda: Outgoing("w", b"", False))
    try:
        await session.open()
        session.publish([Outgoing("a", b"1" * 100_000, False)])
        await session.flush(20)
        assert session.outbox.confirmed == 1
        await session.close()
        other = Session(
            msgspec.structs.replace(mqtt, ca_file=""), Broker("127.0.0.1", port, "external"), "y", lambda: None
        )
        with pytest.raises(UserError, match="certificate verify failed"):
            await other.open()
    finally:
        await serving.shutdown()
