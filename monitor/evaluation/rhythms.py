"""Alarms scored against rhythm labels alone, as the MIT-BIH Malignant Ventricular Ectopy Database has them.

Its labels say "(VFL", "(VFIB" or "(VF", "(VT", "(ASYS" and more, and no beat is annotated (Greenwald 1986). Spans of
one group that follow one another are one. An episode of 5 s or more is found where its alarm is shown within 10 s of
its onset (IEC 60601-2-27); an alarm is true where it overlaps a span of its group, however short.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Annotations, Record
from monitor.alarms.kinds import KINDS, PRIORITY
from monitor.alarms.ward import beats_known_after
from monitor.evaluation.reference import Span, rhythm_spans
from monitor.evaluation.replay import Heard, Raised

GROUPS: Final = {
    "fibrillation": ("(VF", "(VFIB", "(VFL"),
    "ventricular_tachycardia": ("(VT",),
    "asystole": ("(ASYS",),
}
"""The labels an alarm of high priority is asked for."""
OTHERS: Final = frozenset(
    "(AB (AFIB (AFL (AT (B (BBB (BI (BII (HGEA (IVR (J (N (NOD (NOISE (NSR (P (PM (PREX (SAB (SBR (SVTA (T (VER".split()
)
"""Labels that are known and ask for none."""
EITHER: Final = ("fibrillation", "ventricular_tachycardia")
LEAST_SECONDS: Final = 5.0
IN_TIME_SECONDS: Final = 10.0


@dataclass(slots=True)
class Tally:
    """Counts of one group. in_time: episodes whose alarm came within 10 s; either: with VT or fibrillation."""

    episodes: int = 0
    in_time: int = 0
    either: int = 0
    any_high: int = 0
    alarms: int = 0
    true: int = 0
    delays: list[float] = field(default_factory=list)
    false_in: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: {"both": 0.0, "missed": 0.0, "false": 0.0})

    def row(self) -> dict[str, Any]:
        """What is reported; None where there is nothing to divide by."""
        both, missed, false = (self.seconds[name] for name in ("both", "missed", "false"))
        return {
            "episodes": self.episodes,
            "in_time": self.in_time,
            "in_time_as_vt_or_fibrillation": self.either,
            "in_time_any_high": self.any_high,
            "delay_median_s": float(np.median(self.delays)) if self.delays else None,
            "alarms": self.alarms,
            "true": self.true,
            "false_in": dict(self.false_in.most_common()),
            "time_sensitivity": both / (both + missed) if both + missed else None,
            "time_predictivity": both / (both + false) if both + false else None,
        }


def read(folder: Path) -> list[Record]:
    """The folder's records. Raises UserError where one has no rhythm labels."""
    records = [library.read(name, folder) for name in library.find("all", folder)]
    for record in records:
        if record.annotations is None or not any(record.annotations.rhythm.tolist()):
            raise UserError(f"record {record.name} in {folder} has no rhythm labels to score alarms against")
    return records


def evaluate(records: Sequence[Record], heard: Sequence[Heard]) -> dict[str, Any]:
    """Episodes, alarms and time by group; what was raised under each label; the labels nobody knows."""
    tallies = {kind: Tally() for kind in GROUPS}
    spans_of: Counter[str] = Counter()
    seconds_of: dict[str, float] = {}
    under: dict[str, Counter[str]] = {}
    for record, one in zip(records, heard, strict=True):
        assert record.annotations is not None
        length = len(record.samples)
        rhythms = rhythm_spans(record.annotations, length)
        for label, spans in rhythms.items():
            spans_of[label] += len(spans)
            seconds = sum(span.over + 1 - span.onset for span in spans) / record.rate
            seconds_of[label] = seconds_of.get(label, 0.0) + seconds
        for each in one.raised:
            if PRIORITY[each.kind] == "high" and not each.again:
                under.setdefault(label_at(record.annotations, each.raised), Counter())[each.kind] += 1
        for kind, tally in tallies.items():
            spans = joined([span for label in GROUPS[kind] for span in rhythms.get(label, [])])
            _score(tally, kind, spans, one.raised, record)
    known = OTHERS.union(*GROUPS.values())
    return {
        "records": [record.name for record in records],
        "hours": sum(record.seconds for record in records) / 3600,
        "kinds": {kind: tally.row() for kind, tally in tallies.items()},
        "labels": {
            label: {
                "spans": spans_of[label],
                "seconds": seconds,
                "known": label in known,
                "high": {
                    kind: under.get(label, Counter())[kind] for kind in KINDS if under.get(label, Counter())[kind]
                },
            }
            for label, seconds in sorted(seconds_of.items(), key=lambda item: -item[1])
        },
        "unlabelled_high": dict(under.get("", Counter())),
    }


def _score(tally: Tally, kind: str, spans: Sequence[Span], raised: Sequence[Raised], record: Record) -> None:
    """Count one record's episodes and alarms of one kind."""
    assert record.annotations is not None
    rate, lag = record.rate, beats_known_after(record.rate)
    own = [one for one in raised if one.kind == kind]
    for span in spans:
        if span.over + 1 - span.onset < LEAST_SECONDS * rate:
            continue
        tally.episodes += 1
        delay = _delay(span, own, lag, rate)
        if delay is not None and delay <= IN_TIME_SECONDS:
            tally.in_time += 1
            tally.delays.append(delay)
        for name, kinds in (("either", EITHER), ("any_high", [one for one in KINDS if PRIORITY[one] == "high"])):
            first = _delay(span, [one for one in raised if one.kind in kinds], lag, rate)
            setattr(tally, name, getattr(tally, name) + (first is not None and first <= IN_TIME_SECONDS))
    alarm, there = np.zeros(len(record.samples), bool), np.zeros(len(record.samples), bool)
    for span in spans:
        there[span.onset : span.over + 1] = True
    for one in own:
        alarm[one.onset : one.over + 1] = True
        if one.again:
            continue
        tally.alarms += 1
        if any(span.near(Span(one.onset, max(one.over, one.raised))) for span in spans):
            tally.true += 1
        else:
            tally.false_in[label_at(record.annotations, one.raised)] += 1
    for name, flags in (("both", alarm & there), ("missed", there & ~alarm), ("false", alarm & ~there)):
        tally.seconds[name] += float(flags.sum() / rate)


def _delay(span: Span, raised: Sequence[Raised], lag: int, rate: float) -> float | None:
    """Seconds from the episode's onset until an alarm that overlaps it is shown; 0 where one was shown before."""
    at = [one.raised for one in raised if span.near(Span(one.onset, max(one.over, one.raised)))]
    return max(min(at) + lag - span.onset, 0) / rate if at else None


def joined(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that follow one another without a break made one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: one.onset):
        if found and span.onset <= found[-1].over + 1:
            found[-1] = Span(found[-1].onset, max(found[-1].over, span.over))
        else:
            found.append(span)
    return found


def label_at(notes: Annotations, index: int) -> str:
    """The rhythm in force at a sample; "" before the first label."""
    place = int(np.searchsorted(notes.index, index, side="right")) - 1
    return str(notes.rhythm[place]) if place >= 0 else ""
