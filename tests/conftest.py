"""What tests of more than one program need: real brokers on free ports, and real records where there are any."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ecg import aami, broker, library
from ecg.config import Mqtt

torch.set_num_threads(1)

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A TCP port of the loopback that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Mosquitto:
    """A real Mosquitto on the loopback that a test can stop and start again."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true\n") -> None:
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        self._file.write_text(f"listener {self.port} 127.0.0.1\n{settings}", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self._file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        limit = time.monotonic() + 10
        while broker.probe("127.0.0.1", self.port) is not None:
            assert time.monotonic() < limit, "mosquitto does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A fresh Mosquitto; tests that need one skip where it is not installed."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    running = Mosquitto(tmp_path)
    yield running
    running.stop()


@pytest.fixture(params=["mosquitto", "amqtt"])
def any_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[broker.Broker]:
    """Each kind of broker in turn."""
    if request.param == "mosquitto":
        running = request.getfixturevalue("mosquitto")
        yield broker.Broker("127.0.0.1", running.port, "external")
    else:
        with broker.ensure(Mqtt(port=free_port())) as embedded:
            yield embedded


@pytest.fixture(scope="session")
def records() -> list[str]:
    """Names of all 48 records; tests that need them skip where they are not there."""
    if library.missing(list(aami.ALL)):
        pytest.skip(f"the MIT-BIH records are not in {library.folder()} (set $ECG_DATA)")
    return list(aami.ALL)
