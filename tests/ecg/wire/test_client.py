"""What ecg.wire.client uses of aiomqtt and paho-mqtt, private parts included: a release that lacks it fails here."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.matcher import MQTTMatcher

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.client import Line, LineError
from ecg.wire.outbox import Outgoing
from tests.support.brokers import Mosquitto, until

ROOT = Path(__file__).parents[3]
WILL = Outgoing("will", b"", True)


async def test_aiomqtt_still_keeps_its_paho_client_where_we_look_for_it() -> None:
    client = aiomqtt.Client("127.0.0.1")
    assert isinstance(client._client, paho.Client), "aiomqtt.Client has no paho client in _client any more"


async def test_aiomqtt_still_takes_every_option_we_give_it() -> None:
    options = set(inspect.signature(aiomqtt.Client).parameters)
    needed = {"username", "password", "identifier", "will", "keepalive", "timeout", "max_inflight_messages"}
    assert needed | {"tls_context", "socket_options", "logger"} <= options
    assert issubclass(aiomqtt.MqttCodeError, aiomqtt.MqttError)


def test_paho_still_has_the_callbacks_and_the_filter_table_we_replace() -> None:
    made = paho.Client(CallbackAPIVersion.VERSION2)
    assert isinstance(made._on_message_filtered, MQTTMatcher), "paho looks for topic filters somewhere else now"
    for name in ("on_message", "on_publish"):
        assert isinstance(inspect.getattr_static(paho.Client, name), property), f"paho.Client.{name} is gone"
    assert list(inspect.signature(paho.Client.publish).parameters)[1:5] == ["topic", "payload", "qos", "retain"]


def test_paho_asks_the_filter_table_once_per_message_and_no_other_way() -> None:
    source = inspect.getsource(paho.Client._handle_on_message)
    assert "_on_message_filtered.iter_match(" in source, (
        "paho finds callbacks in another way: is _NoFilters still used?"
    )


def test_no_other_module_imports_the_client() -> None:
    found = []
    for folder in ("ecg", "producer", "monitor", "trainer"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(name.split(".")[0] in ("aiomqtt", "paho") for name in names):
                    found.append(path.relative_to(ROOT).as_posix())
    assert set(found) == {"ecg/wire/client.py"}


async def test_a_line_confirms_both_qualities_of_service_and_receives(any_broker: Broker) -> None:
    confirmed: list[int] = []
    arrived: list[tuple[str, bytes, bool]] = []
    line = Line(
        MqttSettings(port=any_broker.port),
        any_broker,
        "one",
        WILL,
        None,
        lambda *got: arrived.append(got),
        confirmed.append,
    )
    async with line:
        await line.subscribe(["a/+", "b"])
        numbers = [line.publish(Outgoing(f"a/{qos}", b"x", False), qos) for qos in (0, 1)]
        numbers.append(line.publish(Outgoing("b", b"", False), 1))
        await until(lambda: len(confirmed) == 3 and len(arrived) == 3)
    assert sorted(confirmed) == sorted(numbers)
    assert sorted(arrived) == [("a/0", b"x", False), ("a/1", b"x", False), ("b", b"", False)]


async def test_the_end_of_a_line_is_noticed(mosquitto: Mosquitto) -> None:
    line = Line(
        MqttSettings(), Broker("127.0.0.1", mosquitto.port, "external"), "one", WILL, None, None, lambda _number: None
    )
    async with line:
        mosquitto.stop()
        with pytest.raises(LineError):
            await asyncio.wait_for(line.end(), 30)
        with pytest.raises(LineError):
            line.publish(WILL, 1)


async def test_where_nobody_answers_there_is_no_line(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    line = Line(
        MqttSettings(), Broker("127.0.0.1", mosquitto.port, "external"), "one", WILL, None, None, lambda _number: None
    )
    with pytest.raises(LineError):
        await line.__aenter__()


async def test_a_message_leaves_no_reference_cycle(mosquitto: Mosquitto) -> None:
    confirmed: list[int] = []
    arrived: list[str] = []
    found = Broker("127.0.0.1", mosquitto.port, "external")
    line = Line(MqttSettings(), found, "one", WILL, None, lambda topic, *_: arrived.append(topic), confirmed.append)
    async with line:
        await line.subscribe(["a"])

        async def exchange(count: int) -> None:
            arrived.clear()
            confirmed.clear()
            for _ in range(count):
                line.publish(Outgoing("a", b"x" * 100, False), 1)
            await until(lambda: len(arrived) == count and len(confirmed) == count)

        await exchange(50)
        gc.collect()
        gc.disable()
        try:
            await exchange(500)
            assert gc.collect() < 500
        finally:
            gc.enable()
