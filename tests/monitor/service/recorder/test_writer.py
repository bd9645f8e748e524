"""What a recorder writes: records that any WFDB program reads, events in SQLite, and what it does when it cannot."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

from ecg.errors import UserError
from ecg.records.growing import GrowingRecord
from ecg.records.record import MISSING
from monitor.service.recorder import lanes, pruning
from monitor.service.recorder.database import FILE
from monitor.service.recorder.writer import RETRY_SECONDS, Batch, Writer
from monitor.ward.events import Event, MemoryReset, ResetReason
from tests.support.recording import RATE, alarm, beat, samples, second, settings, taken


class Clock:
    """Wall time that a test turns."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def records(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.hea"))


def digital(folder: Path, name: str) -> Any:
    return wfdb.rdrecord(str(folder / name), physical=False).d_signal


def count(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / FILE) as base:
        found: int = base.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


def test_one_record_for_each_bed_and_stream_holds_signal_letters_and_alarms(tmp_path: Path) -> None:
    writer = Writer(settings(tmp_path))
    for number in range(8):
        writer.write(second(number, 2))
        assert [len(digital(tmp_path, name)) for name in records(tmp_path)] == [(number + 1) * RATE] * 2
    writer.write(Batch(signal=[taken(0, 0, RATE, "s-1")], events=[(beat(0, 30, "V", "s-1"), 9.0)]))
    writer.close()
    names = records(tmp_path)
    assert len(names) == 3
    assert np.array_equal(digital(tmp_path, names[0]), samples(0, 0, 8 * RATE))
    notes = wfdb.rdann(str(tmp_path / names[0]), "atr")
    letters = [(at, symbol) for at, symbol in zip(notes.sample, notes.symbol, strict=True) if symbol != '"']
    assert letters == [(number * RATE + 20, "NSVFQ"[number % 5]) for number in range(8)]
    assert [note for note in notes.aux_note if note] == ["pause onset"]
    assert wfdb.rdann(str(tmp_path / names[1]), "atr").sample.tolist() == [30]
    assert (count(tmp_path, "records"), count(tmp_path, "beats"), count(tmp_path, "alarms")) == (3, 17, 2)


def test_a_gap_is_missing_samples_and_a_very_long_one_another_record(tmp_path: Path) -> None:
    writer = Writer(settings(tmp_path))
    far = round((lanes.FILLED_SECONDS + 20) * RATE)
    writer.write(Batch(signal=[taken(0, 0, 100), taken(0, 150, 200), taken(0, far, far + 50)]))
    writer.close()
    names = records(tmp_path)
    assert [len(digital(tmp_path, name)) for name in names] == [200, 50]
    found = digital(tmp_path, names[0])
    assert (found[100:150] == MISSING).all()
    assert np.array_equal(found[150:], samples(0, 150, 200))


def test_another_scale_begins_another_record(tmp_path: Path) -> None:
    writer = Writer(settings(tmp_path))
    writer.write(Batch(signal=[taken(0, 0, 100), taken(0, 100, 200, gain=400.0)]))
    writer.close()
    assert [len(digital(tmp_path, name)) for name in records(tmp_path)] == [100, 100]


def test_a_stream_that_begins_again_keeps_its_letters_apart(tmp_path: Path) -> None:
    writer = Writer(settings(tmp_path))
    reset = MemoryReset(bed="bed-0", stream="s-0", index=0, reason=ResetReason.RESTARTED)
    events: list[tuple[Event, float]] = [(event, 1.0) for event in (beat(0, 500, "V"), reset, beat(0, 40, "S"))]
    writer.write(Batch(signal=[taken(0, 0, 1000), taken(0, 0, 100)], events=events))
    writer.close()
    found = [wfdb.rdann(str(tmp_path / name), "atr") for name in records(tmp_path)]
    assert [(list(one.sample), one.symbol) for one in found] == [([500], ["V"]), ([40], ["S"])]


def test_a_long_stream_goes_on_in_another_record(tmp_path: Path) -> None:
    writer = Writer(settings(tmp_path, record_hours=0.01))
    for number in range(40):
        writer.write(second(number, 1))
    writer.write(Batch(events=[(beat(0, 36 * RATE + 3, "F"), 1.0), (beat(0, 35 * RATE + 7, "Q"), 1.0)]))
    writer.close()
    first, other = records(tmp_path)
    assert [len(digital(tmp_path, first)), len(digital(tmp_path, other))] == [36 * RATE, 4 * RATE]
    assert wfdb.rdann(str(tmp_path / first), "atr").sample[-1] == 35 * RATE + 20
    assert 35 * RATE + 7 in wfdb.rdann(str(tmp_path / first), "atr").sample
    assert wfdb.rdann(str(tmp_path / other), "atr").sample[0] == 3


def test_hidden_alarms_are_events_and_no_notes(tmp_path: Path) -> None:
    writer = Writer(settings(tmp_path))
    writer.write(Batch(signal=[taken(0, 0, 500)], events=[(alarm(0, 400, "onset", 300, hidden=True), 1.0)]))
    writer.close()
    assert count(tmp_path, "alarms") == 1
    assert len(wfdb.rdann(str(tmp_path / records(tmp_path)[0]), "atr").sample) == 0


def test_a_full_disk_is_said_once_and_recording_begins_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    said: list[str] = []
    writer = Writer(settings(tmp_path), said.append, clock)
    writer.write(second(0, 2))

    def full(self: GrowingRecord, rows: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(GrowingRecord, "append", full)
    for number in (1, 2, 3):
        writer.write(second(number, 2))
    assert said == [f"nothing is recorded in {tmp_path}: No space left on device"] == [writer.problem]
    assert writer.lost == 2 * 3 * RATE + 8  # and eight events
    monkeypatch.undo()
    clock.now += RETRY_SECONDS + 1
    writer.write(second(4, 2))
    assert said[1:] == [f"recording in {tmp_path} goes on"]
    assert writer.problem == ""
    writer.close()
    assert sorted(len(digital(tmp_path, name)) for name in records(tmp_path)) == [RATE] * 4


def test_one_bed_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    said: list[str] = []
    writer = Writer(settings(tmp_path), said.append)
    writer.write(second(0, 2))
    name = next(name for name in records(tmp_path) if name.startswith("bed_0"))
    (tmp_path / f"{name}.dat").unlink()
    writer.write(second(1, 2))
    writer.write(second(2, 2))
    assert said == [f"bed bed-0 is not recorded in {tmp_path}: No such file or directory"]
    other = next(name for name in records(tmp_path) if name.startswith("bed_1"))
    assert len(digital(tmp_path, other)) == 3 * RATE
    writer.close()


def test_a_database_that_fails_is_said_once_and_the_signal_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    writer = Writer(settings(tmp_path), said.append)
    writer.write(second(0, 1))
    with sqlite3.connect(tmp_path / FILE) as base:
        base.execute("DROP TABLE beats")
    for number in (1, 2):
        writer.write(second(number, 1))
    writer.close()
    assert said == [f"events are not recorded in {tmp_path / FILE}: no such table: beats"]
    assert len(digital(tmp_path, records(tmp_path)[0])) == 3 * RATE


def test_what_is_too_old_goes_and_its_events_with_it(tmp_path: Path) -> None:
    clock = Clock()
    writer = Writer(settings(tmp_path, keep_days=1.0), wall_s=clock, age_s=clock)
    writer.write(second(0, 1))
    clock.now += lanes.SILENT_SECONDS + 1
    writer.write(Batch())
    (old,) = records(tmp_path)
    os.utime(tmp_path / f"{old}.dat", (clock.now, clock.now))
    clock.now += 1.1 * pruning.DAY
    writer.write(second(1, 1))
    assert len(records(tmp_path)) == 1
    assert records(tmp_path) != [old]
    assert count(tmp_path, "beats") == 1
    writer.close()


def test_a_clock_that_is_set_forward_removes_nothing(tmp_path: Path) -> None:
    clock = Clock()
    writer = Writer(settings(tmp_path, keep_days=1.0), wall_s=clock, age_s=lambda: 0.0)
    writer.write(second(0, 1))
    clock.now += lanes.SILENT_SECONDS + 400 * pruning.DAY
    writer.write(second(1, 1))
    writer.close()
    assert len(records(tmp_path)) == 1
    assert count(tmp_path, "beats") == 2


def test_the_oldest_go_where_all_together_are_too_much(tmp_path: Path) -> None:
    for number in range(5):
        for kind, size in (("hea", 100), ("dat", 300_000), ("atr", 10)):
            (tmp_path / f"r{number}.{kind}").write_bytes(bytes(size))
            os.utime(tmp_path / f"r{number}.{kind}", (number, number))
    gone, full = pruning.prune(tmp_path, {"r0"}, settings(tmp_path, keep_gib=0.001), 10.0)
    assert (gone, full) == (["r1", "r2"], False)
    assert records(tmp_path) == ["r0", "r3", "r4"]


def test_a_folder_is_recorded_in_by_one_monitor(tmp_path: Path) -> None:
    writer = Writer(settings(tmp_path))
    with pytest.raises(UserError, match="another monitor records in"):
        Writer(settings(tmp_path))
    writer.close()
    Writer(settings(tmp_path)).close()


def test_a_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="name another folder with --record"):
        Writer(settings(tmp_path / "file"))


def test_events_that_cannot_be_read_are_kept_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    said: list[str] = []
    Writer(settings(tmp_path), said.append).close()
    assert len(said) == 1
    assert "start anew, and it is kept as events.sqlite.refused" in said[0]


def damaged(folder: Path, statement: str) -> None:
    """What one turned bit may make of the events that a killed recorder left behind."""
    writer = Writer(settings(folder))
    writer.write(second(0, 1))
    writer._lock.close()
    with sqlite3.connect(folder / FILE) as base:
        base.execute("PRAGMA writable_schema=ON")
        base.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET name = '../bed-0'",
        "UPDATE records SET first = 'x'",
        "UPDATE records SET first = -1",
        "UPDATE beats SET class = '1'",
        "UPDATE beats SET class = cast(x'ff' AS TEXT)",
        "UPDATE beats SET sample = 1 << 62",
        "UPDATE sqlite_schema SET sql = replace(sql, 'class TEXT', 'clasz TEXT') WHERE name = 'beats'",
        "UPDATE sqlite_schema SET sql = cast(x'435245415445205441424c45ff' AS TEXT) WHERE name = 'beats'",
        "UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'beats'",
    ],
)
def test_damaged_events_are_kept_aside_and_the_signal_is_not_touched(tmp_path: Path, statement: str) -> None:
    damaged(tmp_path, statement)
    said: list[str] = []
    writer = Writer(settings(tmp_path), said.append)
    assert len(said) == 1 and "start anew, and it is kept as events.sqlite.refused" in said[0]
    writer.write(second(1, 1))
    writer.close()
    assert [len(digital(tmp_path, name)) for name in records(tmp_path)] == [RATE, RATE]
