"""A system clock that is set forward or back: signal is neither late nor its bed silent, latencies stay right."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from ecg import clock
from ecg.settings import Config
from ecg.wire.messages import Wave, encode_wave
from ecg.wire.packets import Arrival
from ecg.wire.topics import Topics
from monitor.service.inbox import Inbox
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.router import Router
from monitor.ward.events import BeatRead, ResetReason
from monitor.ward.ward import Ward
from tests.support.services import QUARTERS
from tests.support.wards import CARD, WEIGHTS

HOUR_NS = 3_600_000_000_000


@pytest.fixture(params=[HOUR_NS, -HOUR_NS, 400 * 24 * HOUR_NS], ids=["forward", "back", "a year"])
def step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The system's clock was set by so many nanoseconds after the program had begun."""
    real, by = time.time_ns, int(request.param)
    monkeypatch.setattr(time, "time_ns", lambda: real() + by)
    return by


def test_the_steady_clock_goes_on(step: int) -> None:
    before = clock.steady_ns()
    assert 0 <= clock.steady_ns() - before < HOUR_NS / 1000
    assert abs(clock.stepped_ns() - step) < HOUR_NS / 1000
    assert clock.careful_s() * 1e9 <= min(time.time_ns(), clock.steady_ns())


async def test_a_message_that_waits_is_not_late_because_the_clock_was_set(step: int) -> None:
    inbox = Inbox(asyncio.get_running_loop(), Topics("ecg/v1"))
    inbox.put([Arrival("ecg/v1/a/wave", b"", False, clock.steady_ns())])
    assert 0 <= inbox.waited_s < 60
    assert step


def test_beats_are_read_and_timed_as_before(step: int) -> None:
    here = Ward(Config(), WEIGHTS, CARD.name, "cpu")
    routing = Router(here, Topics("ecg/v1"), Lag(10.0), Problems())
    found = []

    def hear(wave: Wave) -> None:
        wave = msgspec.structs.replace(wave, sent_ns=time.time_ns() - 5_000_000)
        routing.take([Arrival("ecg/v1/a/wave", encode_wave(wave), False, clock.steady_ns())])
        found.extend(here.step())

    for wave in QUARTERS[:60]:
        hear(wave)
    hear(msgspec.structs.replace(QUARTERS[60], stream="another"))  # its owner was heard a moment ago
    beats = [event for event in found if isinstance(event, BeatRead)]
    assert beats and all(5 <= beat.latency_ms < 60_000 for beat in beats)
    assert here.beds["a"].stream == QUARTERS[0].stream
    assert [one.reason for one in found if hasattr(one, "reason")] == [ResetReason.NEW_BED]
