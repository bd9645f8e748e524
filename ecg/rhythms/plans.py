"""What is to happen to each beat of a made-up version of a record: rhythms, drawn at random.

Normal beats that are made early become S, and their P wave is changed; normal beats in irregular stretches, before and
after pauses or in a slowing or quickening rhythm stay N, so that early is not all there is to S. Ventricular beats of
other records take the place of normal ones (V), or are mixed with them (F). Beats that reach the ventricles another way
look like normal ones of other records, and stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.donors import Floats, Focus

SHORTEST: Final = 0.30
"""s, of RR intervals made here."""
GAP: Final = 2.0
"""s; longer RR intervals (ventricular flutter, noise) are left alone."""
SICK_FROM_THE_START: Final = 0.12
QUICK_FROM_THE_START: Final = 0.15
"""Share of versions whose sinus node quickens or slows as soon as they begin."""
NOISY: Final = 0.4
"""Share of versions with noise."""
WITHOUT_P: Final = 0.85
"""Share of ventricular beats without a P wave before them."""
DETOURS: Final = 0.5
"""Share of versions in which some early beats take another way through the ventricles (aberrant conduction)."""
LONGEST_RUN: Final = 150
"""Early beats in a run at most."""


class PWave(NamedTuple):
    """An ectopic P wave, made of the normal one.

    size, turn: share of the normal wave in it, and of that wave's slope, made as large. later: s that it comes later.
    """

    size: float
    turn: float = 0.0
    later: float = 0.0


class Wave(NamedTuple):
    """Fibrillating atria from one beat to another: size in units of the normal QRS, and frequency."""

    first: int
    last: int
    size: float
    hertz: float


class Noise(NamedTuple):
    """What is not of the heart from one beat to another: rms in units of the normal QRS, and its band in Hz.

    bursts: spread (log) of its size from second to second.
    """

    first: int
    last: int
    size: float
    low: float
    high: float
    bursts: float


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is to be done with each beat.

    interval: factor of the RR interval before it [n]. p_wave, p_turn, p_shift: its P wave, as in PWave [n].
    early: it becomes S [n]. lost: it becomes N [n].
    weight: share of a donor's beat in it [n], 0 for none, 1 for V, between for F. bodies: the donor's beats.
    conducted: it is a donor's from the QRS complex on, and keeps its P wave and its class [n].
    """

    interval: Floats
    p_wave: Floats
    p_turn: Floats
    p_shift: Floats
    early: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    weight: Floats
    conducted: NDArray[np.bool_]
    bodies: dict[int, Floats] = field(default_factory=dict)
    waves: list[Wave] = field(default_factory=list)

    @classmethod
    def nothing(cls, count: int) -> Plan:
        """A plan that leaves `count` beats as they are."""
        return cls(
            interval=np.ones(count),
            p_wave=np.ones(count),
            p_turn=np.zeros(count),
            p_shift=np.zeros(count),
            early=np.zeros(count, bool),
            lost=np.zeros(count, bool),
            weight=np.zeros(count),
            conducted=np.zeros(count, bool),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan under way.

    rr: s [n]. steady: normal after a normal one, and about as long [n]. movable: normal after a normal one [n].
    supra: S [n]. narrow: N or S, after another of these [n]. atrial: the atria beat in order [n]; where they do not, an
    early beat is no more than that, and stays N. aberrant: share of early beats that take the detour.
    """

    made: Plan
    rr: Floats
    atrial: NDArray[np.bool_]
    steady: NDArray[np.bool_]
    movable: NDArray[np.bool_]
    supra: NDArray[np.bool_]
    narrow: NDArray[np.bool_]
    foci: list[Focus]
    detour: Focus | None
    aberrant: float
    rng: np.random.Generator

    def interval(self, at: int, factor: float, longest: float = 0.9) -> None:
        """Shorten the interval before a beat, to SHORTEST at most."""
        self.made.interval[at] = max(factor, min(SHORTEST / max(self.rr[at], 0.01), longest))

    def early(self, at: int, factor: float, p_wave: PWave) -> None:
        """Make a beat early, and S where the atria beat in order."""
        self.interval(at, factor)
        if self.rng.random() < self.aberrant:
            self.conduct(at)
        if not self.atrial[at]:
            return
        self.made.p_wave[at], self.made.p_turn[at], self.made.p_shift[at] = p_wave
        self.made.early[at] = True

    def ventricular(self, at: int, factor: float, focus: Focus, weight: float = 1.0) -> None:
        """Put a focus's beat there; most have no P wave before them."""
        self.interval(at, factor, 0.95)
        if weight == 1 and self.rng.random() < WITHOUT_P:
            self.made.p_wave[at] = self.rng.uniform(-0.1, 0.2)
        self.made.weight[at], self.made.bodies[at] = weight, focus.beat(self.rng)

    def conduct(self, at: int) -> None:
        """Let a beat take the other way through the ventricles."""
        if self.detour:
            self.made.conducted[at], self.made.bodies[at] = True, self.detour.beat(self.rng)

    def stretch(self, at: int, factor: Floats) -> int:
        """Factors for the intervals from `at` on, where beats are narrow: early ones stay early. Returns how many."""
        length = min(len(factor), len(self.rr) - at - 1)
        here = slice(at, at + length)
        self.made.interval[here] = np.where(self.narrow[here], factor[:length], 1.0)
        return length

    def fibrillate(self, at: int, factor: Floats, p_wave: float) -> int:
        """As `stretch`, and hardly a P wave is left: what was early before is no more than an interval of many."""
        length = self.stretch(at, factor)
        here = slice(at, at + length)
        self.made.p_wave[here] = np.where(self.narrow[here], p_wave, 1.0)
        self.made.lost[here] = self.supra[here]
        for beat in np.arange(at, at + length)[(factor[:length] < 0.9 * factor.mean()) & self.narrow[here]]:
            if self.rng.random() < 0.3 * self.aberrant:
                self.conduct(int(beat))
        return length

    def every(
        self, at: int, length: int, cycle: int, factor: float, put: Callable[[int, float], None], pause: float
    ) -> int:
        """Put a beat in each cycle as long as the rhythm is steady; the interval after it makes up for `pause` of it.

        Returns how many beats were passed.
        """
        for here in range(at, at + length, cycle):
            if not self.steady_from(here, 2):
                return here - at + 1
            one = factor * self.rng.uniform(0.96, 1.04)
            put(here, one)
            self.made.interval[here + 1] = 1 + pause * (1 - one)
        return length

    def steady_from(self, at: int, length: int) -> bool:
        """Whether `length` beats from `at` on are there and steady."""
        return at + length + 1 < len(self.rr) and bool(self.steady[at : at + length].all())

    def longest_run(self, at: int, length: int) -> int:
        """How many beats of a run of at most `length` from `at` on, and one after them, are steady; 0 for none."""
        while length and not self.steady_from(at, length + 1):
            length -= 1
        return length


def plan(
    peaks: Floats,
    classes: NDArray[np.str_],
    atrial: NDArray[np.bool_],
    foci: list[Focus],
    rng: np.random.Generator,
    detour: Focus | None = None,
) -> Plan:
    """Draw what happens to each beat.

    peaks: R-peaks, s. classes: AAMI classes of the beats. atrial: where the atria neither fibrillate nor flutter.
    foci: of ventricular beats. detour: another conduction.
    """
    count = len(peaks)
    normal, supra = classes == "N", classes == "S"
    rr = np.diff(peaks, prepend=peaks[:1])
    steady = np.zeros(count, bool)
    steady[2:] = (
        normal[2:] & normal[1:-1] & (np.abs(np.log(np.maximum(rr[2:], 0.01) / np.maximum(rr[1:-1], 0.01))) < 0.15)
    )
    steady &= rr < GAP
    usual = (rr < GAP) & (rr > SHORTEST)
    movable = normal & np.r_[False, normal[:-1]] & usual
    either = normal | supra
    narrow = either & np.r_[False, either[:-1]] & usual
    aberrant = rng.uniform(0, 0.5) if detour and rng.random() < DETOURS else 0.0
    draft = Draft(
        made=Plan.nothing(count),
        rr=rr,
        atrial=atrial,
        steady=steady,
        movable=movable,
        supra=supra,
        narrow=narrow,
        foci=foci,
        detour=detour,
        aberrant=aberrant,
        rng=rng,
    )
    shares = np.array([share for share, _ in KINDS])
    at = 3
    if at < count and atrial[at]:
        begins = rng.random()
        if begins < SICK_FROM_THE_START:
            at += _sick_sinus(draft, at)
        elif begins < SICK_FROM_THE_START + QUICK_FROM_THE_START:
            at += _ramp(draft, at)
    while at < count - 3:
        _, kind = KINDS[int(rng.choice(len(KINDS), p=shares / shares.sum()))]
        if atrial[at] or kind in WITHOUT_ATRIA:
            at += kind(draft, at)
        at += int(rng.integers(2, 25))
    return draft.made


def noises(count: int, rng: np.random.Generator) -> list[Noise]:
    """Draw where a version of `count` beats is noisy: muscles, or electrodes that move (which look more like beats)."""
    made = []
    if rng.random() < NOISY:
        for _ in range(int(rng.integers(1, 6))):
            first = int(rng.integers(max(count - 10, 1)))
            last = first + int(np.exp(rng.uniform(np.log(10), np.log(300))))
            if rng.random() < 0.5:
                band, size = (rng.uniform(5, 20), rng.uniform(35, 80)), np.exp(rng.uniform(*np.log((0.02, 0.12))))
            else:
                band, size = (rng.uniform(0.3, 1.5), rng.uniform(5, 15)), np.exp(rng.uniform(*np.log((0.04, 0.35))))
            made.append(Noise(first, last, float(size), *band, rng.uniform(0.1, 0.9)))
    return made


def _single(draft: Draft, at: int) -> int:
    """One early beat and the pause after it."""
    if not draft.steady_from(at, 2):
        return 1
    factor = draft.rng.uniform(0.5, 0.88)
    draft.early(at, factor, _p_wave(draft.rng))
    draft.made.interval[at + 1] = draft.rng.uniform(1.0, 2.0 - factor)
    return 2


def _regular(draft: Draft, at: int) -> int:
    """Bigeminy to quadrigeminy of early beats."""
    rng = draft.rng
    cycle = int(rng.integers(2, 5))
    factor, p_wave, pause = rng.uniform(0.5, 0.85), _p_wave(rng), rng.uniform(0, 1)
    length = cycle * int(rng.integers(3, 12))
    return draft.every(at, length, cycle, factor, lambda here, one: draft.early(here, one, p_wave), pause)


def _run(draft: Draft, at: int) -> int:
    """A run of early beats, as far as the rhythm is steady: each interval short, then a pause."""
    rng = draft.rng
    length = draft.longest_run(at, int(np.exp(rng.uniform(np.log(2), np.log(LONGEST_RUN)))))
    if not length:
        return 1
    factor, p_wave, loose = rng.uniform(0.45, 0.85), _p_wave(rng), rng.uniform(0.01, 0.08)
    for early in range(at, at + length):
        draft.early(early, factor * np.exp(rng.normal(0, loose)), p_wave)
    draft.made.interval[at + length] = rng.uniform(0.9, 1.5)
    return length + 1


def _fibrillation(draft: Draft, at: int) -> int:
    """Atrial fibrillation: hardly a P wave, fibrillation waves instead, intervals at random. All N."""
    rng = draft.rng
    count = int(np.exp(rng.uniform(np.log(20), np.log(300))))
    factor = rng.uniform(0.65, 1.1) * np.exp(rng.normal(0, rng.uniform(0.08, 0.28), count))
    length = draft.fibrillate(at, np.clip(factor, 0.45, 2.0), rng.uniform(-0.1, 0.2))
    draft.made.waves.append(Wave(at, at + length, rng.uniform(0, 0.12), rng.uniform(4.5, 8)))
    return length


def _swing(draft: Draft, at: int) -> int:
    """Sinus arrhythmia: intervals swing with the breath. All N."""
    rng = draft.rng
    count = int(np.exp(rng.uniform(np.log(15), np.log(250))))
    wave = np.sin(2 * np.pi * np.arange(count) / rng.uniform(3, 9) + rng.uniform(0, 6))
    return draft.stretch(at, np.clip(1 + rng.uniform(0.04, 0.2) * wave + rng.normal(0, 0.02, count), 0.5, 1.8))


def _block(draft: Draft, at: int) -> int:
    """Dropped beats and sinus pauses: long intervals every few beats, some ended by a beat without P wave. All N."""
    rng = draft.rng
    length = min(int(np.exp(rng.uniform(np.log(4), np.log(80)))), len(draft.rr) - at - 1)
    every, loose, escapes = int(rng.integers(1, 7)), rng.random() < 0.5, rng.random() < 0.3
    k = at
    while k < at + length:
        if draft.movable[k]:
            draft.made.interval[k] = rng.uniform(1.3, 2.0) if escapes else rng.uniform(1.7, 2.1)
            draft.made.p_wave[k] = rng.uniform(-0.1, 0.4) if escapes else 1.0
        k += int(rng.integers(1, 2 * every + 1)) if loose else every
    return length


def _sick_sinus(draft: Draft, at: int) -> int:
    """The atria lead: runs of ectopic beats that are hardly early, between pauses and a few beats of the sinus node."""
    rng = draft.rng
    total = int(np.exp(rng.uniform(np.log(60), np.log(800))))
    end = min(at + total, len(draft.rr) - 2)
    factor, loose, mean_run = rng.uniform(0.65, 1.1), rng.uniform(0.005, 0.04), np.exp(rng.uniform(1.5, 4))
    p_wave = _p_wave(rng, lost=0.0, same=0.0)
    pause = rng.uniform(1.3, 2.6)
    k = at
    while k < end:
        for _ in range(int(rng.integers(1, 4))):
            if k < end and draft.movable[k]:
                draft.made.interval[k] = pause * rng.uniform(0.75, 1.1)
            k += 1
        for _ in range(2 + int(rng.exponential(mean_run))):
            if k < end and draft.movable[k]:
                draft.early(k, factor * np.exp(rng.normal(0, loose)), p_wave)
            k += 1
    return end - at


def _two_to_one(draft: Draft, at: int) -> int:
    """Stretches in which every other beat is dropped, between stretches without. All N."""
    rng = draft.rng
    end = min(at + int(np.exp(rng.uniform(np.log(20), np.log(400)))), len(draft.rr) - 2)
    mean_on, mean_off = np.exp(rng.uniform(0, 3.2)), np.exp(rng.uniform(0, 3.7))
    k = at
    while k < end:
        twice = rng.uniform(1.85, 2.08)
        for _ in range(1 + int(rng.exponential(mean_on))):
            if k < end and draft.movable[k]:
                draft.made.interval[k] = twice * rng.uniform(0.97, 1.03)
            k += 1
        k += 1 + int(rng.exponential(mean_off))
    return end - at


def _ramp(draft: Draft, at: int) -> int:
    """The sinus node quickens or slows, and goes back. All N."""
    rng = draft.rng
    up, hold, down = int(rng.integers(5, 50)), int(rng.integers(0, 100)), int(rng.integers(5, 50))
    factor = rng.uniform(0.6, 1.35)
    return draft.stretch(at, np.r_[np.linspace(1, factor, up), np.full(hold, factor), np.linspace(factor, 1, down)])


def _conduction(draft: Draft, at: int) -> int:
    """The ventricles are reached another way for a while, as in a bundle branch block. All stay what they are."""
    length = min(int(np.exp(draft.rng.uniform(0, np.log(300)))), len(draft.rr) - at - 1)
    for here in range(at, at + length):
        if draft.narrow[here]:
            draft.conduct(here)
    return length


def _ventricular(draft: Draft, at: int) -> int:
    """Ventricular beats: single, every second or third one, in fast runs, or in slow ones."""
    if not draft.foci:
        return 1
    rng = draft.rng
    focus = draft.foci[int(rng.integers(len(draft.foci)))]
    kind = rng.choice(4, p=(0.4, 0.25, 0.15, 0.2))
    if kind == 0:
        if not draft.steady_from(at, 2):
            return 1
        factor = rng.uniform(0.5, 0.95)
        draft.ventricular(at, factor, focus)
        draft.made.interval[at + 1] = 2 - factor if rng.random() < 0.7 else rng.uniform(1, 2 - factor)
        return 2
    if kind == 1:
        cycle, factor = int(rng.integers(2, 4)), rng.uniform(0.5, 0.9)
        length = cycle * int(rng.integers(2, 15))
        return draft.every(at, length, cycle, factor, lambda here, one: draft.ventricular(here, one, focus), 1.0)
    wanted = int(rng.integers(2, 12)) if kind == 2 else int(np.exp(rng.uniform(0, np.log(40))))
    length = draft.longest_run(at, wanted)
    if not length or (kind == 2 and length < wanted):
        return 1
    factor, loose = (rng.uniform(0.45, 0.8), 0.06) if kind == 2 else (rng.uniform(0.75, 1.5), 0.04)
    for here in range(at, at + length):
        draft.ventricular(here, factor * np.exp(rng.normal(0, loose)), focus)
    if kind == 2:
        draft.made.interval[at + length] = rng.uniform(1, 1.6)
    return length + 1


def _fusion(draft: Draft, at: int) -> int:
    """A few beats that begin in two places at once."""
    if not draft.foci:
        return 1
    rng = draft.rng
    focus = draft.foci[int(rng.integers(len(draft.foci)))]
    length = 3 * int(rng.integers(1, 6))
    for here in range(at, at + length, int(rng.integers(1, 4))):
        if draft.steady_from(here, 1):
            draft.ventricular(here, rng.uniform(0.85, 1.02), focus, rng.uniform(0.35, 0.7))
    return length


def _p_wave(rng: np.random.Generator, lost: float = 0.25, same: float = 0.05) -> PWave:
    """An ectopic P wave: as it was, hardly there, or another one (`lost` and `same`: how often the first two)."""
    kind = rng.random()
    if kind < same:
        return PWave(rng.uniform(0.7, 1.2))
    if kind < same + lost:
        return PWave(rng.uniform(-0.2, 0.3))
    angle, size = rng.uniform(0.25, 1.75) * np.pi, rng.uniform(0.5, 1.3)
    return PWave(size * np.cos(angle), size * np.sin(angle), rng.uniform(-0.03, 0.03))


KINDS: Final[tuple[tuple[float, Callable[[Draft, int], int]], ...]] = (
    (0.26, _single),
    (0.10, _run),
    (0.08, _regular),
    (0.015, _sick_sinus),
    (0.12, _fibrillation),
    (0.08, _swing),
    (0.05, _block),
    (0.03, _two_to_one),
    (0.10, _ramp),
    (0.16, _ventricular),
    (0.05, _fusion),
    (0.04, _conduction),
)
"""How often each kind of rhythm is drawn, and how it is made."""
WITHOUT_ATRIA: Final = frozenset((_fibrillation, _block, _ventricular, _fusion, _conduction))
"""What may also happen where the atria fibrillate."""
