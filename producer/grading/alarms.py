"""Alarms of another program against the rhythms of the truth: found, false, and how long they took.

An episode of a rhythm asks for its alarm; it is found where the alarm's onset lies in it or up to 10 s before or behind
(IEC 60601-2-27 allows 10 s). An alarm with no such episode near it is false. Episodes too short to raise an alarm ask
for none, but excuse one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ecg.records.ec57 import Score
from ecg.wire.messages import TruthMark
from producer.grading.answers import Raised

ASKED: Final[dict[str, tuple[tuple[str, ...], float]]] = {
    "ventricular_tachycardia": (("(VT",), 4.0),
    "fibrillation": (("(VF", "(VFIB", "(VFL"), 4.0),
    "atrial_fibrillation": (("(AFIB",), 60.0),
    "asystole": (("(ASYS",), 5.0),
}
"""Alarms that are graded: the rhythms that ask for each, and the seconds an episode must last to do so."""
NEAR_SECONDS: Final = 10.0
MOST_ALARMS: Final = 100_000


@dataclass(slots=True)
class AlarmMarks:
    """What has been counted, by alarm. delays: s of signal from an episode's begin until its alarm was told."""

    scores: dict[str, Score] = field(default_factory=dict)
    delays: dict[str, list[float]] = field(default_factory=dict)

    def add(self, other: AlarmMarks) -> None:
        """Count another's too."""
        for kind, score in other.scores.items():
            self.scores[kind] = self.scores.get(kind, Score(0, 0, 0)) + score
        for kind, delays in other.delays.items():
            self.delays.setdefault(kind, []).extend(delays)


@dataclass(slots=True)
class AlarmStream:
    """Rhythms and alarms of one stream. rate: Hz."""

    rate: float
    _episodes: list[tuple[int, str]] = field(default_factory=list)
    _end: int = 0
    _raised: dict[tuple[str, int], int] = field(default_factory=dict)

    def true(self, marks: list[TruthMark]) -> None:
        """Annotations as they come: the rhythm in force at each."""
        for mark in marks:
            if not self._episodes or self._episodes[-1][1] != mark.rhythm:
                self._episodes.append((mark.index, mark.rhythm))
            self._end = max(self._end, mark.index)

    def raised(self, alarm: Raised) -> None:
        """An alarm that is active. Told again, it is the same one."""
        if len(self._raised) < MOST_ALARMS:
            self._raised.setdefault((alarm.kind, alarm.onset), alarm.until)

    def settle(self) -> AlarmMarks:
        """Grade everything."""
        made, near = AlarmMarks(), NEAR_SECONDS * self.rate
        ends = [begin for begin, _ in self._episodes[1:]] + [self._end]
        whole = [(begin, end, rhythm) for (begin, rhythm), end in zip(self._episodes, ends, strict=True)]
        for kind, (rhythms, seconds) in ASKED.items():
            spans = [(begin, end) for begin, end, rhythm in whole if rhythm in rhythms]
            alarms = [(onset, until) for (name, onset), until in self._raised.items() if name == kind]
            found = missed = 0
            for begin, end in spans:
                told = [until for onset, until in alarms if begin - near <= onset <= end + near]
                if told:
                    found += 1
                    made.delays.setdefault(kind, []).append(max(min(told) - begin, 0) / self.rate)
                elif end - begin >= seconds * self.rate:
                    missed += 1
            false = sum(not any(b - near <= onset <= e + near for b, e in spans) for onset, _ in alarms)
            if found or missed or false:
                made.scores[kind] = Score(found, missed, false)
        return made
