"""The courses of beds: a value every ten seconds of signal, from the time a screen first asks, whoever looks on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ecg.records.leads import kind_of
from ecg.trends import variability
from monitor.link.protocol import STEP_SECONDS, Course, Point
from monitor.ward.bed import Bed
from monitor.ward.history import History
from monitor.ward.ward import Ward

MOST_VALUES: Final = 8640
"""Values kept of a bed: a day."""
MOST_BEDS: Final = 16
"""Beds whose course is kept: beyond, the one that was asked for the longest ago is given up."""
HRV_SECONDS: Final = 60.0
LATE_SECONDS: Final = 1.0
"""Beats are named so late."""
NOTHING: Final = float("nan")


@dataclass(slots=True)
class Kept:
    """The course of one stream. first: number of its first value, counted from the stream's beginning."""

    stream: str = ""
    first: int = 0
    points: deque[Point] = field(default_factory=lambda: deque(maxlen=MOST_VALUES))
    _begun: History | None = None

    @property
    def next(self) -> int:
        """Number of the next value."""
        return self.first + len(self.points)

    def follow(self, bed: Bed) -> None:
        """Add what is complete by now. Where the stream is another one, or much of it is gone, it begins anew."""
        if not bed.rate:
            return
        step, history = round(STEP_SECONDS * bed.rate), bed.history
        oldest = -(-history.signal.first // step)
        if self._begun is not history or oldest > self.next:
            self._begun, self.stream, self.first = history, bed.stream, oldest
            self.points.clear()
        while (self.next + 1) * step <= history.signal.next - LATE_SECONDS * bed.rate:
            if len(self.points) == MOST_VALUES:
                self.points.popleft()
                self.first += 1
            self.points.append(_point(bed, self.next * step, (self.next + 1) * step))

    def since(self, number: int) -> Course:
        """The values from that number on."""
        first = max(number, self.first)
        return Course(self.stream, first, [self.points[at] for at in range(first - self.first, len(self.points))])


class Courses:
    """The courses of the beds that any screen has asked for, kept for as long as the service runs."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self._kept: dict[str, Kept] = {}

    def ask(self, bed: str) -> None:
        """Keep the course of this bed from now on, and of its history."""
        kept = self._kept.pop(bed, None)
        self._kept[bed] = Kept() if kept is None else kept
        while len(self._kept) > MOST_BEDS:
            del self._kept[next(iter(self._kept))]
        self.follow()

    def follow(self) -> None:
        """Add what is complete by now, of all of them."""
        for name, kept in self._kept.items():
            bed = self._ward.beds.get(name)
            if bed is not None:
                kept.follow(bed)

    def since(self, bed: str, stream: str, number: int) -> Course | None:
        """The course of a bed from a value on, of its present stream; None where nobody asked for it."""
        kept = self._kept.get(bed)
        if kept is None or kept.stream != stream:
            return None
        return kept.since(number)


def _point(bed: Bed, since: int, until: int) -> Point:
    """What is seen in the samples [since, until)."""
    beats = [beat for beat in bed.history.beats if until - HRV_SECONDS * bed.rate <= beat.index < until]
    known = [beat.rr_ms for beat in beats if beat.rr_ms and beat.index >= since]
    found = variability(beats)
    rate = 60_000 / float(np.mean(known)) if known else NOTHING
    return Point(rate, found.rmssd if found else NOTHING, _pressure(bed, since, until))


def _pressure(bed: Bed, since: int, until: int) -> float:
    """The mean of the first pressure that the bed sends."""
    units = bed.terms.units
    for lead, name in enumerate(bed.terms.leads):
        if kind_of(name, units[lead] if lead < len(units) else "") != "pressure":
            continue
        parts = [
            samples[: max(until - index, 0), lead]
            for index, samples in bed.history.signal.strips(since)
            if index < until
        ]
        heard = np.concatenate(parts) if parts else np.zeros(0)
        heard = heard[~np.isnan(heard)]
        return float(heard.mean()) if len(heard) else NOTHING
    return NOTHING
