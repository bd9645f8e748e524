"""Real brokers for tests, on free ports of the loopback."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ecg.wire import broker

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A TCP port of the loopback that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def has_ipv6() -> bool:
    """Does this machine have an IPv6 loopback?."""
    try:
        with socket.socket(socket.AF_INET6) as made:
            made.bind(("::1", 0))
    except OSError:
        return False
    return True


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Until that holds; a TimeoutError where it does not."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Mosquitto:
    """A real Mosquitto on the loopback that a test can stop and start again."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true\n", host: str = "127.0.0.1") -> None:
        self.host, self.port = host, free_port()
        self._file = folder / "mosquitto.conf"
        self._file.write_text(f"listener {self.port} {host}\n{settings}", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self._file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        limit = time.monotonic() + 10
        while broker.probe(self.host, self.port) is not None:
            assert time.monotonic() < limit, "mosquitto does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
