"""One service, many screens, as real processes on a real Mosquitto."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiomqtt
import psutil
import pytest
from textual.pilot import Pilot

from ecg.settings import Config
from ecg.signal import compiled
from ecg.wire.messages import SCHEMA, MonitorStatus, encode_json
from monitor.link import place, transport
from monitor.link.contract import LinkClosed
from monitor.link.protocol import Acknowledge, BedSummary, Show, Silence
from monitor.screen.app import MonitorApp
from tests.support.attaching import BED, PATIENCE, Ward, acknowledged, alarmed, bed_of, until
from tests.support.brokers import Mosquitto
from tests.support.expected import expected_beats


@pytest.fixture
def ward(mosquitto: Mosquitto, runtime: Path) -> Iterator[Ward]:
    made = Ward(mosquitto.port, runtime)
    yield made
    made.end()


async def statuses(port: int, topic: str = "ecg/v1/_monitor/+/status") -> list[str]:
    """The states of monitors that are retained on the broker; "" for one that cannot be read."""
    found: list[str] = []
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(topic, 1)
        messages = aiter(client.messages)
        while True:
            try:
                message = await asyncio.wait_for(anext(messages), 1.0)
            except TimeoutError:
                return found
            found.append(json.loads(bytes(message.payload))["state"])


def alarm_and_halt(ward: Ward, link: transport.ScreenLink) -> None:
    """A bed that has alarms not acknowledged, and whose signal stands still: they stay as they are."""
    producer = ward.start("producer", "--records", "excerpt", "--speed", "10")
    while True:
        until(link, alarmed)
        producer.send_signal(signal.SIGSTOP)
        time.sleep(1.0)  # what is on its way comes
        link.snapshot()
        if alarmed(until(link, lambda snapshot: bed_of(snapshot) is not None)):
            return
        producer.send_signal(signal.SIGCONT)  # it was over by then


async def drawn(app: MonitorApp, pilot: Pilot[None], ready: Callable[[BedSummary], bool]) -> None:
    """Until the application's bed is so."""
    limit = time.monotonic() + PATIENCE
    while True:
        bed = app.desk.ward.beds.get(BED)
        if bed is not None and ready(bed):
            return
        assert time.monotonic() < limit
        await pilot.pause(0.05)


async def test_an_acknowledgement_and_a_silence_in_one_screen_are_seen_in_the_other(ward: Ward) -> None:
    ward.service()
    one = ward.screen()
    alarm_and_halt(ward, one)
    app = MonitorApp(ward.screen(), Config())
    async with app.run_test(size=(100, 30)) as pilot:
        await drawn(app, pilot, lambda bed: any(not alarm.acknowledged for alarm in bed.alarms))
        await pilot.press("a")
        until(one, acknowledged)
        one.send(Silence(BED, 60.0))
        await drawn(app, pilot, lambda bed: bed.silenced_s > 0)
        await drawn(app, pilot, lambda bed: all(alarm.acknowledged for alarm in bed.alarms))
        assert app.desk.ward.status is not None and app.desk.ward.status.screens >= 2


def test_screens_come_and_go_and_a_service_that_was_there_before_stays(ward: Ward) -> None:
    service = ward.service()
    ward.start("producer", "--records", "excerpt", "--speed", "5")
    watching = ward.screen()
    terminal = ward.terminal()
    until(watching, lambda snapshot: snapshot.status.screens >= 3)
    until(watching, lambda snapshot: snapshot.status.beats_per_s > 0)
    if sys.platform == "linux" and compiled.kernels() is not None:
        for one in (service, terminal.process):
            libraries = {Path(part.path).name for part in psutil.Process(one.pid).memory_maps()}
            assert not any(name.startswith("libtorch") for name in libraries)
    terminal.type(b"q")
    assert terminal.process.wait(20) == 0
    until(watching, lambda snapshot: snapshot.status.screens == 2)
    assert service.poll() is None
    assert [one.pid for one in ward.services()] == [service.pid]
    service.send_signal(signal.SIGTERM)
    assert service.wait(30) == 0
    with pytest.raises(LinkClosed, match="service ended"):
        until(watching, lambda _: False)
    assert list((ward.folder / "ecg-monitor").iterdir()) == []
    assert "online" not in asyncio.run(statuses(ward.port))


def test_a_service_that_a_screen_started_ends_with_its_last_screen(ward: Ward) -> None:
    starter = ward.terminal()
    ward.wait(lambda: place.connect(ward.place) is not None)
    (service,) = ward.services()
    other = ward.screen()
    until(other, lambda snapshot: snapshot.status.screens >= 2)
    found = ward.place.socket_path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o600 and stat.S_IMODE(ward.place.folder.stat().st_mode) == 0o700
    starter.type(b"q")
    assert starter.process.wait(20) == 0
    until(other, lambda snapshot: snapshot.status.screens == 1)
    until(other, lambda snapshot: snapshot.status.connected)
    assert service.is_running()
    other.close()
    service.wait(30)
    assert list((ward.folder / "ecg-monitor").iterdir()) == []


def test_however_the_only_screen_ends_its_service_ends_too(ward: Ward) -> None:
    starter = ward.terminal("--demo")
    ward.wait(
        lambda: any("producer" in " ".join(child.cmdline()) for one in ward.services() for child in one.children())
    )
    everything = psutil.Process(starter.process.pid).children(recursive=True)
    starter.process.kill()
    starter.process.wait()
    gone, alive = psutil.wait_procs(everything, timeout=30)
    assert (len(gone) >= 2, alive) == (True, [])


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_screen_that_is_stopped_or_killed_does_not_delay_the_service(
    ward: Ward, how: signal.Signals, tmp_path: Path
) -> None:
    with (tmp_path / "beats").open("w") as file:  # a pipe that nobody reads would make the service wait
        service = ward.start("monitor", "--headless", "--until-idle", "4", out=file)
    ward.wait(lambda: place.connect(ward.place) is not None)
    good = ward.screen()
    good.send(Show([BED], 600.0))
    until(good, lambda _: True)
    terminal = ward.terminal("--attach")
    until(good, lambda snapshot: snapshot.status.screens == 2)
    producer = ward.start("producer", "--records", "excerpt", "--speed", "20")
    until(good, lambda snapshot: bed_of(snapshot) is not None)
    time.sleep(1.0)  # the terminal's screen shows the bed
    terminal.process.send_signal(how)
    until(good, lambda snapshot: any(beat.index > 100_000 for bed in snapshot.shown for beat in bed.beats))
    assert producer.wait(60) == 0
    assert service.wait(60) == 0
    *beats, last = [json.loads(line) for line in (tmp_path / "beats").read_text().splitlines()]
    ledger = last["ledger"]
    assert (ledger["published"], ledger["received"], ledger["lost"]) == (108_000, 108_000, 0)
    assert [beat["index"] for beat in beats] == expected_beats()


def test_a_second_service_on_this_host_ends_in_one_sentence(ward: Ward) -> None:
    first = ward.service()
    for command in ("monitor serve", "monitor --headless"):
        second = ward.start(command)
        out, said = second.communicate(timeout=60)
        assert second.returncode == 3
        assert out == "" and len(said.strip().splitlines()) == 1
        assert f"process {first.pid} of this host" in said and "--force" in said
    assert first.poll() is None


def test_a_second_service_of_another_host_finds_the_first_by_its_status(ward: Ward, tmp_path: Path) -> None:
    ward.service()
    (tmp_path / "far").mkdir(mode=0o700)
    second = ward.start("monitor --headless", elsewhere=tmp_path / "far")
    out, said = second.communicate(timeout=60)
    assert second.returncode == 3
    assert out == "" and len(said.strip().splitlines()) == 1
    assert f"127.0.0.1:{ward.port} under ecg/v1 already" in said and "--force" in said


def test_the_status_of_a_monitor_that_died_with_its_broker_keeps_nobody_out(ward: Ward) -> None:
    left = MonitorStatus(
        v=SCHEMA,
        state="online",
        version="0.1.0",
        device="cpu",
        beds=9,
        beats_per_s=1.0,
        latency_p50_ms=None,
        latency_p99_ms=None,
        dropped=0,
    )

    async def leave() -> None:
        async with aiomqtt.Client("127.0.0.1", ward.port) as client:
            await client.publish("ecg/v1/_monitor/gone/status", encode_json(left), qos=1, retain=True)

    asyncio.run(leave())
    service = ward.service()
    assert service.poll() is None


def test_force_takes_over_from_a_service_of_this_host(ward: Ward) -> None:
    first = ward.service()
    watching = ward.screen()
    second = ward.start("monitor serve", "--force")
    assert first.wait(40) == 0
    with pytest.raises(LinkClosed):
        until(watching, lambda _: False)
    ward.wait(lambda: place.connect(ward.place) is not None)
    until(ward.screen(), lambda snapshot: snapshot.status.connected)
    assert second.poll() is None


def test_force_takes_over_from_one_that_has_stopped(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ward.service()
    first.send_signal(signal.SIGSTOP)
    second = ward.start("monitor serve", "--force")
    assert first.wait(60) == -signal.SIGKILL
    ward.wait(lambda: ward.services() != [] and place.connect(ward.place) is not None)
    until(ward.screen(), lambda snapshot: snapshot.status.connected)
    assert second.poll() is None


def test_after_a_service_was_killed_the_next_takes_its_place(ward: Ward) -> None:
    first = ward.service()
    first.kill()
    first.wait()
    assert ward.place.socket_path.exists()
    assert transport.attach(ward.place) is None
    second = ward.service()
    assert second.poll() is None


def test_options_that_a_running_service_cannot_follow_are_refused(ward: Ward) -> None:
    ward.service()
    terminal = ward.terminal("--weights", "memory-lstm")
    assert terminal.process.wait(20) == 2


def test_attach_never_starts_a_service(ward: Ward) -> None:
    terminal = ward.terminal("--attach")
    assert terminal.process.wait(20) == 2
    assert ward.services() == []


def test_what_cannot_be_served_ends_the_screen_with_the_service_s_exit_status(ward: Ward) -> None:
    terminal = ward.terminal("--weights", "none-of-these")
    assert terminal.process.wait(40) == 2


def test_a_headless_run_that_nothing_came_to_says_so(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; from monitor.service import loop; loop.FIRST_MESSAGE_SECONDS = 1.0\n"
        "from monitor.cli import main\n"
        f"sys.exit(main(['--headless', '--until-idle', '1', '--broker', '127.0.0.1:{ward.port}']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "nothing came" in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert json.loads(done.stdout)["ledger"]["received"] == 0


def test_an_acknowledgement_from_a_bed_that_is_not_there_changes_nothing(ward: Ward) -> None:
    ward.service()
    link = ward.screen()
    link.send(Acknowledge("nobody"))
    link.send(Silence("nobody"))
    link.send(Show(["nobody"], 600.0))
    assert until(link, lambda snapshot: snapshot.status.screens == 2).status.screens_failed == 0
