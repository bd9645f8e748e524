"""Single alarms judged: rightly raised, rightly held back, or wrongly raised, by the truth of their records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ecg.records.ec57 import match_window
from ecg.records.record import Record
from ecg.settings import AlarmSettings
from monitor.alarms.kinds import GRAVER, PRIORITY, RANK
from monitor.evaluation.challenge import Judged
from monitor.evaluation.reference import RUNS, Reference, Span, reference
from monitor.evaluation.replay import Heard

Outcome = Literal["right", "held", "wrong", "missed"]
OUTCOMES: Final[dict[Outcome, str]] = {
    "right": "rightly raised",
    "held": "rightly held back",
    "wrong": "wrongly raised",
    "missed": "wrongly held back",
}
GRACE_SECONDS: Final = 3.0
"""An alarm held back so close to an episode of its kind is not rightly held back."""
WINDOW_SECONDS: Final = 10.0
SILENT: Final = ("asystole", "pause")
SLOW: Final = ("bradycardia", "extreme_bradycardia")
SLOW_SECONDS: Final = 1.8
"""Without a beat for so long the rate is below 35/min."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One alarm of one record. onset, at: samples at which its condition began and at which it was known."""

    record: Record
    heard: Heard
    kind: str
    onset: int
    at: int
    outcome: Outcome


def of_beats(records: Sequence[Record], heard: Sequence[Heard], settings: AlarmSettings) -> list[Verdict]:
    """High and medium alarms against annotated beats and rhythms; records without annotations give none.

    An alarm is right where an episode of its kind touches it, wrong where no episode of any graver or equal kind does.
    One that was held back is rightly so where no episode of its kind is near, and wrongly where one touches it; it is
    neither beside a graver alarm that would have hidden it.
    """
    found = []
    for record, one in zip(records, heard, strict=True):
        if record.annotations is None:
            continue
        truth = reference(record.annotations, settings, record.rate, len(record.samples))
        window, grace = match_window(record.rate), round(GRACE_SECONDS * record.rate)
        for each in one.raised:
            if each.kind not in truth.episodes or PRIORITY[each.kind] == "low" or each.again or each.hidden:
                continue
            span = Span(each.onset, max(each.over, each.raised))
            until = Span(each.onset, each.raised)
            if _near(truth, each.kind, span, window) or _silent(truth, each.kind, until, window, record.rate):
                found.append(Verdict(record, one, each.kind, each.onset, each.raised, "right"))
            elif not _explained(truth, each.kind, span, grace):
                found.append(Verdict(record, one, each.kind, each.onset, each.raised, "wrong"))
        for change in (change for change in one.held if PRIORITY[change.kind] != "low"):
            span = Span(change.onset, change.index)
            if any(
                each.kind in GRAVER[change.kind] and Span(each.onset, max(each.over, each.raised)).near(span, 3 * grace)
                for each in one.raised
            ):  # it would not have been seen
                continue
            there = _near(truth, change.kind, span, 0) or _silent(truth, change.kind, span, window, record.rate)
            if there or not _explained(truth, change.kind, span, grace):
                outcome: Outcome = "missed" if there else "held"
                found.append(Verdict(record, one, change.kind, change.onset, change.index, outcome))
    return found


def of_challenge(alarms: Sequence[Judged], records: Sequence[Record], heard: Sequence[Heard]) -> list[Verdict]:
    """The judged alarms of the Challenge 2015: "held" where the monitor of the ward was wrong and this one silent."""
    found = []
    for alarm, record, one in zip(alarms, records, heard, strict=True):
        end = len(record.samples)
        begin = end - round(WINDOW_SECONDS * record.rate)
        raised = [each for each in one.raised if each.kind == alarm.kind and max(each.over, each.raised) >= begin]
        outcome: Outcome = "right" if alarm.true else "wrong" if raised else "held"
        if raised:
            found.append(Verdict(record, one, alarm.kind, raised[-1].onset, raised[-1].raised, outcome))
        elif not alarm.true:
            found.append(Verdict(record, one, alarm.kind, begin, end - 1, "held"))
    return found


def chosen(verdicts: Sequence[Verdict], most: int) -> list[Verdict]:
    """Up to `most` of each outcome: the gravest kinds first, another kind and record each time while there are any."""
    picked = []
    for outcome in OUTCOMES:
        left = sorted((one for one in verdicts if one.outcome == outcome), key=lambda one: (RANK[one.kind], one.at))
        kinds: set[str] = set()
        names: set[str] = set()
        for _ in range(min(most, len(left))):
            best = min(left, key=lambda one: (one.kind in kinds, one.record.name in names, RANK[one.kind], one.at))
            left.remove(best)
            kinds.add(best.kind)
            names.add(best.record.name)
            picked.append(best)
    return picked


def _near(truth: Reference, kind: str, span: Span, window: int) -> bool:
    """Does an episode of the kind touch it? A run of V at any rate bears witness for every alarm of a run."""
    kinds = (kind, "run") if kind in RUNS else (kind,)
    return any(episode.near(span, window) for each in kinds for episode in truth.episodes.get(each, []))


def _silent(truth: Reference, kind: str, until: Span, window: int, rate: float) -> bool:
    """Is there no beat indeed? A silence that lasts to the end of a record is no episode between two beats.

    until: from the onset to where it was known. rate: Hz.
    """
    if kind in SILENT:
        since = until.onset + window
    elif kind in SLOW:
        since = until.over - round(SLOW_SECONDS * rate)
    else:
        return False
    return not bool(((truth.beats > since) & (truth.beats < until.over - window)).any())


def _explained(truth: Reference, kind: str, span: Span, grace: int) -> bool:
    """Is there anything near it that a rhythm of its kind would be?."""
    flutter = kind in (*RUNS, "fibrillation", "extreme_tachycardia", "tachycardia", "asystole")
    near = _near(truth, kind, span, grace)
    return near or (flutter and any(one.near(span, grace) for one in truth.excluded))
