"""Rhythms of the ventricles: ectopic beats, fusion beats, and another conduction through them.

Each function changes a draft from beat `at` on, and returns the number of beats passed. Ventricular beats of other
records replace normal beats (V), or are mixed with them (F). Beats that take another way through the ventricles look
like normal beats of other records, and keep their class.
"""

from __future__ import annotations

import numpy as np

from ecg.rhythms.draft import Draft


def conduction(draft: Draft, at: int) -> int:
    """The ventricles are reached another way for a while, as in a bundle branch block. All keep their class."""
    length = min(int(np.exp(draft.rng.uniform(0, np.log(300)))), len(draft.rr) - at - 1)
    for here in range(at, at + length):
        if draft.narrow[here]:
            draft.conduct(here)
    return length


def ventricular(draft: Draft, at: int) -> int:
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


def fusion(draft: Draft, at: int) -> int:
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
