"""A plan under construction: the moves of which every rhythm is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ecg.rhythms.donors import Floats, Focus, Mask
from ecg.rhythms.plan import Plan, PWave

SHORTEST: Final = 0.30
"""s, of RR intervals made here."""
WITHOUT_P: Final = 0.85
"""Share of ventricular beats without a P wave before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan, and the beats that it is made for.

    rr: s [n]. steady: normal after a normal beat, at about the same interval [n]. movable: normal after a normal beat
    [n]. supra: S [n]. narrow: N or S, after N or S [n]. atrial: neither fibrillation nor flutter of the atria [n];
    during these an early beat stays N. aberrant: share of early beats that take the detour.
    """

    made: Plan
    rr: Floats
    atrial: Mask
    steady: Mask
    movable: Mask
    supra: Mask
    narrow: Mask
    foci: list[Focus]
    detour: Focus | None
    aberrant: float
    rng: np.random.Generator

    def interval(self, at: int, factor: float, longest: float = 0.9) -> None:
        """Shorten the interval before a beat, to SHORTEST at most."""
        self.made.interval[at] = max(factor, min(SHORTEST / max(self.rr[at], 0.01), longest))

    def early(self, at: int, factor: float, p_wave: PWave) -> None:
        """Make a beat early, and S unless the atria fibrillate or flutter."""
        self.interval(at, factor)
        if self.rng.random() < self.aberrant:
            self.conduct(at)
        if not self.atrial[at]:
            return
        self.made.p_wave[at], self.made.p_turn[at], self.made.p_shift[at] = p_wave
        self.made.early[at] = True

    def ventricular(self, at: int, factor: float, focus: Focus, weight: float = 1.0) -> None:
        """Put a focus's beat in the place of one; most have no P wave before them."""
        self.interval(at, factor, 0.95)
        if weight == 1 and self.rng.random() < WITHOUT_P:
            self.made.p_wave[at] = self.rng.uniform(-0.1, 0.2)
        self.made.weight[at], self.made.bodies[at] = weight, focus.beat(self.rng)

    def conduct(self, at: int) -> None:
        """Let a beat take the other way through the ventricles."""
        if self.detour:
            self.made.conducted[at], self.made.bodies[at] = True, self.detour.beat(self.rng)

    def stretch(self, at: int, factor: Floats) -> int:
        """Factors for the intervals of narrow beats from `at` on; early beats stay early. Returns the beats passed."""
        length = min(len(factor), len(self.rr) - at - 1)
        here = slice(at, at + length)
        self.made.interval[here] = np.where(self.narrow[here], factor[:length], 1.0)
        return length

    def fibrillate(self, at: int, factor: Floats, p_wave: float) -> int:
        """As `stretch`, with hardly a P wave: beats that were early before become N."""
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
        """Put a beat in each cycle while the rhythm is steady; the interval after it makes up for `pause` of it.

        Returns the number of beats passed.
        """
        for here in range(at, at + length, cycle):
            if not self.steady_from(here, 2):
                return here - at + 1
            one = factor * self.rng.uniform(0.96, 1.04)
            put(here, one)
            self.made.interval[here + 1] = 1 + pause * (1 - one)
        return length

    def steady_from(self, at: int, length: int) -> bool:
        """True if `length` beats from `at` on exist and are steady."""
        return at + length + 1 < len(self.rr) and bool(self.steady[at : at + length].all())

    def longest_run(self, at: int, length: int) -> int:
        """Length of the longest run of at most `length` beats from `at` on that is steady, with one beat after it."""
        while length and not self.steady_from(at, length + 1):
            length -= 1
        return length
