"""Histories: the last minutes of each shown bed, and the ward as of the last snapshot."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ecg.records.leads import Kind, kind_of
from monitor.link.protocol import (
    AlarmEntry,
    BeatMark,
    BedDetail,
    BedSummary,
    MadeUp,
    Notice,
    ServiceStatus,
    Snapshot,
    TruthNote,
)
from monitor.screen.state.alarms import ordered

REVIEW_SECONDS: Final = 600.0
TRIM_SECONDS: Final = 20.0
MOST_ECG: Final = 2
"""ECG leads drawn of one bed."""
NOTICES: Final = 600
WAITING: Final = 600
"""Details kept of a bed whose summary, with rate and leads, has not come yet."""


_GENERATIONS = count(1)


@dataclass(kw_only=True)
class BedHistory:
    """The last `seconds` of one bed's stream, and its alarm log, newest first. first, next: sample indices that are
    kept, [first, next). made: what of it is simulated.

    generation changes whenever a history starts anew, so that its readers draw it from the start.
    """

    bed: str
    seconds: float = REVIEW_SECONDS
    stream: str = ""
    rate: float = 0.0
    leads: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    first: int = 0
    next: int = 0
    beats: list[BeatMark] = field(default_factory=list)
    truth: list[TruthNote] = field(default_factory=list)
    made: list[MadeUp] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    log: list[AlarmEntry] = field(default_factory=list)
    last_hour: dict[str, int] = field(default_factory=dict)
    generation: int = 0
    _ring: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def take(self, detail: BedDetail, rate: float, leads: list[str], units: list[str] | None = None) -> None:
        """Add a detail. rate: Hz. units: of the leads; mV where none are given. A strip that does not fit the number
        of leads is left out.
        """
        if detail.fresh or detail.stream != self.stream or leads != self.leads or rate != self.rate:
            self.units = list(units or ())
            self._begin(detail.stream, rate, leads)
        for strip in detail.strips:
            whole = np.frombuffer(strip.samples, "<f4")
            if len(whole) % len(self.leads) == 0:
                self._append(strip.index, whole.reshape(-1, len(self.leads)))
        self.beats += detail.beats
        self.truth += detail.truth
        self.made = detail.made
        if detail.memory is not None:
            self.memory = detail.memory
        self.log = self.log if detail.log is None else detail.log
        self.last_hour = self.last_hour if detail.last_hour is None else detail.last_hour
        self._trim()

    def kind(self, lead: int) -> Kind:
        """What that lead shows."""
        return kind_of(self.leads[lead], self.units[lead] if lead < len(self.units) else "")

    def order(self, most: int) -> list[int]:
        """Up to `most` leads to draw: one ECG lead or two, then a pulse. Where none is ECG, what there is."""
        kinds = [self.kind(lead) for lead in range(len(self.leads))]
        shown = [lead for lead, kind in enumerate(kinds) if kind == "ecg"]
        pulses = [lead for kind in ("pressure", "pulse") for lead, its in enumerate(kinds) if its == kind]
        room = most if not pulses else max(most - 1, 1)
        return ([*shown[: min(room, MOST_ECG)], *pulses] or list(range(len(self.leads))))[:most]

    def samples(self, lead: int, start: int, end: int) -> tuple[int, NDArray[np.float32]]:
        """(index of the first, float32 [n] mV): the kept samples of one lead within [start, end)."""
        start, end = max(start, self.first), min(end, self.next)
        if end <= start:
            return start, np.zeros(0, np.float32)
        size = len(self._ring)
        a, b = start % size, end % size
        column = self._ring[:, lead]
        return start, column[a:b] if a < b else np.concatenate((column[a:], column[:b]))

    def keep(self) -> None:
        """Give this copy samples of its own: further samples of the original leave them unchanged."""
        self._ring = self._ring.copy()

    def beats_between(self, start: int, end: int) -> list[BeatMark]:
        """Beats whose R-peaks lie within [start, end)."""
        return _between(self.beats, start, end)

    def truth_between(self, start: int, end: int) -> list[TruthNote]:
        """Reference annotations within [start, end)."""
        return _between(self.truth, start, end)

    def made_between(self, start: int, end: int) -> list[MadeUp]:
        """Stretches that are simulated in the record's place and reach into [start, end), cut to it."""
        return [
            MadeUp(max(one.begin, start), min(one.end, end), one.what)
            for one in self.made
            if one.begin < end and one.end > start
        ]

    def _begin(self, stream: str, rate: float, leads: list[str]) -> None:
        self.stream, self.rate, self.leads = stream, rate, list(leads)
        self.first = self.next = 0
        self.beats, self.truth, self.memory = [], [], []
        self._ring = np.full((max(int(self.seconds * rate), 1), len(leads)), np.nan, np.float32)
        self.generation = next(_GENERATIONS)

    def _append(self, index: int, samples: NDArray[np.float32]) -> None:
        size = len(self._ring)
        if self.first == self.next:
            self.first = self.next = index
        if index > self.next:  # samples are missing: they stay NaN
            for missing in range(max(self.next, index - size), index, size):
                self._write(missing, np.full((min(index - missing, size), samples.shape[1]), np.nan, np.float32))
            self.next = index
        skip = self.next - index
        if skip < len(samples):
            self._write(self.next, samples[skip:])
            self.next = index + len(samples)
        self.first = max(self.first, self.next - size)

    def _write(self, index: int, samples: NDArray[np.float32]) -> None:
        size = len(self._ring)
        kept = samples[-size:]
        at = (index + len(samples) - len(kept)) % size
        head = min(size - at, len(kept))
        self._ring[at : at + head] = kept[:head]
        self._ring[: len(kept) - head] = kept[head:]

    def _trim(self) -> None:
        """Forget beats and annotations whose samples are gone, in steps of TRIM_SECONDS."""
        late = self.first - TRIM_SECONDS * self.rate
        for items in (self.beats, self.truth):
            if items and items[0].index < late:
                del items[: bisect_left(items, self.first, key=_index)]


def _index(item: BeatMark | TruthNote) -> int:
    return item.index


def _between(items: list, start: int, end: int) -> list:  # type: ignore[type-arg]
    return items[bisect_left(items, start, key=_index) : bisect_left(items, end, key=_index)]


class WardHistory:
    """The ward as the snapshots describe it. beds: summaries by name. shown: histories of the beds asked for."""

    def __init__(self) -> None:
        self.status: ServiceStatus | None = None
        self.beds: dict[str, BedSummary] = {}
        self.shown: dict[str, BedHistory] = {}
        self.notices: deque[Notice] = deque(maxlen=NOTICES)
        self.told = 0
        self._waiting: dict[str, list[BedDetail]] = {}

    def show(self, beds: list[str], seconds: float) -> None:
        """Expect details of these beds from now on, and keep `seconds` of each."""
        self.shown = {bed: BedHistory(bed=bed, seconds=seconds) for bed in beds}
        self._waiting = {}

    def take(self, snapshot: Snapshot) -> list[Notice]:
        """Add a snapshot; returns its notices."""
        self.status = snapshot.status
        if snapshot.beds:
            self.beds = {
                bed.bed: replace(bed, alarms=ordered(bed, self.beds.get(bed.bed))) if bed.alarms else bed
                for bed in snapshot.beds
            }
        for detail in snapshot.shown:
            if detail.bed in self.shown:
                waiting = self._waiting.setdefault(detail.bed, [])
                if detail.fresh:
                    waiting.clear()
                waiting.append(detail)
                del waiting[:-WAITING]
        for bed in list(self._waiting):
            summary = self.beds.get(bed)
            history = self.shown[bed]
            details = self._waiting[bed]
            while details:
                if details[0].stream == history.stream and not details[0].fresh:
                    history.take(details.pop(0), history.rate, history.leads, history.units)
                elif summary and details[0].stream == summary.stream and summary.leads:
                    history.take(details.pop(0), summary.rate, summary.leads, summary.units)
                else:
                    break
            if not details:
                del self._waiting[bed]
        self.notices += snapshot.notices
        self.told += len(snapshot.notices)
        return snapshot.notices

    def of_bed(self, bed: str, kinds: tuple[str, ...], most: int) -> list[Notice]:
        """The newest `most` notices of those kinds, newest first. bed: "" for all beds."""
        found: list[Notice] = []
        for notice in reversed(self.notices):
            if notice.kind in kinds and (not bed or notice.bed == bed):
                found.append(notice)
                if len(found) == most:
                    break
        return found
