"""Rhythms that begin in the sinus node, the atria or the AV node.

Each function changes a draft from beat `at` on, and returns the number of beats passed. Early beats become S. Irregular
stretches, pauses, and slowing or quickening rhythms stay N, so that earliness alone does not make an S.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ecg.rhythms.draft import Draft
from ecg.rhythms.plan import PWave, Wave

SHORT_RUN: Final = 150
LONGEST_RUN: Final = 900
"""Early beats in a run at most: a tachycardia of half an hour is as real as one of a minute."""
LONG_RUNS: Final = 0.33
"""Share of runs that may be that long; the others end at SHORT_RUN."""


def single(draft: Draft, at: int) -> int:
    """One early beat and the pause after it."""
    if not draft.steady_from(at, 2):
        return 1
    factor = draft.rng.uniform(0.5, 0.88)
    draft.early(at, factor, ectopic_p_wave(draft.rng))
    draft.made.interval[at + 1] = draft.rng.uniform(1.0, 2.0 - factor)
    return 2


def regular(draft: Draft, at: int) -> int:
    """Bigeminy to quadrigeminy of early beats."""
    rng = draft.rng
    cycle = int(rng.integers(2, 5))
    factor, p_wave, pause = rng.uniform(0.5, 0.85), ectopic_p_wave(rng), rng.uniform(0, 1)
    length = cycle * int(rng.integers(3, 12))
    return draft.every(at, length, cycle, factor, lambda here, one: draft.early(here, one, p_wave), pause)


def run(draft: Draft, at: int) -> int:
    """A run of early beats, as far as the rhythm is steady: each interval short, then a pause."""
    rng = draft.rng
    longest = LONGEST_RUN if rng.random() < LONG_RUNS else SHORT_RUN
    length = draft.longest_run(at, int(np.exp(rng.uniform(np.log(2), np.log(longest)))))
    if not length:
        return 1
    factor, p_wave, loose = rng.uniform(0.45, 0.85), ectopic_p_wave(rng), rng.uniform(0.01, 0.08)
    for early in range(at, at + length):
        draft.early(early, factor * np.exp(rng.normal(0, loose)), p_wave)
    draft.made.interval[at + length] = rng.uniform(0.9, 1.5)
    return length + 1


def fibrillation(draft: Draft, at: int) -> int:
    """Atrial fibrillation: hardly a P wave, fibrillation waves instead, intervals at random. All N."""
    rng = draft.rng
    count = int(np.exp(rng.uniform(np.log(20), np.log(300))))
    factor = rng.uniform(0.65, 1.1) * np.exp(rng.normal(0, rng.uniform(0.08, 0.28), count))
    length = draft.fibrillate(at, np.clip(factor, 0.45, 2.0), rng.uniform(-0.1, 0.2))
    draft.made.waves.append(Wave(at, at + length, rng.uniform(0, 0.12), rng.uniform(4.5, 8)))
    return length


def swing(draft: Draft, at: int) -> int:
    """Sinus arrhythmia: intervals swing with the breath. All N."""
    rng = draft.rng
    count = int(np.exp(rng.uniform(np.log(15), np.log(250))))
    wave = np.sin(2 * np.pi * np.arange(count) / rng.uniform(3, 9) + rng.uniform(0, 6))
    return draft.stretch(at, np.clip(1 + rng.uniform(0.04, 0.2) * wave + rng.normal(0, 0.02, count), 0.5, 1.8))


def block(draft: Draft, at: int) -> int:
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


def sick_sinus(draft: Draft, at: int) -> int:
    """The atria lead: runs of hardly early ectopic beats, between pauses and a few beats of the sinus node."""
    rng = draft.rng
    total = int(np.exp(rng.uniform(np.log(60), np.log(800))))
    end = min(at + total, len(draft.rr) - 2)
    factor, loose, mean_run = rng.uniform(0.65, 1.1), rng.uniform(0.005, 0.04), np.exp(rng.uniform(1.5, 4))
    p_wave = ectopic_p_wave(rng, lost=0.0, same=0.0)
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


def two_to_one(draft: Draft, at: int) -> int:
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


def ramp(draft: Draft, at: int) -> int:
    """The sinus node quickens or slows, and goes back. All N."""
    rng = draft.rng
    up, hold, down = int(rng.integers(5, 50)), int(rng.integers(0, 100)), int(rng.integers(5, 50))
    factor = rng.uniform(0.6, 1.35)
    return draft.stretch(at, np.r_[np.linspace(1, factor, up), np.full(hold, factor), np.linspace(factor, 1, down)])


def ectopic_p_wave(rng: np.random.Generator, lost: float = 0.25, same: float = 0.05) -> PWave:
    """An ectopic P wave: the normal one, hardly any, or another. same, lost: shares of the first two."""
    kind = rng.random()
    if kind < same:
        return PWave(rng.uniform(0.7, 1.2))
    if kind < same + lost:
        return PWave(rng.uniform(-0.2, 0.3))
    angle, size = rng.uniform(0.25, 1.75) * np.pi, rng.uniform(0.5, 1.3)
    return PWave(size * np.cos(angle), size * np.sin(angle), rng.uniform(-0.03, 0.03))
