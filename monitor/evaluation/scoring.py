"""Alarms scored against annotated beats and rhythms, EC57 style.

An episode is found where an alarm of its kind overlaps it (by a beat: within the match window of 150 ms); an alarm
that overlaps none is false. Atrial fibrillation and flutter are scored by time as well. The delay of an alarm is the
signal time from the reference episode's onset until the alarm was shown, lookahead of the signal path included.
Twice: with the reference beats, which scores the rules, and with the beats and classes of the network, which scores
the whole monitor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecg.errors import UserError
from ecg.records import aami
from ecg.records.ec57 import match_window
from ecg.records.record import ATRIAL_FLUTTER, Record
from ecg.settings import Config
from monitor.alarms.state import Sign
from monitor.alarms.ward import beats_known_after
from monitor.evaluation.reference import RUNS, Reference, Span, reference
from monitor.evaluation.replay import Heard, Raised, replay, signs_of

SCORED: dict[str, tuple[str, ...]] = {
    "asystole": ("asystole",),
    "fibrillation": ("fibrillation",),
    "ventricular_tachycardia": ("ventricular_tachycardia",),
    "extreme_tachycardia": ("extreme_tachycardia",),
    "extreme_bradycardia": ("extreme_bradycardia",),
    "run": RUNS,
    "nonsustained_vt": ("nonsustained_vt",),
    "ventricular_rhythm": ("ventricular_rhythm",),
    "pause": ("pause",),
    "tachycardia": ("tachycardia",),
    "bradycardia": ("bradycardia",),
    "atrial_fibrillation": ("atrial_fibrillation",),
    "r_on_t": ("r_on_t",),
    "couplet": ("couplet",),
    "bigeminy": ("bigeminy",),
    "trigeminy": ("trigeminy",),
    "frequent_v": ("frequent_v",),
}
"""Kinds of reference episode, and the alarms that find one."""

LABELS: dict[str, tuple[str, ...]] = {
    "(VFL": ("fibrillation",),
    "(VFIB": ("fibrillation",),
    "(VF": ("fibrillation",),
    "(ASYS": ("asystole",),
    "(VT": RUNS,
    "(IVR": RUNS,
    "(AFIB": ("atrial_fibrillation",),
    "(B": ("bigeminy",),
    "(T": ("trigeminy",),
    "(SBR": ("bradycardia", "extreme_bradycardia"),
}
"""The cardiologists' rhythm labels, and the alarms that find one."""

TIMED = ("atrial_fibrillation", "fibrillation")
HIGH = ("asystole", "fibrillation", "ventricular_tachycardia", "extreme_tachycardia", "extreme_bradycardia")


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one kind over some records. delays: seconds, one for each episode found.

    seconds_both, seconds_missed, seconds_false: time in alarm and in an episode, in an episode alone, in alarm alone.
    """

    episodes: int = 0
    found: int = 0
    alarms: int = 0
    true: int = 0
    delays: list[float] = field(default_factory=list)
    seconds_both: float = 0.0
    seconds_missed: float = 0.0
    seconds_false: float = 0.0

    def add(self, other: Tally) -> None:
        """Count the other's records too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self, hours: float) -> dict[str, float | int | None]:
        """What is reported; None where there is nothing to divide by."""
        timed = self.seconds_both + self.seconds_missed + self.seconds_false > 0
        return {
            "episodes": self.episodes,
            "found": self.found,
            "sensitivity": _share(self.found, self.episodes),
            "alarms": self.alarms,
            "true": self.true,
            "predictivity": _share(self.true, self.alarms),
            "false_per_hour": (self.alarms - self.true) / hours,
            "delay_median_s": float(np.median(self.delays)) if self.delays else None,
            "delay_longest_s": max(self.delays, default=None),
            "time_sensitivity": _share(self.seconds_both, self.seconds_both + self.seconds_missed) if timed else None,
            "time_predictivity": _share(self.seconds_both, self.seconds_both + self.seconds_false) if timed else None,
        }


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


Tallies = dict[str, Tally]


def score(raised: Sequence[Raised], truth: Reference, rate: float, length: int) -> tuple[Tallies, Tallies]:
    """Tallies by kind, and by rhythm label, of one record. rate: Hz. length: samples."""
    window, lag = match_window(rate), beats_known_after(rate)
    kinds: Tallies = {}
    for kind, names in SCORED.items():
        own = [one for one in raised if one.kind in names]
        episodes = truth.episodes.get(kind, [])
        excluded = [] if kind in TIMED else truth.excluded
        if kind == "atrial_fibrillation":
            excluded = truth.rhythms.get(ATRIAL_FLUTTER, [])
        kinds[kind] = _tally(own, episodes, excluded, window, lag, rate)
        if kind in TIMED:
            _time(kinds[kind], own, episodes, excluded, rate, length)
    labels = {
        label: _tally([one for one in raised if one.kind in names], truth.rhythms.get(label, []), [], window, lag, rate)
        for label, names in LABELS.items()
    }
    return kinds, labels


def _tally(
    raised: Sequence[Raised], episodes: Sequence[Span], excluded: Sequence[Span], window: int, lag: int, rate: float
) -> Tally:
    """Episodes and alarms matched by overlap; an alarm that touches excluded time alone is not counted."""
    tally = Tally(episodes=len(episodes))
    right = [False] * len(raised)
    for episode in episodes:
        hits = [i for i, one in enumerate(raised) if episode.near(Span(one.onset, max(one.over, one.raised)), window)]
        if hits:
            tally.found += 1
            tally.delays.append(max(min(raised[i].raised for i in hits) + lag - episode.onset, 0) / rate)
        for i in hits:
            right[i] = True
    for one, good in zip(raised, right, strict=True):
        if good or not any(span.near(Span(one.onset, one.over)) for span in excluded):
            tally.alarms += 1
            tally.true += good
    return tally


def _time(
    tally: Tally, raised: Sequence[Raised], episodes: Sequence[Span], excluded: Sequence[Span], rate: float, length: int
) -> None:
    """Time in alarm against time in episodes; excluded time counts as neither."""
    alarm, there, left_out = (np.zeros(length, bool) for _ in range(3))
    for one in raised:
        alarm[one.onset : one.over + 1] = True
    for flags, spans in ((there, episodes), (left_out, excluded)):
        for span in spans:
            flags[span.onset : span.over + 1] = True
    tally.seconds_both = float((alarm & there).sum() / rate)
    tally.seconds_missed = float((there & ~alarm).sum() / rate)
    tally.seconds_false = float((alarm & ~there & ~left_out).sum() / rate)


def groups(names: Sequence[str]) -> dict[str, list[str]]:
    """Record groups of a report: DS1, DS2 and all, those that hold something else than another."""
    parts = {"DS1": set(aami.DS1), "DS2": set(aami.DS2)}
    found = {group: [name for name in names if name in members] for group, members in parts.items()}
    found = {group: members for group, members in found.items() if members and len(members) < len(names)}
    return {**found, "all": list(names)}


def evaluate(
    records: Sequence[Record], settings: Config, heard: Sequence[Heard] | None = None
) -> dict[str, dict[str, Any]]:
    """The report's numbers, by record group, then by beats ("reference" and "model").

    heard: what the monitor makes of each record, where that is to be scored too. Raises UserError for a record without
    annotations.
    """
    scores: dict[str, dict[str, tuple[Tallies, Tallies]]] = {}
    signs = signs_of(records, settings.monitor)
    for number, record in enumerate(records):
        if record.annotations is None:
            raise UserError(f"record {record.name} has no annotations to score alarms against; choose another")
        if not any(symbol in aami.CLASS_OF for symbol in record.annotations.symbol.tolist()):
            raise UserError(f"record {record.name} has no annotated beats; score its rhythm labels with --rhythms")
        length = len(record.samples)
        truth = reference(record.annotations, settings.alarms, record.rate, length)
        sure = [Sign(s.index, s.fibrillation, False, s.lead_off, s.onset) for s in signs[number]]
        raised = {"reference": replay(settings.alarms, record.rate, length, sure, truth.beats, truth.classes)}
        if heard is not None:
            raised["model"] = heard[number].raised
        for name, alarms in raised.items():
            scores.setdefault(name, {})[record.name] = score(alarms, truth, record.rate, length)
    hours = {record.name: record.seconds / 3600 for record in records}
    report_: dict[str, dict[str, Any]] = {}
    for group, members in groups([record.name for record in records]).items():
        total = sum(hours[name] for name in members)
        report_[group] = {"records": members, "hours": total}
        for name, by_record in scores.items():
            report_[group][name] = _summary([by_record[member] for member in members], total)
    return report_


def _summary(scores: Sequence[tuple[Tallies, Tallies]], hours: float) -> dict[str, Any]:
    """Rows by kind and by label, and the false alarms of high priority."""
    sums: tuple[Tallies, Tallies] = ({kind: Tally() for kind in SCORED}, {label: Tally() for label in LABELS})
    for one in scores:
        for total, part in zip(sums, one, strict=True):
            for name, tally in part.items():
                total[name].add(tally)
    kinds, labels = sums
    false = sum(kinds[kind].alarms - kinds[kind].true for kind in HIGH)
    slowest = max((delay for kind in HIGH for delay in kinds[kind].delays), default=None)
    return {
        "kinds": {kind: tally.row(hours) for kind, tally in kinds.items()},
        "labels": {label: tally.row(hours) for label, tally in labels.items()},
        "high": {"false": false, "false_per_hour": false / hours, "delay_longest_s": slowest},
    }
