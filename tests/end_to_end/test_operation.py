"""The programs under a supervisor: checks before a start, signals, what is told to systemd."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from monitor import cli as monitor
from producer import cli as producer
from tests.support.brokers import Mosquitto, free_port

END_SECONDS = 30.0


def test_a_check_says_what_can_be_used_and_what_cannot(
    mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(program: Callable[[list[str]], int], *arguments: str) -> tuple[int, list[str]]:
        status = program([*arguments, "--check"])
        return status, capsys.readouterr().out.splitlines()

    here, file = f"127.0.0.1:{mosquitto.port}", tmp_path / "m"
    status, lines = check(monitor.main, "--broker", here, "--record", str(tmp_path / "r"), "--resume", str(file))
    assert status == 0
    assert [line.split(":")[0] for line in lines] == [
        f"ok    {name}" for name in ("settings", "weights", "device", "broker", "saved memory", "recorder")
    ]
    assert not file.exists()
    (tmp_path / "file").touch()
    under = str(tmp_path / "file" / "r")
    status, lines = check(monitor.main, "serve", "--broker", here, "--weights", "none", "--record", under)
    assert status == 2
    assert [line.split(":")[0] for line in lines if line.startswith("FAIL")] == ["FAIL  weights", "FAIL  recorder"]
    assert check(producer.main, "--broker", here)[0] == 0
    status, lines = check(producer.main, "--broker", f"127.0.0.1:{free_port()}", "--records", "nothing")
    assert status == 2
    assert lines[1].startswith("FAIL  records: no record 'nothing'")


def listening() -> None:
    """A program that is started under nohup ignores SIGHUP, and so do its children: these must not."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_a_service_tells_systemd_and_ends_with_all_of_its_children(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = free_port()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "systemd"))
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    monkeypatch.setenv("ECG_MONITOR__METRICS_PORT", str(metrics))
    record = ["--record", str(tmp_path / "r"), "--resume", str(tmp_path / "m")]
    command = [sys.executable, "-m", "monitor", "serve", "--demo", "--broker", f"127.0.0.1:{mosquitto.port}", *record]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "systemd"))
        systemd.settimeout(60)
        process = subprocess.Popen(command, preexec_fn=listening, stderr=subprocess.PIPE, text=True)
        try:
            assert systemd.recv(100) == b"READY=1"
            assert systemd.recv(100) == b"WATCHDOG=1"
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/healthz", timeout=20) as answer:
                assert json.load(answer)["status"] == "ok"
            children = psutil.Process(process.pid).children(recursive=True)
            assert children
            process.send_signal(signal.SIGHUP)
            words = {systemd.recv(100) for _ in range(1)}
            while b"STOPPING=1" not in words:
                words.add(systemd.recv(100))
            assert process.wait(END_SECONDS) == 0
        finally:
            process.kill()
            process.wait()
    assert psutil.wait_procs(children, END_SECONDS)[1] == []
    assert (tmp_path / "m").exists()


def test_a_producer_ends_in_good_order_when_its_terminal_goes(mosquitto: Mosquitto) -> None:
    command = [sys.executable, "-m", "producer", "--broker", f"127.0.0.1:{mosquitto.port}", "--loop", "--quiet"]
    process = subprocess.Popen(command, preexec_fn=listening, stderr=subprocess.PIPE)
    try:
        limit = time.monotonic() + 60
        while not any(
            c.raddr and c.raddr.port == mosquitto.port for c in psutil.Process(process.pid).net_connections()
        ):
            assert time.monotonic() < limit
            time.sleep(0.05)
        time.sleep(0.2)  # its signal handlers are there before it connects
        process.send_signal(signal.SIGHUP)
        assert process.wait(END_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
