"""One stream of one bed: its true beats and the answers to them, matched as EC57 does, piece by piece."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASS_OF, CLASSES
from ecg.records.ec57 import confusion, match, match_window
from ecg.wire.messages import TruthMark

KINDS: Final = len(CLASSES) + 1
"""AAMI's classes, and what is none of them."""
NUMBER: Final = {symbol: CLASSES.index(name) for symbol, name in CLASS_OF.items()}
KEPT_LATENCIES: Final = 100_000
JOINED_SECONDS: Final = 15.0
"""Truth that begins later than that in its stream was not heard from the begin: grading begins there."""

Mark = tuple[int, int, float]
"""Sample index, class number, and the clock (s) at which it was heard."""


@dataclass(slots=True)
class Marks:
    """What has been counted. table: int64 [7, 7], true class (row) by the class answered (column); the last column
    holds missed beats, the last row false ones. doubled: false ones beside a beat that was found already.

    late: answers that came later than wanted. early: that came before their R-peak was sent. latencies: ms.
    """

    table: NDArray[np.int64] = field(default_factory=lambda: np.zeros((KINDS + 1, KINDS + 1), np.int64))
    doubled: int = 0
    late: int = 0
    early: int = 0
    latencies: list[float] = field(default_factory=list)

    def add(self, other: Marks) -> None:
        """Count another's too."""
        self.table += other.table
        self.doubled += other.doubled
        self.late += other.late
        self.early += other.early
        self.latencies = (self.latencies + other.latencies)[-KEPT_LATENCIES:]


@dataclass(slots=True)
class Stream:
    """True beats and answers that are not settled yet. rate: Hz. late_ms: an answer that takes longer is late.

    begun: sample from which on answers are graded; None before the first truth.
    """

    rate: float
    late_ms: float
    begun: int | None = None
    _truth: list[Mark] = field(default_factory=list)
    _answers: list[Mark] = field(default_factory=list)
    _flutter: list[list[int]] = field(default_factory=list)
    _settled: int = -1

    def true(self, marks: list[TruthMark], heard_s: float) -> None:
        """Annotations whose samples have just been sent. heard_s: clock at which they came."""
        for mark in marks:
            if self.begun is None:
                self.begun = mark.index if mark.index > JOINED_SECONDS * self.rate else 0
                self._answers = [one for one in self._answers if one[0] >= self.begun - match_window(self.rate)]
            if mark.symbol == "[":
                self._flutter.append([mark.index, 1 << 62])
            elif mark.symbol == "]" and self._flutter:
                self._flutter[-1][1] = mark.index
            elif mark.symbol in NUMBER and mark.index > self._settled:
                self._truth.append((mark.index, NUMBER[mark.symbol], heard_s))

    def answered(self, index: int, kind: int, heard_s: float) -> bool:
        """An answer. False where it comes after its beats were settled, or before grading began: not graded."""
        if index <= self._settled or (self.begun is not None and index < self.begun - match_window(self.rate)):
            return False
        self._answers.append((index, kind, heard_s))
        return True

    def settle(self, heard_before_s: float | None = None) -> Marks:
        """Grade and forget the truth heard before that clock, up to a quiet place (None: all there is)."""
        window = match_window(self.rate)
        for marks in (self._truth, self._answers):
            marks.sort(key=lambda one: one[0])  # of two at one place the first goes first
        every = np.array(sorted([one[0] for one in self._truth] + [one[0] for one in self._answers]), np.int64)
        if not len(every):
            return Marks()
        border = int(every[-1])
        if heard_before_s is not None:
            old = max((one[0] for one in self._truth if one[2] < heard_before_s), default=-1)
            quiet = every[:-1][(np.diff(every) > window) & (every[:-1] <= old)]
            if not len(quiet):
                return Marks()
            border = int(quiet[-1])
        self._settled = border
        truth, answers = self._take(self._truth, border), self._take(self._answers, border)
        truth = [one for one in truth if not self._fluttering(one[0])]
        return self._graded(truth, [one for one in answers if not self._fluttering(one[0])], window)

    def _graded(self, truth: list[Mark], answers: list[Mark], window: int) -> Marks:
        at, kinds = _columns(truth)
        found_at, found_kinds = _columns(answers)
        of_truth, of_answers = match(at, found_at, window)
        made = Marks(confusion(kinds, found_kinds, of_truth, of_answers, KINDS))
        for position, partner in enumerate(of_answers):
            if partner >= 0:
                latency = 1000 * (answers[position][2] - truth[partner][2])
                made.latencies.append(latency)
                made.late += latency > self.late_ms
                made.early += latency < 0
            elif len(at):
                nearest = int(np.abs(at - found_at[position]).argmin())
                made.doubled += bool(abs(at[nearest] - found_at[position]) <= window and of_truth[nearest] >= 0)
        return made

    def _fluttering(self, index: int) -> bool:
        """Ventricular flutter is left out (EC57)."""
        return any(begin <= index <= end for begin, end in self._flutter)

    @staticmethod
    def _take(marks: list[Mark], border: int) -> list[Mark]:
        """All marks up to a sample, taken out of the list."""
        end = bisect_right(marks, border, key=lambda one: one[0])
        taken, marks[:] = marks[:end], marks[end:]
        return taken


def _columns(marks: list[Mark]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places and classes: int64 [n] each."""
    return np.array([one[0] for one in marks], np.int64), np.array([one[1] for one in marks], np.int64)
