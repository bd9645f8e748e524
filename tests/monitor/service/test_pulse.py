"""Whether a service lives."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from monitor.service.pulse import STILL_SECONDS, Pulse


def test_a_service_lives_while_its_loop_turns_and_it_is_connected() -> None:
    now, connected = [0.0], [True]
    pulse = Pulse(lambda: connected[0], lambda: 7, lambda: now[0])
    assert pulse.health() == (True, {"connected": True, "beds": 7, "last_turn_s": 0.0})
    now[0] = STILL_SECONDS + 1
    assert not pulse.health()[0]
    pulse.turn()
    assert pulse.health()[0]
    connected[0] = False
    assert not pulse.health()[0]


def test_a_loop_that_stands_still_does_not_tell_systemd_that_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    pulse = Pulse(lambda: True, lambda: 0, lambda: now[0])
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.setblocking(False)
        pulse.beat(5.0)
        assert listening.recv(100) == b"WATCHDOG=1"
        now[0] = 6.0
        pulse.beat(5.0)
        with pytest.raises(BlockingIOError):
            listening.recv(100)
