"""Which beats come when, where a record's own beats are given another rhythm."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, cycle
from typing import Final

import numpy as np

from ecg.errors import UserError
from ecg.rhythms.donors import AFTER
from ecg.rhythms.simulation.catalogue import ECTOPY as EXTRA
from ecg.rhythms.simulation.catalogue import INDEPENDENT_RATE, RHYTHMS, Rhythm


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat, or one P wave alone. at: R-peak, samples; of a P wave alone, where its own R-peak would be.

    kind: "N" normal, "n" normal without its P wave, "V" ventricular, "P" a P wave alone. size: of the wave.
    """

    at: int
    kind: str
    size: float = 1.0
    symbol: str = ""


Making = Callable[["Course"], None]


@dataclass(slots=True)
class Course:
    """The beats from one place on, as they are made. rr: interval of the rhythm's own rate, samples.

    rate: Hz. end: no beat stands behind it.
    """

    begin: float
    end: float
    rate: float
    rr: float
    rhythm: str
    rng: np.random.Generator
    beats: list[Beat]

    def add(self, at: float, kind: str, size: float = 1.0) -> None:
        """One beat, or a P wave alone, where there is room for it."""
        if self.begin <= at < self.end:
            self.beats.append(Beat(round(at), kind, size, symbol_of(kind, self.rhythm)))

    def interval(self, loose: float) -> float:
        """One RR interval, samples. loose: its random share."""
        return self.rr * max(1 + self.rng.normal(0, loose), 0.5)


def _regular(kind: str, loose: float = 0.01) -> Making:
    def make(course: Course) -> None:
        at = course.begin
        while at < course.end:
            course.add(at, kind)
            at += course.interval(loose)

    return make


def _pauses(course: Course) -> None:
    """The sinus node stops for two beats now and then."""
    at, beats = course.begin, 0
    while at < course.end:
        course.add(at, "N")
        beats += 1
        at += course.interval(0.02) * (3 if beats % 6 == 0 else 1)


def _extra(pattern: str) -> Making:
    """Extra beats in this order: V ventricular, A atrial; the pause after them makes up for their being early."""

    def make(course: Course) -> None:
        at = course.begin
        for number in count():
            if at >= course.end:
                return
            kind, following = (pattern[place % len(pattern)] for place in (number, number + 1))
            course.add(at, "N" if kind == "A" else kind)
            if kind == "A" and course.beats:
                course.beats[-1] = Beat(course.beats[-1].at, "N", symbol="A")
            early, late = EARLY if following in "VA" else 0.0, (2 - EARLY) if kind in "VA" else 0.0
            at += course.interval(0.01) * (early or late or 1)

    return make


def _blocked(cycles: tuple[int, ...], delays: tuple[float, ...]) -> Making:
    """One atrial impulse in so many is blocked; () for none. delays: s by which the node is slower, in turn."""

    def make(course: Course) -> None:
        at, turns = course.begin, cycle(cycles or (1,))
        left = length = next(turns)
        while at < course.end:
            delay = delays[min(length - left, len(delays) - 1)]
            blocked = bool(cycles) and left == 1
            whole = not delay and not blocked
            course.add(at, "N" if whole else "P")
            if not blocked and not whole:
                course.add(at + delay * course.rate, "n")
            left -= 1
            if not left:
                left = length = next(turns)
            at += course.interval(0.01)

    return make


def _dissociated(p_waves: bool, kind: str) -> Making:
    """Atria and ventricles each by themselves. kind: of the ventricles' beats, "" for none."""

    def make(course: Course) -> None:
        if p_waves:
            at = course.begin
            while at < course.end:
                course.add(at, "P")
                at += 60 / INDEPENDENT_RATE * course.rate * max(1 + course.rng.normal(0, 0.02), 0.5)
        if kind:
            at = course.begin + 0.5 * course.rr
            while at < course.end:
                course.add(at, kind)
                at += course.interval(0.01)

    return make


def _flutter(ratios: tuple[int, ...]) -> Making:
    """One impulse of the atria in so many passes, drawn anew where there are several."""

    def make(course: Course) -> None:
        wave = course.rr / (sum(ratios) / len(ratios))
        at = course.begin
        while at < course.end:
            course.add(at, "n")
            at += wave * ratios[int(course.rng.integers(len(ratios)))]

    return make


def _twisting(course: Course) -> None:
    """The axis of ventricular beats turns about the line."""
    at, angle = course.begin, 0.0
    while at < course.end:
        swell = 0.35 + 0.65 * abs(math.sin(angle / 2 + 0.6))
        course.add(at, "V", swell * math.cos(angle))
        angle += 2 * math.pi / 11 * course.rng.uniform(0.8, 1.2)
        at += course.interval(0.05)


def _nothing(_course: Course) -> None:
    """No beat."""


EARLY: Final = 0.62
"""RR interval before an extra beat, as a share of the usual one; the pause after it makes up for it."""
MADE: Final[dict[str, Making]] = {
    "bradycardia": _regular("N"),
    "tachycardia": _regular("N"),
    "pauses": _pauses,
    "af": _regular("n", 0.16),
    "flutter_2_1": _flutter(RHYTHMS["flutter_2_1"].ratio),
    "flutter_3_1": _flutter(RHYTHMS["flutter_3_1"].ratio),
    "flutter_4_1": _flutter(RHYTHMS["flutter_4_1"].ratio),
    "flutter": _flutter(RHYTHMS["flutter"].ratio),
    "svt": _regular("n"),
    "junctional": _regular("n"),
    "ventricular_escape": _regular("V"),
    "idioventricular": _regular("V", 0.03),
    "vt": _regular("V", 0.02),
    "torsades": _twisting,
    "vf": _nothing,
    "vf_fine": _nothing,
    "asystole": _nothing,
    "standstill": _dissociated(True, ""),
    "av_block_1": _blocked((), (0.16,)),
    "wenckebach": _blocked((4, 4, 5), (0.0, 0.10, 0.16, 0.19)),
    "mobitz_2": _blocked((2, 3, 3, 4), (0.0,)),
    "av_block_3": _dissociated(True, "V"),
}
"""Rhythms that a record's own beats can be given."""
MADE_EXTRA: Final[dict[str, Making]] = {
    "pacs": _extra("NNNNNNA"),
    "pvcs": _extra("NNNNNNNV"),
    "couplets": _extra("NNNNVV"),
    "triplets": _extra("NNNNNNNNVVVV"),
    "bigeminy": _extra("NV"),
    "trigeminy": _extra("NNV"),
}
"""Extra beats that they can be given."""
SYMBOLS: Final = {"svt": "S", "junctional": "j", "ventricular_escape": "E", "av_block_3": "E"}
"""MIT-BIH symbol of the beats of some rhythms; of the others it is their kind."""


def possible(rhythm: str) -> bool:
    """Can a record's own beats be given this rhythm, or these extra beats?."""
    return rhythm in MADE or rhythm in MADE_EXTRA


def known(rhythm: str) -> Rhythm:
    """The rhythm of that name; of extra beats, sinus rhythm."""
    return RHYTHMS.get(rhythm, RHYTHMS["sinus"])


def symbol_of(kind: str, rhythm: str) -> str:
    """MIT-BIH symbol of a beat; "" of a P wave alone."""
    if kind == "P":
        return ""
    return SYMBOLS.get(rhythm, "V" if kind == "V" else "N")


def label_of(rhythm: str) -> str:
    """Label of the truth from the rhythm's beginning on."""
    return RHYTHMS[rhythm].label if rhythm in RHYTHMS else EXTRA[rhythm].label or "(N"


def sequence(
    rhythm: str, rate: float, begin: int, end: int, usual: float, wanted: float | None, rng: np.random.Generator
) -> list[Beat]:
    """The beats of a rhythm between two samples, in order, far enough from both that the record's own stand whole.

    rate: Hz. usual: RR interval of the patient, samples. wanted: 1/min, None for the rhythm's usual one, or the
    patient's where extra beats are added. Raises UserError for a rate that is not the rhythm's.
    """
    limits = known(rhythm)
    per_minute = wanted if wanted is not None else limits.rate if rhythm in MADE else 60 * rate / usual
    if not limits.low <= per_minute <= limits.high:
        raise UserError(f"rate = {per_minute:g} is no {rhythm}: {limits.low:g} to {limits.high:g} are allowed")
    rr = 60 * rate / per_minute
    course = Course(begin + min(0.6 * rr, 0.8 * rate), end - AFTER * rate, rate, rr, rhythm, rng, [])
    {**MADE, **MADE_EXTRA}[rhythm](course)
    return sorted(course.beats, key=lambda beat: beat.at)
