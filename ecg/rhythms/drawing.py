"""Draw a plan at random: which rhythms a heart has, one after another, and where its lead is noisy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.atria import block, fibrillation, ramp, regular, run, sick_sinus, single, swing, two_to_one
from ecg.rhythms.donors import Floats, Focus, Mask
from ecg.rhythms.draft import SHORTEST, Draft
from ecg.rhythms.plan import Noise, Plan
from ecg.rhythms.ventricles import conduction, fusion, ventricular

GAP: Final = 2.0
"""s; longer RR intervals (ventricular flutter, noise) are left alone."""
SICK_FROM_THE_START: Final = 0.12
QUICK_FROM_THE_START: Final = 0.15
"""Share of versions whose sinus node quickens or slows as soon as they begin."""
NOISY: Final = 0.4
"""Share of versions with noise."""
DETOURS: Final = 0.5
"""Share of versions in which some early beats take another way through the ventricles (aberrant conduction)."""

KINDS: Final[tuple[tuple[float, Callable[[Draft, int], int]], ...]] = (
    (0.21, single),
    (0.14, run),
    (0.08, regular),
    (0.015, sick_sinus),
    (0.12, fibrillation),
    (0.08, swing),
    (0.05, block),
    (0.03, two_to_one),
    (0.12, ramp),
    (0.13, ventricular),
    (0.05, fusion),
    (0.04, conduction),
)
"""Weight of each rhythm in the draw, and the function that makes it."""
WITHOUT_ATRIA: Final = frozenset((fibrillation, block, ventricular, fusion, conduction))
"""Rhythms that are possible while the atria fibrillate."""


def draw_plan(
    peaks: Floats,
    classes: NDArray[np.str_],
    atrial: Mask,
    foci: list[Focus],
    rng: np.random.Generator,
    detour: Focus | None = None,
) -> Plan:
    """Draw the rhythms of a heart.

    peaks: R-peaks, s [n]. classes: AAMI classes of the beats [n]. atrial: neither fibrillation nor flutter of the
    atria [n]. foci: of ventricular beats. detour: another conduction.
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
            at += sick_sinus(draft, at)
        elif begins < SICK_FROM_THE_START + QUICK_FROM_THE_START:
            at += ramp(draft, at)
    while at < count - 3:
        _, kind = KINDS[int(rng.choice(len(KINDS), p=shares / shares.sum()))]
        if atrial[at] or kind in WITHOUT_ATRIA:
            at += kind(draft, at)
        at += int(rng.integers(2, 25))
    return draft.made


def draw_noises(count: int, rng: np.random.Generator) -> list[Noise]:
    """Draw the noise of `count` beats: muscles, or moving electrodes, which look more like beats."""
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
