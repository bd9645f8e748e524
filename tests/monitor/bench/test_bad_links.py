"""Links that are bad on purpose: a relay of connections, a tunnel of packets, and a clock that is set."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ecg.settings import Config
from monitor.bench import attacks, undisturbed
from monitor.bench.clocks import FakeClock
from monitor.bench.harness import free_port
from monitor.bench.relay import Relay
from monitor.bench.tunnel import NotHereError, Tunnel
from monitor.cli import main
from monitor.service.recorder.writer import Batch, Writer
from monitor.ward.pieces import Taken
from monitor.ward.ward import Ward
from tests.support.brokers import MOSQUITTO
from tests.support.recording import settings
from tests.support.services import QUARTERS
from tests.support.wards import CARD, WEIGHTS


async def test_a_relay_carries_everything_in_order_until_it_is_cut() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)

    port = free_port()
    async with await asyncio.start_server(echo, "127.0.0.1", port):
        relay = Relay(port)
        relay.jitter_s = 0.01
        async with await relay.listen():
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            sent = b"".join(number.to_bytes(2, "big") for number in range(3000))
            writer.write(sent)
            assert await asyncio.wait_for(reader.readexactly(len(sent)), 30) == sent
            relay.still = True
            writer.write(b"x" * 10)
            waiting = asyncio.create_task(reader.read(100))
            assert not (await asyncio.wait({waiting}, timeout=0.2))[0]
            relay.still = False
            assert await asyncio.wait_for(waiting, 30) == b"x" * 10
            cutting = asyncio.create_task(relay.cut())
            await asyncio.sleep(0)
            writer.write(b"y" * 10)
            assert await cutting in (0, 1)  # its own end may have been quicker
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(10), 30)


def test_a_tunnel_loses_and_reorders_packets() -> None:
    (ours, here), (theirs, there) = (socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    with ours, here, theirs, there, Tunnel((here.fileno(), there.fileno())).running() as link:
        link.loss, link.jitter_s, link.delay_s = 0.2, 0.02, 0.02
        for number in range(100):
            ours.send(bytes([number]))
        got = []
        while select.select([theirs], [], [], 1.0)[0]:
            got += list(theirs.recv(10))
    assert 60 <= len(got) < 100 and len(set(got)) == len(got)
    assert got != sorted(got)
    assert link.counts["lost"] == 100 - len(got) and link.counts["overtaken"] > 0


def test_a_clock_is_set_for_programs_alone(tmp_path: Path) -> None:
    try:
        clock = FakeClock(tmp_path)
    except NotHereError as error:
        pytest.skip(str(error))
    clock.set(7200)
    code = "import time, select; a = time.monotonic(); select.select([], [], [], 0.1); b = time.monotonic() - a"
    code += "; print(time.time(), b)"
    wall, passed = subprocess.check_output(
        [sys.executable, "-c", code], env=os.environ | clock.environment, text=True
    ).split()
    assert 7000 < float(wall) - (tmp_path / "clock").stat().st_mtime < 7400
    assert 0.09 < float(passed) < 60


@pytest.mark.parametrize("gap", [6, 12, 60], ids=["1.5 s", "3 s", "15 s"])
def test_the_witness_reads_a_recording_with_a_gap_as_the_ward_did(tmp_path: Path, gap: int) -> None:
    ward, heard, events = Ward(Config(), WEIGHTS, CARD.name, "cpu", doubt=CARD.doubt), list[Taken](), []
    ward.heard = heard.append
    for wave in QUARTERS[:60] + QUARTERS[60 + gap : 200]:
        ward.wave("a", wave, 10**9 + wave.index * 10**9 // 360)
        events += ward.step()
    ward.end_all()
    events += ward.step()
    writer = Writer(settings(tmp_path))
    writer.write(Batch(signal=heard, events=[(event, 0.0) for event in events]))
    writer.close()
    found, active = undisturbed.verdict(tmp_path, Config())
    assert found["beats"] > 50 and found["samples_missing"] == gap * 90
    assert [key for key in found if found[key] and key not in ("beats", "alarms", "resets", "samples_missing")] == []
    assert list(active) == ["a"]


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_attacks_cost_honest_beds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BEFORE_SECONDS", "AFTER_SECONDS"):
        monkeypatch.setattr(attacks, name, 0.5)
    monkeypatch.setattr(attacks, "HONEST", 1)
    monkeypatch.setattr(attacks, "SILENCE_SECONDS", 60.0)  # how busy this machine is says nothing of the monitor
    assert main(["bench", "attacks", "--only", "small messages;huge counts"]) == 0
