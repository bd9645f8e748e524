"""Messages to the ward: whatever one of them breaks, the others are read."""

from __future__ import annotations

import time

import pytest

from ecg.wire.messages import encode_json, encode_wave
from ecg.wire.topics import Topics
from monitor.service.connection import Arrival
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.router import Router
from monitor.ward.intake import Intake
from tests.support.services import JUST_CAME_S, QUARTERS, put, service
from tests.support.wards import ALONE, MINUTE, Run, announced, messages


def test_a_message_that_breaks_its_bed_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    run, problems = Run(), Problems()
    router = Router(run.ward, Topics("ecg/v1"), Lag(10.0), problems)
    real = Intake.offer

    def breaks(self: Intake, *rest: object) -> object:
        if self.bed == "odd":
            raise IndexError("index 1 is out of bounds")
        return real(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Intake, "offer", breaks)
    router.take(Arrival(f"ecg/v1/{bed}/wave", encode_wave(QUARTERS[0]), False, 1) for bed in ("a", "odd", "b"))
    assert sorted(run.ward.beds) == ["a", "b", "odd"]
    assert (run.ward.ledger.received, run.ward.ledger.junk) == (2 * 90, 1)
    assert problems.sentences() == [
        "reading a message on ecg/v1/odd/wave failed (IndexError: index 1 is out of bounds)"
    ]


def changing(laps: int) -> list[Arrival]:
    """A bed that announces another stream with every message, each of a minute of signal."""
    made, soon_ns = [], time.time_ns() - int(JUST_CAME_S * 1e9)
    for lap in range(laps):
        stream = f"{MINUTE.name}-t-{lap}"
        (wave,) = messages(MINUTE, [], stream)
        made.append(Arrival("ecg/v1/odd/status", encode_json(announced(stream)), False, soon_ns))
        made.append(Arrival("ecg/v1/odd/wave", encode_wave(wave), False, soon_ns))
    return made


async def test_a_bed_changes_its_stream_once_a_step_and_the_rest_of_it_waits() -> None:
    running, laps = service(), 4
    box, ward = running._connection.inbox, running.ward
    box.put(changing(laps))
    put(running, QUARTERS[:1], JUST_CAME_S, "a")
    running.reading.take(box.take(64))  # takes no signal at all
    assert ward.beds["odd"].backlog == 21_600 and ward.ledger.beats == 0
    assert ward.beds["odd"].begins and len(running.reading._router.held["odd"]) == 2 * laps - 4
    assert ward.beds["a"].intake.next == 90
    box.put(changing(laps)[-1:])
    steps = 0
    while box or running.reading.busy:
        put(running, QUARTERS[steps + 1 : steps + 2], JUST_CAME_S, "a")
        running.step()
        steps += 1
        assert ward.beds["a"].intake.next == (steps + 1) * 90
    assert steps >= laps
    ward.end_all()
    ward.step()
    assert not running.reading._router.held and not box._parked
    runs = {run: count.received for run, count in ward.ledger.runs.items()}
    assert runs["odd", f"{MINUTE.name}-t"] == laps * 21_600 and ward.ledger.lost == 0
    assert ward.ledger.repeated == 21_600  # the last one came twice
    assert sum(bed.name == "odd" and len(bed.history.beats) for bed in ward.beds.values()) == len(ALONE.beats)


async def test_the_end_waits_for_no_stream_that_is_about_to_begin() -> None:
    running, laps = service(), 4
    box, ward = running._connection.inbox, running.ward
    box.put(changing(laps))
    running.reading.take(box.take(64))
    running._ending.ask()
    box.put(changing(laps + 2)[2 * laps :])
    running.reading._caught_up_s -= 60.0  # it is far behind
    running._wind_up()
    ledger = ward.ledger
    assert (ledger.received, ledger.lost) == (0, (laps + 2) * 21_600) and ledger.beats == 0
