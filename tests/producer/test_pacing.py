"""Fast replay goes as fast as monitors read: the clock of the schedule, on a clock that the test owns."""

from __future__ import annotations

import asyncio

import pytest

from ecg.wire.messages import SCHEMA, MonitorStatus, encode_json
from ecg.wire.topics import Topics
from producer.pacing import BEGIN_SECONDS, FORGET_SECONDS, UNBOUNDED_SPEED, Pace
from producer.schedule import Progress, lanes_of, replay
from producer.sources.records import Bed
from tests.producer.test_schedule import Clock, Line
from tests.support.beds import small

TOPICS = Topics("ecg/v1")


def said(behind_s: float) -> bytes:
    status = MonitorStatus(
        v=SCHEMA,
        state="online",
        version="1",
        device="cpu",
        beds=1,
        beats_per_s=1.0,
        latency_p50_ms=None,
        latency_p99_ms=None,
        dropped=0,
        behind_s=behind_s,
    )
    return encode_json(status)


class Played:
    """A monitor that reads `takes` seconds of signal of all beds in a second."""

    def __init__(self, takes: float, speed: float | str, beds: int) -> None:
        self.wall = 0.0
        self.pace = Pace(TOPICS, speed, beds, lambda: self.wall)
        self.much = beds * (UNBOUNDED_SPEED if isinstance(speed, str) else speed)
        self.takes, self.sent, self.read, self.furthest_s = takes, 0.0, 0.0, 0.0

    def run(self, seconds: float) -> None:
        last = self.pace()
        for _ in range(round(seconds * 4)):
            self.wall += 0.25
            now = self.pace()
            self.sent += self.much * (now - last)
            last = now
            self.read = min(self.read + self.takes / 4, self.sent)
            behind_s = (self.sent - self.read) / self.takes
            self.furthest_s = max(behind_s, self.furthest_s)
            self.pace.arrived("ecg/v1/_monitor/m/status", said(behind_s), False)


@pytest.mark.parametrize(
    ("takes", "speed", "beds"),
    [(600.0, 100.0, 48), (3000.0, 100.0, 48), (9000.0, 100.0, 48), (600.0, "max", 48), (4000.0, "max", 1)],
)
def test_the_monitor_is_never_far_behind_and_seldom_idle(takes: float, speed: float | str, beds: int) -> None:
    played = Played(takes, speed, beds)
    played.pace.arrived("ecg/v1/_monitor/m/status", said(0.0), True)
    played.run(60)
    begun = played.read
    played.run(120)
    could = takes if speed == "max" else min(takes, played.much)
    assert played.read - begun > 0.75 * 120 * could
    assert played.furthest_s < 5


def test_a_monitor_that_keeps_up_changes_nothing() -> None:
    played = Played(1e6, 60.0, 8)
    played.pace.arrived("ecg/v1/_monitor/m/status", said(0.0), True)
    played.run(50)
    assert played.pace.slowed_s == 0 and played.sent == pytest.approx(50 * 480)


def test_who_is_gone_is_not_waited_for() -> None:
    wall = 0.0
    pace = Pace(TOPICS, "max", 1, lambda: wall)
    assert pace.free and pace.rate == 1
    for payload in (b"", b"{}", said(0).replace(b"online", b"offline")):
        pace.arrived("ecg/v1/_monitor/m/status", said(9.0), False)
        assert not pace.free
        pace()
        assert pace.rate == 0
        pace.arrived("ecg/v1/_monitor/m/status", payload, False)
        assert pace.free
    pace.arrived("ecg/v1/_monitor/m/status", said(9.0), False)
    wall += FORGET_SECONDS + 1
    pace()
    pace()
    assert pace.free and pace.rate > 0
    pace.arrived("ecg/v1/bed/status", said(9.0), False)
    assert pace.free


async def test_a_replay_without_a_pace_waits_for_the_monitor_once_one_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    async def sleep(seconds: float, _stop: asyncio.Event) -> None:
        clock.now += seconds

    monkeypatch.setattr("producer.schedule._sleep", sleep)
    for heard, seconds in ((False, 0.0), (True, 3600 / 360 / BEGIN_SECONDS)):
        clock.now = 0.0
        pace = Pace(TOPICS, "max", 1, clock)
        if heard:
            pace.arrived("ecg/v1/_monitor/m/status", said(0.0), True)
        line = Line([Bed(name="b", record=small(3600), columns=[0], chunk_seconds=0.25, run="r")], clock)
        monkeypatch.setattr("producer.schedule.TICK_SECONDS", 0.0)
        monkeypatch.setattr("producer.schedule.SLEEP_SECONDS", 0.0)
        lanes = lanes_of([line], "max", 0.25)  # type: ignore[list-item]
        await replay(lanes, 1, asyncio.Event(), Progress(), clock, pace)
        assert len(line.sent) == 40 and clock.now == pytest.approx(seconds, rel=0.1)
