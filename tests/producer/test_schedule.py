"""The schedule, on a clock that the test owns."""

from __future__ import annotations

import asyncio

import pytest

from producer.faults import Faults
from producer.schedule import Progress, chunk_seconds, lanes_of, replay
from producer.sources.records import Bed
from tests.support.beds import small


class Line:
    """Stands where a connection does and writes down when what was due."""

    def __init__(self, beds: list[Bed], clock: Clock, slow: float = 0.0) -> None:
        self.beds, self.clock, self.slow = beds, clock, slow
        self.sent: list[tuple[float, str]] = []

    async def wave(self, bed: Bed, sent_ns: int, qos: int, faults: Faults) -> None:
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
