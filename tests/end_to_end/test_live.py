"""The real programs against real brokers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiomqtt
import psutil
import pytest

from ecg.records import library
from ecg.wire import broker
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, Wave, encode_wave
from tests.support.brokers import MOSQUITTO, Mosquitto, free_port
from tests.support.expected import expected_beats

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


class Programs:
    """Starts programs of the project and ends what is left of them."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """python -m ARGUMENTS."""
        made = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self.running.append(made)
        return made


@pytest.fixture
def programs() -> Iterator[Programs]:
    """The programs of one test."""
    made = Programs()
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def at(found: Broker) -> str:
    """The broker as typed."""
    return f"{found.host}:{found.port}"


def wait_for(found: Broker, topic: str, text: bytes = b"") -> None:
    """Until a message with that text has come on that topic."""

    async def listen() -> None:
        async with aiomqtt.Client(found.host, found.port) as client:
            await client.subscribe(topic, 1)
            async for message in client.messages:
                if text in bytes(message.payload):
                    return

    asyncio.run(asyncio.wait_for(listen(), 60))


def wait_for_monitor(found: Broker) -> None:
    """Until a monitor has announced itself, which it does once it has subscribed."""
    wait_for(found, "ecg/v1/_monitor/+/status", b'"online"')


def lines(text: str) -> list[dict[str, Any]]:
    """JSON, line by line."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_fast_replay_gives_the_same_beats_as_the_record_and_loses_nothing(
    any_broker: Broker, programs: Programs
) -> None:
    monitor = programs.start("monitor", "--headless", "--until-idle", "2", "--broker", at(any_broker))
    wait_for_monitor(any_broker)
    producer = programs.start("producer", "--records", "excerpt", "--speed", "60", "--broker", at(any_broker))
    assert producer.wait(60) == 0
    out, problems = monitor.communicate(timeout=60)
    assert (monitor.returncode, problems) == (0, "")
    *beats, last = lines(out)
    ledger = last["ledger"]
    assert [beat["index"] for beat in beats] == expected_beats()
    assert {beat["bed"] for beat in beats} == {"208-excerpt"}
    assert ledger["published"] == ledger["received"] == 108_000
    assert (ledger["lost"], ledger["repeated"], ledger["junk"], ledger["unfinished"]) == (0, 0, 0, 0)
    assert ledger["beats"] == len(beats)
    for beat in beats:
        assert sum(beat["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert beat["class"] == max(beat["probabilities"], key=beat["probabilities"].get)


def test_junk_is_counted_and_skipped_while_beds_go_on(mosquitto: Mosquitto, programs: Programs) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    monitor = programs.start("monitor", "--headless", "--until-idle", "2", "--broker", at(found))
    wait_for_monitor(found)
    record = library.read("excerpt")
    good = Wave(
        v=SCHEMA,
        stream="r-1-0",
        record="r",
        seq=0,
        index=0,
        rate=360.0,
        leads=["MLII"],
        gain=[200.0],
        baseline=[1024.0],
        sent_ns=time.time_ns(),
        samples=record.samples.tobytes(),
    )
    bad = [
        ("b1/wave", b"\x00junk"),
        (
            "b1/wave",
            encode_wave(
                Wave(
                    v=SCHEMA,
                    stream="r",
                    record="r",
                    seq=0,
                    index=0,
                    rate=50.0,
                    leads=["I"],
                    gain=[1.0],
                    baseline=[0.0],
                    sent_ns=0,
                    samples=b"ab",
                )
            ),
        ),
        (
            "b1/wave",
            encode_wave(
                Wave(
                    v=SCHEMA,
                    stream="r",
                    record="r",
                    seq=0,
                    index=0,
                    rate=360.0,
                    leads=["I"],
                    gain=[1e9],
                    baseline=[0.0],
                    sent_ns=0,
                    samples=b"ab",
                )
            ),
        ),
        (
            "b1/wave",
            encode_wave(
                Wave(
                    v=SCHEMA,
                    stream="r",
                    record="r",
                    seq=0,
                    index=0,
                    rate=360.0,
                    leads=["I"],
                    gain=[1.0],
                    baseline=[0.0],
                    sent_ns=0,
                    samples=b"abc",
                )
            ),
        ),
        (
            "b1/wave",
            encode_wave(
                Wave(
                    v=9,
                    stream="r",
                    record="r",
                    seq=0,
                    index=0,
                    rate=360.0,
                    leads=["I"],
                    gain=[1.0],
                    baseline=[0.0],
                    sent_ns=0,
                    samples=b"ab",
                )
            ),
        ),
        ("[red]b/wave", encode_wave(good)),
        ("b1/truth", b"{}"),
        ("b1/status", b"nothing"),
        ("b1/status", b'{"v":1,"state":"\xff"}'),
        ("b1/status", b"[" * 100_000),
        ("b1/truth", b'{"v":1,"stream":"r-1-0","annotations":[{"index":1%s,"symbol":"N"}]}' % (b"0" * 30)),
        ("b1/wave", b"\x81\xa1z" + b"\x91" * 100_000),
        ("b1/wave", b"\x91" * (5 << 20)),
        ("_producer/p/status", b'{"v":1,"state":"offline","beds":["\xff"]}'),
    ]

    async def send() -> None:
        async with aiomqtt.Client(found.host, found.port) as client:
            for topic, payload in [*bad, ("b1/wave", encode_wave(good)), *bad]:
                await client.publish(f"ecg/v1/{topic}", payload, qos=1)

    asyncio.run(send())
    out, _ = monitor.communicate(timeout=60)
    *beats, last = lines(out)
    assert [beat["index"] for beat in beats] == expected_beats()
    assert last["ledger"]["junk"] == 2 * len(bad)
    assert last["ledger"]["received"] == 108_000


def test_when_the_broker_restarts_both_come_back_and_the_ledger_balances(
    mosquitto: Mosquitto, programs: Programs
) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    monitor = programs.start("monitor", "--headless", "--until-idle", "6", "--broker", at(found))
    wait_for_monitor(found)
    producer = programs.start("producer", "--records", "excerpt", "--speed", "20", "--broker", at(found))
    wait_for(found, "ecg/v1/+/beat")
    mosquitto.stop()
    time.sleep(1)
    mosquitto.start()
    assert producer.wait(60) == 0
    out, _ = monitor.communicate(timeout=60)
    *beats, last = lines(out)
    ledger = last["ledger"]
    assert ledger["published"] == 108_000 == ledger["received"] + ledger["lost"]
    assert ledger["lost"] == 0  # what the broker was not there for was sent late
    assert max(beat["index"] for beat in beats) > 100_000


def test_a_producer_that_dies_is_reported_offline_by_its_last_will(mosquitto: Mosquitto, programs: Programs) -> None:
    async def statuses() -> list[tuple[str, bool]]:
        seen = []
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            await client.subscribe("ecg/v1/+/status", 1)
            producer = programs.start("producer", "--records", "excerpt", "--broker", f"127.0.0.1:{mosquitto.port}")
            async for message in client.messages:
                status = json.loads(bytes(message.payload))
                seen.append((status["state"], status["published"] is None))
                if status["state"] == "online":
                    producer.kill()
                else:
                    return seen
        return seen

    assert asyncio.run(asyncio.wait_for(statuses(), 60)) == [("online", True), ("offline", True)]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_a_demonstration_ends_nothing_is_left_running(programs: Programs, how: signal.Signals) -> None:
    port = free_port()
    demo = programs.start("monitor", "--demo", "--headless", "--broker", f"127.0.0.1:{port}")
    assert demo.stdout is not None
    first = json.loads(demo.stdout.readline())
    assert first["bed"] == "208-excerpt"
    children = psutil.Process(demo.pid).children(recursive=True)
    assert any("producer" in part for child in children for part in child.cmdline())
    demo.send_signal(how)
    demo.wait(20)
    gone, alive = psutil.wait_procs(children, timeout=20)
    assert (len(gone), alive) == (len(children), [])
    assert broker.probe("127.0.0.1", port) is not None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("producer", "--records", "nobody"), "no record 'nobody' is known"),
        (("producer", "--speed", "fast"), "--speed fast cannot be used"),
        (("producer", "--lead", "V9"), "no record has a lead 'V9': give one of MLII"),
        (("producer", "--seconds", "nan"), "--seconds nan cannot be used"),
        (("producer", "--broker", "127.0.0.1:notaport"), "--broker 127.0.0.1:notaport cannot be used"),
        (("producer", "--broker", "nowhere.invalid:1883"), "no MQTT broker answers at nowhere.invalid:1883"),
        (("monitor", "--headless", "--broker", "nowhere.invalid"), "no MQTT broker answers at nowhere.invalid:1883"),
        (("monitor", "--headless", "--weights", "none"), "there are no weights 'none'"),
        (("monitor", "--headless", "--device", "quantum"), "device 'quantum' is not known"),
        (("monitor", "--until-idle", "3"), "--until-idle belongs to --headless"),
        (("monitor",), "the screen needs a terminal"),
        (("monitor", "--headless", "--config", "/nowhere/config.toml"), "cannot read the settings"),
    ],
)
def test_what_a_user_got_wrong_is_one_sentence(
    programs: Programs, arguments: tuple[str, ...], sentence: str, tmp_path: Any
) -> None:
    if not any(part.startswith("--broker") for part in arguments):
        arguments = (*arguments, "--broker", f"127.0.0.1:{free_port()}")
    process = programs.start(*arguments)
    out, problem = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    assert sentence in problem
    assert len(problem.strip().splitlines()) == 1


def test_a_broker_that_wants_a_password_is_one_sentence(tmp_path: Any, programs: Programs) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    strict = Mosquitto(tmp_path, "allow_anonymous false\n")
    try:
        for program in (("producer",), ("monitor", "--headless")):
            process = programs.start(*program, "--broker", f"127.0.0.1:{strict.port}")
            _, problem = process.communicate(timeout=60)
            assert process.returncode == 2
            assert "refuses the connection" in problem
            assert len(problem.strip().splitlines()) == 1
    finally:
        strict.stop()
