"""Alarms scored as the PhysioNet/CinC Challenge 2015 did: is the bedside monitor's alarm at 5:00 true or false.

Each record ends in one alarm of a monitor in an intensive care unit, which experts judged. Records are cut at 5:00, so
that nothing after it is heard, and played through the ward. An alarm of the same kind whose episode touches the last
10 s (the time in which the event must have begun) repeats the monitor's; none of it says that it was false. The score
is (TP + TN) / (TP + TN + FP + 5 FN): Clifford et al., Computing in Cardiology 2015:273-276.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ecg.errors import UserError
from ecg.files import read_text, unread
from ecg.records import library
from ecg.records.record import Record
from monitor.evaluation.replay import Heard, Raised

FILE: Final = "ALARMS"
KINDS: Final = {
    "Asystole": "asystole",
    "Bradycardia": "extreme_bradycardia",
    "Tachycardia": "extreme_tachycardia",
    "Ventricular_Flutter_Fib": "fibrillation",
    "Ventricular_Tachycardia": "ventricular_tachycardia",
}
"""The challenge's alarms, and the kinds of this monitor."""
EVENT_SECONDS: Final = 300.0
WINDOW_SECONDS: Final = 10.0
MISSED_WEIGHT: Final = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of ALARMS: a record, the kind of alarm it ends in (this monitor's name), and what experts said."""

    record: str
    kind: str
    true: bool


@dataclass(slots=True)
class Count:
    """Verdicts of one kind. missed are true alarms that were not raised (FN), repeated false ones that were (FP)."""

    met: int = 0
    missed: int = 0
    repeated: int = 0
    refused: int = 0

    @property
    def score(self) -> float | None:
        """The challenge's; None where nothing was judged."""
        right = self.met + self.refused
        whole = right + self.repeated + MISSED_WEIGHT * self.missed
        return right / whole if whole else None

    def row(self) -> dict[str, float | int | None]:
        """What is reported."""
        return {
            "true": self.met + self.missed,
            "met": self.met,
            "false": self.repeated + self.refused,
            "repeated": self.repeated,
            "score": self.score,
        }


def judged(folder: Path) -> list[Judged]:
    """What ALARMS in a folder says: "record,kind,1" lines. Raises UserError."""
    file = folder / FILE
    try:
        lines = read_text(file).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {file}, which names each record's alarm: {unread(error)}") from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        words = [word.strip() for word in line.split(",")]
        if len(words) != 3 or words[1] not in KINDS or words[2] not in ("0", "1"):
            raise UserError(
                f"{file}, line {number} is {line!r}: give record,kind,0 or 1 with a kind of {', '.join(KINDS)}"
            )
        found.append(Judged(words[0], KINDS[words[1]], words[2] == "1"))
    if not found:
        raise UserError(f"{file} names no record")
    return found


def read(folder: Path) -> tuple[list[Judged], list[Record]]:
    """The judged alarms of a folder and their records, cut at 5:00. Raises UserError."""
    alarms = judged(folder)
    records = []
    for alarm in alarms:
        record = library.read(alarm.record, folder)
        records.append(replace(record, samples=record.samples[: round(EVENT_SECONDS * record.rate)]))
    return alarms, records


def evaluate(alarms: Sequence[Judged], records: Sequence[Record], heard: Sequence[Heard]) -> dict[str, Any]:
    """Score by kind and over all, with any high alarm in the window in place of the kind too.

    before: high alarms an hour in the time before the window. records: what was raised in each window.
    """
    counts = {kind: Count() for kind in KINDS.values()}
    whole, any_high = Count(), Count()
    early: Counter[str] = Counter()
    hours, rows = 0.0, []
    for alarm, record, one in zip(alarms, records, heard, strict=True):
        end = len(record.samples)
        begin = end - round(WINDOW_SECONDS * record.rate)
        there = sorted({each.kind for each in one.raised if each.priority == "high" and _touches(each, begin)})
        for count, raised in (
            (counts[alarm.kind], alarm.kind in there),
            (whole, alarm.kind in there),
            (any_high, bool(there)),
        ):
            _count(count, alarm.true, raised)
        early.update(
            each.kind
            for each in one.raised
            if each.priority == "high" and each.raised < begin and not each.again and not each.hidden
        )
        hours += begin / record.rate / 3600
        rows.append({"record": alarm.record, "kind": alarm.kind, "true": alarm.true, "raised": there})
    return {
        "kinds": {kind: count.row() for kind, count in counts.items()},
        "all": whole.row(),
        "any_high": any_high.row(),
        "before": {
            "hours": hours,
            "high_per_hour": early.total() / hours,
            "kinds": {kind: early[kind] / hours for kind in counts},
        },
        "records": rows,
    }


def _touches(one: Raised, begin: int) -> bool:
    """Does the episode reach into the time from sample `begin` on?."""
    return max(one.over, one.raised) >= begin


def _count(count: Count, true: bool, raised: bool) -> None:
    if true:
        count.met += raised
        count.missed += not raised
    else:
        count.repeated += raised
        count.refused += not raised
