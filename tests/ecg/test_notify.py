"""What systemd hears, on a socket of our own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ecg.notify import tell, watchdog_seconds


def test_a_word_comes_as_a_datagram(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.settimeout(10)
        assert tell("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "s")})
        assert listening.recv(100) == b"READY=1"


@pytest.mark.parametrize("name", ["", "relative", "/nobody/listens/here"])
def test_without_somebody_to_tell_nothing_happens(name: str) -> None:
    assert not tell("READY=1", {"NOTIFY_SOCKET": name} if name else {})


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "10000000"}, 5.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}, 5.0),
        ({"WATCHDOG_USEC": "often"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
    ],
)
def test_the_watchdog_wants_to_hear_twice_in_its_time(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environment) == seconds
