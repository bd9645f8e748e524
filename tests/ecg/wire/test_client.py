"""What ecg.wire.client uses of aiomqtt and paho-mqtt, private parts included: a release that lacks it fails here."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
from collections import deque
from collections.abc import Callable
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.client import Line
from ecg.wire.flow import Received
from ecg.wire.outbox import Outgoing
from ecg.wire.packets import Arrival
from ecg.wire.writing import LineError
from tests.support.brokers import Mosquitto, until

ROOT = Path(__file__).parents[3]
WILL = Outgoing("will", b"", True)


async def test_aiomqtt_still_keeps_its_paho_client_where_we_look_for_it() -> None:
    client = aiomqtt.Client("127.0.0.1")
    assert isinstance(client._client, paho.Client), "aiomqtt.Client has no paho client in _client any more"


async def test_aiomqtt_still_takes_every_option_we_give_it() -> None:
    options = set(inspect.signature(aiomqtt.Client).parameters)
    needed = {"username", "password", "identifier", "will", "keepalive", "timeout"}
    assert needed | {"tls_context", "socket_options", "logger"} <= options
    assert issubclass(aiomqtt.MqttCodeError, aiomqtt.MqttError)


def test_paho_still_reads_and_writes_through_what_we_take_over() -> None:
    made = paho.Client(CallbackAPIVersion.VERSION2)
    assert made._mid_generate() == 1 and made._last_bytes_received >= 0
    made._packet_queue(0, b"x", 0, 0)
    assert isinstance(made._out_packet, deque) and made.want_write()
    assert set(made._out_packet[0]) == {"command", "mid", "qos", "pos", "to_process", "packet", "info"}
    for name in ("on_socket_register_write", "on_socket_unregister_write"):
        assert isinstance(inspect.getattr_static(paho.Client, name), property), f"paho.Client.{name} is gone"
    assert "self._sock_recv(" in inspect.getsource(paho.Client._packet_read)
    assert "self._last_bytes_received" in inspect.getsource(paho.Client._check_keepalive)


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


def line_to(
    found: Broker, received: Received | None = None, confirmed: Callable[[list[int]], None] = lambda _numbers: None
) -> Line:
    return Line(MqttSettings(port=found.port), found, "one", WILL, None, received, confirmed)


def message(topic: str, payload: bytes = b"x") -> Outgoing:
    return Outgoing(topic, payload, False)


async def test_a_line_sends_both_qualities_of_service_and_receives(any_broker: Broker) -> None:
    confirmed: list[int] = []
    arrived: list[Arrival] = []
    async with line_to(any_broker, arrived.extend, confirmed.extend) as line:
        await line.subscribe(["a/+", "b"])
        assert line.flow.publish([message("a/0")], 0) == []
        numbers = line.flow.publish([message("a/1"), message("b", b"")], 1)
        assert len(numbers) == 2
        await until(lambda: len(confirmed) == 2 and len(arrived) == 3)
    assert sorted(confirmed) == sorted(numbers)
    assert sorted((one.topic, one.payload, one.retained) for one in arrived) == [
        ("a/0", b"x", False),
        ("a/1", b"x", False),
        ("b", b"", False),
    ]


async def test_messages_larger_than_any_buffer_come_whole_and_in_order(mosquitto: Mosquitto) -> None:
    arrived: list[Arrival] = []
    found = Broker("127.0.0.1", mosquitto.port, "external")
    sizes = [1, 3_000_000, 130, 127, 0, 1_000_000, 70_000]
    async with line_to(found, arrived.extend) as line:
        await line.subscribe(["a"])
        line.flow.publish([message("a", bytes([number]) * size) for number, size in enumerate(sizes)], 1)
        await until(lambda: len(arrived) == len(sizes))
    assert [(len(one.payload), one.payload[:1]) for one in arrived] == [
        (size, bytes([number]) if size else b"") for number, size in enumerate(sizes)
    ]


async def test_a_line_that_says_nothing_stays_alive(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecg.wire.client.KEEPALIVE_SECONDS", 1)
    async with line_to(Broker("127.0.0.1", mosquitto.port, "external")) as line:
        ended = asyncio.create_task(line.end())
        await asyncio.wait({ended}, timeout=2.6)  # a broker waits for one and a half times that long
        assert not ended.done()
        ended.cancel()


async def test_the_end_of_a_line_is_noticed(mosquitto: Mosquitto) -> None:
    async with line_to(Broker("127.0.0.1", mosquitto.port, "external")) as line:
        mosquitto.stop()
        with pytest.raises(LineError):
            await asyncio.wait_for(line.end(), 30)
        with pytest.raises(LineError):
            line.flow.publish([WILL], 1)


@pytest.mark.parametrize("said", [b"\x30\xff\xff\xff\xff\x7f", b"\x32\x03\x00\x09a", b"\x36\x05\x00\x01a\x00\x01"])
async def test_a_broker_that_speaks_no_mqtt_any_more_is_left(said: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x20\x02\x00\x00" + said)
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LineError):
            async with line_to(Broker("127.0.0.1", port, "external")) as line:
                await asyncio.wait_for(line.end(), 10)


async def test_who_breaks_over_a_message_ends_the_line_and_not_the_loop(mosquitto: Mosquitto) -> None:
    def break_down(_arrivals: list[Arrival]) -> None:
        raise KeyError("what")

    async with line_to(Broker("127.0.0.1", mosquitto.port, "external"), break_down) as line:
        await line.subscribe(["a"])
        line.flow.publish([message("a")], 0)
        with pytest.raises(KeyError, match="what"):
            await asyncio.wait_for(line.end(), 10)


async def test_a_broker_that_hangs_up_before_it_answers_is_not_waited_for() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LineError, match="hangs up"):  # or else the library's time is over
            await line_to(Broker("127.0.0.1", port, "external")).__aenter__()


async def test_where_nobody_answers_there_is_no_line(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    with pytest.raises(LineError):
        await line_to(Broker("127.0.0.1", mosquitto.port, "external")).__aenter__()


async def test_a_message_leaves_no_reference_cycle(mosquitto: Mosquitto) -> None:
    confirmed: list[int] = []
    arrived: list[Arrival] = []
    async with line_to(Broker("127.0.0.1", mosquitto.port, "external"), arrived.extend, confirmed.extend) as line:
        await line.subscribe(["a"])

        async def exchange(count: int) -> None:
            arrived.clear()
            confirmed.clear()
            for _ in range(count):
                line.flow.publish([message("a", b"x" * 100)], 1)
            await until(lambda: len(arrived) == count and len(confirmed) == count)

        await exchange(50)
        gc.collect()
        gc.disable()
        try:
            await exchange(500)
            assert gc.collect() < 500
        finally:
            gc.enable()
