"""Events in one SQLite file: beats, alarms, resets, commands, and the records they belong to.

Write-ahead log, one transaction for every call of `add`: a process that is killed loses that transaction at most.
docs/recorder.md describes the tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ecg.records.marks import NOTE, Mark
from monitor.service.recorder.rows import NOTED, Row

FILE: Final = "events.sqlite"
VERSION: Final = 1
TABLES: Final = {
    "records": "id INTEGER PRIMARY KEY, name TEXT UNIQUE, bed TEXT, stream TEXT, record TEXT, rate REAL, leads TEXT, "
    "first INTEGER, begun_s REAL, ended_s REAL, samples INTEGER, bytes INTEGER",
    "beats": "record INTEGER, bed TEXT, stream TEXT, sample INTEGER, class TEXT, n REAL, s REAL, v REAL, f REAL, "
    "q REAL, rr_ms REAL, heart_rate REAL, wall_s REAL",
    "alarms": "record INTEGER, bed TEXT, stream TEXT, sample INTEGER, what TEXT, kind TEXT, priority TEXT, "
    "onset INTEGER, over INTEGER, hidden INTEGER, wall_s REAL",
    "resets": "record INTEGER, bed TEXT, stream TEXT, sample INTEGER, reason TEXT, seconds REAL, wall_s REAL",
    "commands": "record INTEGER, bed TEXT, what TEXT, detail TEXT, wall_s REAL",
}
EVENTS: Final = tuple(name for name in TABLES if name != "records")


DAMAGE: Final = (sqlite3.Error, OSError, ValueError, TypeError, LookupError, ArithmeticError)
"""What a damaged file may make of reading it: SQLite has no checksums, and a column holds whatever stands there."""
LONGEST: Final = 1 << 40
"""No record has so many samples."""


class Left(NamedTuple):
    """A record that was not finished."""

    id: int
    name: str
    first: int


class Database:
    """The file of one folder. All methods raise sqlite3.Error where the disk or the file does not allow it.

    What is read from a damaged file may raise any of DAMAGE.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._base = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=2.0)
        try:
            self._next = self._prepare()
        except BaseException:
            self._base.close()
            raise

    def _prepare(self) -> int:
        """Make what is missing; returns the number of the next record."""
        run = self._base.execute
        run("PRAGMA auto_vacuum=INCREMENTAL")
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=NORMAL")
        version: int = run("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"it is of version {version}, not {VERSION}")
        for name, columns in TABLES.items():
            run(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        for name in EVENTS:
            run(f"CREATE INDEX IF NOT EXISTS {name}_of ON {name} (record)")
        run(f"PRAGMA user_version={VERSION}")
        return int(run("SELECT coalesce(max(id), 0) + 1 FROM records").fetchone()[0])

    def number(self) -> int:
        """The number of the next record."""
        self._next += 1
        return self._next - 1

    def add(self, rows: Sequence[Row]) -> None:
        """All of these, or none."""
        if not rows:
            return
        base = self._base
        base.execute("BEGIN")
        try:
            for table in dict.fromkeys(row.table for row in rows):
                values = [row.values for row in rows if row.table == table]
                places = ", ".join("?" * len(values[0]))
                base.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places})", values)
            base.execute("COMMIT")
        except sqlite3.Error:
            if base.in_transaction:
                base.execute("ROLLBACK")
            raise

    def unfinished(self) -> list[Left]:
        """Records that another process left behind."""
        found = self._base.execute("SELECT id, name, first FROM records WHERE ended_s IS NULL ORDER BY id")
        return [_left(row) for row in found]

    def newest(self, bed: str, stream: str) -> Left | None:
        """The last record of a stream; None where there is none."""
        asked = "SELECT id, name, first FROM records WHERE bed = ? AND stream = ? ORDER BY id DESC LIMIT 1"
        found = self._base.execute(asked, (bed, stream)).fetchone()
        return None if found is None else _left(found)

    def known(self, bed: str, stream: str, since: int) -> frozenset[tuple[object, ...]]:
        """Events of a stream from that sample on: ("beat", sample), ("reset", sample, reason), and of alarms (what,
        kind, sample, onset).
        """
        given, where = (bed, stream, since), "WHERE bed = ? AND stream = ? AND sample >= ?"
        run = self._base.execute
        found = {("beat", *row) for row in run(f"SELECT sample FROM beats {where}", given)}
        found |= {("reset", *row) for row in run(f"SELECT sample, reason FROM resets {where}", given)}
        return frozenset(found | set(run(f"SELECT what, kind, sample, onset FROM alarms {where}", given)))

    def finish(self, number: int, ended_s: float, samples: int, size: int) -> None:
        """A record has its length. size: bytes of its files."""
        self._base.execute(
            "UPDATE records SET ended_s = ?, samples = ?, bytes = ? WHERE id = ?", (ended_s, samples, size, number)
        )

    def marks(self, left: Left) -> list[Mark]:
        """The annotations of a record, in order of their samples, as the annotation file holds them."""
        beats = self._base.execute("SELECT sample, class FROM beats WHERE record = ? AND sample >= ?", left[::2])
        shown = f"record = ? AND sample >= ? AND hidden = 0 AND what IN {NOTED}"
        notes = self._base.execute(f"SELECT sample, what, kind FROM alarms WHERE {shown}", left[::2])
        found = [Mark(_place(sample, left), str(name)) for sample, name in beats]
        found += [Mark(_place(sample, left), NOTE, f"{kind} {what}") for sample, what, kind in notes]
        return sorted(found, key=lambda mark: mark.sample)

    def forget(self, names: Sequence[str], before_s: float) -> None:
        """The events of these records, and those of none that are older than `before_s`."""
        base = self._base
        base.execute("BEGIN")
        try:
            for table in EVENTS:
                of = "record = (SELECT id FROM records WHERE name = ?)"
                base.executemany(f"DELETE FROM {table} WHERE {of}", [(name,) for name in names])
                base.execute(f"DELETE FROM {table} WHERE record IS NULL AND wall_s < ?", (before_s,))
            base.executemany("DELETE FROM records WHERE name = ?", [(name,) for name in names])
            base.execute("COMMIT")
        except sqlite3.Error:
            if base.in_transaction:
                base.execute("ROLLBACK")
            raise
        base.execute("PRAGMA incremental_vacuum").fetchall()

    def close(self) -> None:
        """Put the write-ahead log into the file."""
        self._base.close()


def _left(row: tuple[object, ...]) -> Left:
    """A record as its row has it. Raises sqlite3.Error where that cannot be one: its name must be that of a file."""
    match row:
        case (int(number), str(name), int(first)) if Path(name).name == name and first >= 0:
            return Left(number, name, first)
        case _:
            raise sqlite3.DatabaseError(f"{row!r} is no record")


def _place(sample: object, left: Left) -> int:
    """A sample's place in its record. Raises sqlite3.Error where there cannot be such a one."""
    if not isinstance(sample, int) or not 0 <= sample - left.first <= LONGEST:
        raise sqlite3.DatabaseError(f"there is no sample {sample!r}")
    return sample - left.first
