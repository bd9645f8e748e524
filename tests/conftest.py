"""What tests of more than one program need: real brokers on free ports, and real records where there are any."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded; for the programs that tests start, too

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck
from hypothesis import settings as effort

from ecg import logs
from ecg.records import aami, library
from ecg.settings import MqttSettings
from ecg.signal import compiled
from ecg.wire import broker
from tests.support.authority import Authority, authorities
from tests.support.brokers import MOSQUITTO, Mosquitto, free_port

torch.set_num_threads(1)
# A machine that does something else meanwhile makes every example slow: that is no fault of the test.
effort.register_profile("shared machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
effort.load_profile("shared machine")


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A program that a test ran in this process leaves no log behind: its stream is closed with the test."""
    yield
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, logs.Handler)]:
        root.removeHandler(handler)


@pytest.fixture(scope="module")
def kernels_built() -> None:
    """The compiled kernels, made where they are not there yet."""
    pytest.importorskip("numba")
    assert compiled.build() is not None
    if compiled.kernels() is None:  # they were not there when somebody asked first
        pytest.skip("the kernels were compiled by this run: the next one uses them")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of the test's own. Its path is short, as the address of a Unix socket must be."""
    with tempfile.TemporaryDirectory(prefix="ecg-") as made:
        monkeypatch.setenv("XDG_RUNTIME_DIR", made)
        yield Path(made)


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
        with broker.ensure(MqttSettings(port=free_port())) as embedded:
            yield embedded


@pytest.fixture(scope="session")
def records() -> list[str]:
    """Names of all 48 records; tests that need them skip where they are not there."""
    if library.missing(list(aami.ALL)):
        pytest.skip(f"the MIT-BIH records are not in {library.folder()} (set $ECG_DATA)")
    return list(aami.ALL)


@pytest.fixture
def authority() -> Iterator[Authority]:
    """A certificate authority."""
    with authorities() as made:
        yield made
