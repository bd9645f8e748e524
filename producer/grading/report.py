"""Grades in numbers: a table for people, a tree for programs, and what was required of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan, nan
from typing import Any, Final

import numpy as np
from rich.table import Table

from ecg.errors import UserError
from ecg.records.aami import CLASSES
from ecg.records.ec57 import Score, class_score
from producer.grading.alarms import ASKED, AlarmMarks
from producer.grading.marks import Marks

AT_MOST: Final = ("latency_p50", "latency_p99", "missed", "false", "doubled", "late", "unreadable")
"""Numbers that a requirement bounds from above; Se and +P are bounded from below."""


@dataclass(slots=True)
class Grades:
    """All that was counted. answers: heard of beds with truth. unreadable: messages that held no beat, why: the last
    such. strange: answers of beds or streams that are not being sent. overdue: that came when their beats were graded.
    """

    marks: Marks = field(default_factory=Marks)
    alarms: AlarmMarks = field(default_factory=AlarmMarks)
    beds: set[str] = field(default_factory=set)
    answers: int = 0
    unreadable: int = 0
    why: str = ""
    strange: int = 0
    overdue: int = 0

    def beats(self) -> Score:
        """Whether beats were found, whatever they were called."""
        table = self.marks.table
        found = int(table[:-1, :-1].sum())
        return Score(found, int(table[:-1, -1].sum()), int(table[-1, :-1].sum()))

    def numbers(self) -> dict[str, float]:
        """Every number that may be required, by name; NaN where there was nothing to count."""
        beats, late = self.beats(), self.marks.late + self.overdue
        made = {"beats.se": beats.sensitivity, "beats.ppv": beats.predictivity}
        for column, name in enumerate(CLASSES):
            score = class_score(self.marks.table, column)
            made |= {f"{name}.se": score.sensitivity, f"{name}.ppv": score.predictivity}
        for kind in ASKED:
            score = self.alarms.scores.get(kind, Score(0, 0, 0))
            made |= {f"{kind}.se": score.sensitivity, f"{kind}.ppv": score.predictivity}
        for share in (50, 99):
            known = self.marks.latencies
            made[f"latency_p{share}"] = float(np.percentile(known, share)) if known else nan
        counts = {"missed": beats.missed, "false": beats.false, "doubled": self.marks.doubled, "late": late}
        return made | {name: float(count) for name, count in (counts | {"unreadable": self.unreadable}).items()}


@dataclass(frozen=True, slots=True)
class Requirement:
    """A number and its bound."""

    name: str
    bound: float

    def met(self, numbers: dict[str, float]) -> bool:
        """Does it hold? What was never counted does not."""
        value = numbers[self.name]
        return not isnan(value) and (value <= self.bound if self.name in AT_MOST else value >= self.bound)


def requirements(given: list[str]) -> list[Requirement]:
    """Requirements as typed: V.se=0.95, latency_p99=1500. Raises UserError."""
    known = Grades().numbers()
    made = []
    for text in given:
        name, _, bound = text.partition("=")
        try:
            value = float(bound)
        except ValueError:
            value = nan
        if name not in known or isnan(value):
            raise UserError(
                f"--require {text} cannot be used: give NAME=NUMBER, where NAME is one of {', '.join(known)}"
            )
        made.append(Requirement(name, value))
    return made


def tree(grades: Grades, required: list[Requirement]) -> dict[str, Any]:
    """Everything for JSON; what was never counted is null. Latencies in ms."""
    numbers = grades.numbers()
    plain = {name: None if isnan(value) else value for name, value in numbers.items()}
    beats, table = grades.beats(), grades.marks.table
    return {
        "beds": sorted(grades.beds),
        "answers": grades.answers,
        "beats": {"true": beats.found + beats.missed, "found": beats.found, "se": plain["beats.se"]}
        | {"ppv": plain["beats.ppv"]}
        | {name: round(numbers[name]) for name in ("missed", "false", "doubled", "late")},
        "classes": {
            name: {
                "true": int(table[column].sum()),
                "named": int(table[:, column].sum()),
                "se": plain[f"{name}.se"],
                "ppv": plain[f"{name}.ppv"],
            }
            for column, name in enumerate(CLASSES)
        },
        "alarms": {
            kind: {
                **{"found": score.found, "missed": score.missed, "false": score.false},
                **{"se": plain[f"{kind}.se"], "ppv": plain[f"{kind}.ppv"]},
                "slowest_s": max(grades.alarms.delays.get(kind, []), default=None),
            }
            for kind, score in grades.alarms.scores.items()
        },
        "latency_ms": {"p50": plain["latency_p50"], "p99": plain["latency_p99"]},
        "early": grades.marks.early,
        "strange": grades.strange,
        "unreadable": grades.unreadable,
        "why": grades.why,
        "confusion": {"classes": [*CLASSES, "other", "none"], "true_by_answered": table.tolist()},
        "required": [
            {"name": one.name, "bound": one.bound, "value": plain[one.name], "met": one.met(numbers)}
            for one in required
        ],
    }


def shown(grades: Grades, required: list[Requirement]) -> Table:
    """The same for people: a row for each class, the rest below."""
    numbers, beats = grades.numbers(), grades.beats()
    made = Table(title=f"{grades.answers} answers on {len(grades.beds)} beds", title_style="bold")
    for heading in ("", "true", "answered", "Se %", "+P %"):
        made.add_column(heading, justify="right")
    made.add_row("beats", str(beats.found + beats.missed), str(beats.found + beats.false),
                 *(_percent(numbers[f"beats.{one}"]) for one in ("se", "ppv")), end_section=True)  # fmt: skip
    for column, name in enumerate(CLASSES):
        rows = [int(grades.marks.table[column].sum()), int(grades.marks.table[:, column].sum())]
        made.add_row(name, *map(str, rows), *(_percent(numbers[f"{name}.{one}"]) for one in ("se", "ppv")))
    said = [f"{name} {numbers[name]:.0f}" for name in ("missed", "false", "doubled", "late")]
    said += [
        f"latency p50 {_ms(numbers['latency_p50'])}, p99 {_ms(numbers['latency_p99'])} (from the R-peak's sending)"
    ]
    for kind, score in grades.alarms.scores.items():
        said.append(f"alarm {kind}: {score.found} found, {score.missed} missed, {score.false} false")
    if grades.unreadable or grades.strange:
        said += [f"{grades.unreadable} unreadable ({grades.why})"] if grades.unreadable else []
        said += [f"{grades.strange} of beds or streams that are not sent"] if grades.strange else []
    said += [
        f"{one.name} {'met' if one.met(numbers) else 'NOT MET'}: {numbers[one.name]:g}, required {one.bound:g}"
        for one in required
    ]
    made.caption = "\n".join([", ".join(said[:4]), *said[4:]])
    return made


def _percent(share: float) -> str:
    return "-" if isnan(share) else f"{100 * share:.2f}"


def _ms(latency: float) -> str:
    return "-" if isnan(latency) else f"{latency:.0f} ms"
