"""The schedule, on a clock that the test owns."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from producer.faults import Faults
from producer.schedule import SLEEP_SECONDS, TICK_SECONDS, Progress, chunk_seconds, lanes_of, replay
from producer.sources.records import Bed
from tests.support.beds import small


class Line:
    """Stands where a connection does and writes down when what was due."""

    def __init__(self, beds: list[Bed], clock: Clock, slow: float = 0.0) -> None:
        self.beds, self.clock, self.slow = beds, clock, slow
        self.sent: list[tuple[float, str]] = []
        self.batches: list[int] = []

    async def ready(self, stop: asyncio.Event) -> None:
        """The broker is always there."""

    async def waves(self, due: list[tuple[Bed, Faults]], sent_ns: int, qos: int) -> None:
        assert len({bed.name for bed, _ in due}) == len(due)
        self.batches.append(len(due))
        for bed, _ in due:
            bed.next(sent_ns)
            self.sent.append((self.clock.now, bed.name))
            self.clock.now += self.slow


class Clock:
    """Time that passes only when someone sleeps."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def run(monkeypatch: pytest.MonkeyPatch, beds: int, slow: float = 0.0) -> list[tuple[float, str]]:
    """Times (from the start) and beds of all messages of ten-second records, four messages a second."""
    clock = Clock()

    async def sleep(seconds: float, _stop: asyncio.Event) -> None:
        clock.now += seconds

    monkeypatch.setattr("producer.schedule._sleep", sleep)
    line = Line(
        [Bed(name=f"b{n}", record=small(3600), columns=[0], chunk_seconds=0.25, run="r") for n in range(beds)],
        clock,
        slow,
    )
    await replay(lanes_of([line], 1.0, 0.25), 0, asyncio.Event(), Progress(), clock)  # type: ignore[list-item]
    return line.sent


async def test_every_message_is_due_at_a_time_computed_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = await run(monkeypatch, 4)
    assert len(sent) == 160
    for place, (at, name) in enumerate(sent):
        assert name == f"b{place % 4}"
        assert at == pytest.approx(0.25 * (1 + place / 4), abs=0.003)


async def test_slow_sending_does_not_push_the_schedule_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = await run(monkeypatch, 4, slow=0.05)
    assert sent[-1][0] == pytest.approx(0.25 * (1 + 159 / 4), abs=0.003)


async def test_what_is_due_within_a_tick_goes_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    async def sleep(seconds: float, _stop: asyncio.Event) -> None:
        clock.now += seconds

    monkeypatch.setattr("producer.schedule._sleep", sleep)
    beds = [Bed(name=f"b{n}", record=small(720), columns=[0], chunk_seconds=0.25, run="r") for n in range(250)]
    line = Line(beds, clock)
    await replay(lanes_of([line], 1.0, 0.25), 0, asyncio.Event(), Progress(), clock)  # type: ignore[list-item]
    assert sum(line.batches) == 250 * 8 and len(line.batches) <= 2.25 / TICK_SECONDS + 2
    for place, (at, name) in enumerate(line.sent):
        assert name == f"b{place % 250}"
        assert -SLEEP_SECONDS - 1e-6 <= at - 0.25 * (1 + place / 250) <= TICK_SECONDS + SLEEP_SECONDS


async def test_stopping_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = asyncio.Event()
    stop.set()
    line = Line([Bed(name="b", record=small(3600), columns=[0], chunk_seconds=0.25, run="r")], Clock())
    await replay(lanes_of([line], 1.0, 0.25), 0, stop, Progress())  # type: ignore[list-item]
    assert line.sent == []


def test_fast_replay_sends_longer_chunks_not_more_messages() -> None:
    assert chunk_seconds(0.25, 1.0) == 0.25
    assert chunk_seconds(0.25, 60.0) == 15.0
    assert chunk_seconds(0.25, "max") == 15.0
    assert chunk_seconds(0.25, 0.5) == 0.25


async def test_a_bed_that_is_paused_while_its_message_is_waited_for_sends_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    line = Line([Bed(name="b", record=small(3600), columns=[0], chunk_seconds=0.25, run="r")], clock)
    (lane,) = lanes_of([line], 1.0, 0.25)  # type: ignore[list-item]
    stop, sleeps = asyncio.Event(), 0

    async def sleep(seconds: float, _stop: asyncio.Event) -> None:
        nonlocal sleeps
        sleeps += 1
        clock.now += seconds
        lane.paused = 3 <= sleeps < 8
        if sleeps == 12:
            stop.set()

    monkeypatch.setattr("producer.schedule._sleep", sleep)
    await replay([lane], 0, stop, Progress(), clock)
    assert [at for at, _ in line.sent] == pytest.approx([0.25, 0.5, 2.25, 2.5, 2.75], abs=0.01)


async def test_another_speed_counts_from_the_moment_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    line = Line([Bed(name="b", record=small(7200), columns=[0], chunk_seconds=0.25, run="r")], clock)
    (lane,) = lanes_of([line], 1.0, 0.25)  # type: ignore[list-item]

    async def sleep(seconds: float, _stop: asyncio.Event) -> None:
        clock.now += seconds
        if clock.now > 10 and lane.speed == 1.0:
            lane.pace(0.5)

    monkeypatch.setattr("producer.schedule._sleep", sleep)
    await replay([lane], 0, asyncio.Event(), Progress(), clock)
    times = [at for at, _ in line.sent]
    assert len(times) == 80 and times[39] == pytest.approx(10, abs=0.3)
    assert [b - a for a, b in pairwise(times[42:])] == pytest.approx([0.5] * 37, abs=0.01)
    assert times[-1] == pytest.approx(30, abs=1)
