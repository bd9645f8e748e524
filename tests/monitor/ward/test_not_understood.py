"""A bed that sends and is not understood says so, and nothing old is shown as if it were the present."""

from __future__ import annotations

import time

import msgspec
import numpy as np

from ecg.records.record import Record
from ecg.wire.messages import Wave, encode_wave
from monitor.service.connection import Arrival
from monitor.service.feed import View
from monitor.service.notices import notices
from monitor.ward.events import UnderstoodChanged
from tests.support.services import service
from tests.support.wards import MINUTE, Run, messages

QUARTERS = messages(MINUTE, list(range(90, 21_600, 90)))


class Clock:
    """A clock that a test turns."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def played(seconds: float) -> tuple[Run, Clock, View]:
    """A bed that has sent for so long, in real time."""
    run, clock = Run(), Clock()
    run.ward._now_s = clock
    view = View(run.ward, clock)
    send(run, clock, messages(MINUTE, list(range(90, 21_600, 90)))[: round(seconds * 4)])
    return run, clock, view


def send(run: Run, clock: Clock, waves: list[Wave]) -> None:
    for wave in waves:
        run.ward.wave("a", wave, int(clock.now * 1e9))
        run.step()
        clock.now += 0.25


def test_ten_seconds_of_junk_are_said_and_so_is_their_end() -> None:
    run, clock, view = played(20.0)
    assert view._summaries(clock.now)[0].heart_rate is not None
    told = []
    for quarter in range(48):
        run.ward.unusable("a") if quarter % 2 else run.ward.wave("a", foreign(quarter), int(clock.now * 1e9))
        clock.now += 0.25
        told += run.ward.look()
    (summary,) = view._summaries(clock.now)
    assert (summary.state, summary.heart_rate) == ("not understood", None)
    assert run.ward.senders.misunderstood(clock.now) == ["a"]
    (event,) = told
    assert isinstance(event, UnderstoodChanged)
    (notice,) = notices(event, 0.0)
    assert (notice.kind, notice.priority, notice.text) == ("alarm", "low", "sends, and is not understood")
    send(run, clock, QUARTERS[80:90])
    (after,) = run.ward.look()
    assert [notice.kind for notice in notices(after, 0.0)] == ["end"]
    assert view._summaries(clock.now)[0].state != "not understood"


def foreign(number: int) -> Wave:
    """A chunk far ahead, each at another place."""
    return msgspec.structs.replace(QUARTERS[number], index=(1 << 30) * (number + 1))


def test_a_bed_that_was_never_understood_is_named_too() -> None:
    run, clock = Run(), Clock()
    run.ward._now_s = clock
    for _ in range(12):
        run.ward.unusable("b")
        clock.now += 1.0
    assert run.ward.senders.misunderstood(clock.now) == ["b"]
    for number in range(1000):
        run.ward.unusable(f"c{number}")
    assert len(run.ward.senders._strangers) == 64


def test_no_rate_is_shown_where_no_beat_has_been_found_for_as_long_as_an_asystole() -> None:
    samples = MINUTE.samples.copy()
    noise = np.random.default_rng(1).integers(-2, 3, (len(samples) - 7200, samples.shape[1]))
    samples[7200:] = samples[7200] + noise.astype(samples.dtype)
    silent = Record(
        name="silent",
        rate=MINUTE.rate,
        leads=MINUTE.leads,
        gain=MINUTE.gain,
        baseline=MINUTE.baseline,
        samples=samples,
        source="synthetic",
    )
    run, clock = Run(), Clock()
    run.ward._now_s = clock
    view = View(run.ward, clock)
    waves = messages(silent, list(range(90, 21_600, 90)))
    send(run, clock, waves[:88])
    assert view._summaries(clock.now)[0].heart_rate is not None
    send(run, clock, waves[88:104])
    assert view._summaries(clock.now)[0].heart_rate is None


def test_no_rate_is_shown_beside_a_signal_that_stands_still() -> None:
    _, clock, view = played(20.0)
    clock.now += 5.0
    assert view._summaries(clock.now)[0].heart_rate is None


async def test_the_service_says_which_bed_is_not_understood() -> None:
    running, clock = service(), Clock()
    running.ward._now_s = clock
    for number in range(24):
        payload = b"junk" if number else encode_wave(QUARTERS[0])
        running.take([Arrival("ecg/v1/a/wave", payload, False, time.time_ns())])
        clock.now += 0.5
    running._look()
    assert running.status().problem == "bed a sends, and is not understood"
    assert [notice.text for notice in running.open_feed().build(running.status()).notices] == [
        "sends, and is not understood"
    ]
