"""A monitor that is killed and resumed reads on in its recording: no beat is lost, none comes twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from ecg.errors import UserError
from ecg.settings import Config
from ecg.wire.messages import Wave
from monitor.service import checkpoint
from monitor.service.recorder.database import FILE
from monitor.service.recorder.folder import claim
from monitor.service.recorder.tail import read_on
from monitor.service.recorder.writer import Batch, Writer
from monitor.ward.events import BeatRead, Event
from monitor.ward.pieces import Taken
from monitor.ward.ward import Ward
from tests.support.recording import settings
from tests.support.services import QUARTERS
from tests.support.wards import CARD, WEIGHTS

SAVED, KILLED, END = 70, 77, 200
"""Quarters of a second after which the memory is saved, the monitor killed, and the signal over."""


def ward() -> Ward:
    return Ward(Config(), WEIGHTS, CARD.name, "cpu", doubt=CARD.doubt)


def hear(into: Ward, waves: list[Wave]) -> list[Event]:
    events = []
    for wave in waves:
        into.wave("a", wave, 1)
        events += into.step()
    return events


def killed(folder: Path) -> bytes:
    """A ward that is recorded until it is killed; returns its memory, which was saved a little before."""
    here, heard = ward(), list[Taken]()
    here.heard = heard.append
    writer = Writer(settings(folder))
    for begin, end in ((0, SAVED), (SAVED, KILLED)):
        events = hear(here, QUARTERS[begin:end])
        if end == SAVED:
            memory = checkpoint.pack(here)
        writer.write(Batch(signal=list(heard), events=[(event, 0.0) for event in events]))
        heard.clear()
    writer._lock.close()  # and nothing else: it is killed
    return memory


def beats(events: list[Event]) -> list[tuple[int, str]]:
    return [(event.index, event.cls) for event in events if isinstance(event, BeatRead)]


def recorded(folder: Path) -> list[tuple[int, str]]:
    with sqlite3.connect(folder / FILE) as base:
        return base.execute("SELECT sample, class FROM beats WHERE record IS NOT NULL ORDER BY sample").fetchall()


@pytest.mark.parametrize("gap", [0, 20], ids=["at once", "after 5 s"])
def test_a_killed_monitor_goes_on_as_if_nothing_had_happened(tmp_path: Path, gap: int) -> None:
    memory = killed(tmp_path)
    before = recorded(tmp_path)
    resumed = ward()
    checkpoint.unpack(resumed, memory)
    assert resumed.beds["a"].intake.next == SAVED * 90
    events = read_on(resumed, tmp_path)
    assert resumed.beds["a"].intake.next == KILLED * 90
    assert sorted(before + beats(events)) == recorded(tmp_path)
    after = hear(resumed, QUARTERS[KILLED + gap : END])
    undisturbed = hear(ward(), QUARTERS[:KILLED] + QUARTERS[KILLED + gap : END])
    assert before + beats(events) + beats(after) == beats(undisturbed)
    assert len(before) > 10
    assert resumed.ledger.balances()


def test_what_happened_before_the_kill_is_not_told_again(tmp_path: Path) -> None:
    memory = killed(tmp_path)
    for _ in range(2):
        resumed = ward()
        checkpoint.unpack(resumed, memory)
        events = read_on(resumed, tmp_path)
    assert beats(events) == []
    assert len(recorded(tmp_path)) == len(set(recorded(tmp_path)))


def test_a_recording_of_something_else_is_not_read(tmp_path: Path) -> None:
    resumed = ward()
    assert read_on(resumed, tmp_path) == []
    memory = killed(tmp_path)
    checkpoint.unpack(resumed, memory)
    resumed.beds["a"].intake.channels[0].last += 1  # another signal under the same name
    assert read_on(resumed, tmp_path) == []
    assert resumed.beds["a"].intake.next == SAVED * 90
    resumed.clear()
    hear(resumed, [msgspec.structs.replace(QUARTERS[0], stream="other")])
    assert read_on(resumed, tmp_path) == []


def test_the_folder_of_another_monitor_is_left_alone(tmp_path: Path) -> None:
    memory = killed(tmp_path)
    resumed = ward()
    checkpoint.unpack(resumed, memory)
    with claim(tmp_path), pytest.raises(UserError, match="another monitor records"):
        read_on(resumed, tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET name = '../a'",
        "UPDATE records SET first = 'x'",
        "UPDATE beats SET stream = cast(x'ff' AS TEXT)",
        "UPDATE sqlite_schema SET sql = replace(sql, 'stream', 'ztream') WHERE name = 'records'",
        "UPDATE sqlite_schema SET sql = cast(x'435245415445205441424c45ff' AS TEXT) WHERE name = 'beats'",
    ],
)
def test_damaged_events_are_no_reason_not_to_start(tmp_path: Path, statement: str) -> None:
    memory = killed(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as base:
        base.execute("PRAGMA writable_schema=ON")
        base.execute(statement)
    resumed = ward()
    checkpoint.unpack(resumed, memory)
    read_on(resumed, tmp_path)
    assert resumed.beds["a"].intake.next in (SAVED * 90, KILLED * 90)
    claim(tmp_path).close()  # nobody holds it


@pytest.mark.parametrize(("old", "new"), [("200", "0"), ("200", "1e99"), ("a_", "b_"), (" 1 360", " 0 360")])
def test_a_damaged_header_is_no_reason_not_to_start(tmp_path: Path, old: str, new: str) -> None:
    memory = killed(tmp_path)
    (header,) = tmp_path.glob("*.hea")
    header.write_text(header.read_text().replace(old, new))
    resumed = ward()
    checkpoint.unpack(resumed, memory)
    assert read_on(resumed, tmp_path) == []
    assert resumed.beds["a"].intake.next == SAVED * 90
