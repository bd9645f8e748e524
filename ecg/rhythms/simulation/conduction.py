"""The sinus node's intervals, and the node between atria and ventricles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final

from ecg.rhythms.simulation.catalogue import Rhythm
from ecg.rhythms.simulation.vitals import Vitals

MAYER_HERTZ: Final = 0.1
BREATH_SWING: Final = 0.030
MAYER_SWING: Final = 0.022
"""Shares by which breath and Mayer waves (slow waves of blood pressure) change the sinus rhythm at rest."""
SHORTEST_RR: Final = 0.2
LONGER_PR: Final = 0.10
"""Seconds by which PR grows with the second beat of a Wenckebach group; with each further one by a little less."""
LESS_EACH: Final = 0.01
PACED_DELAY: Final = 0.03
"""Seconds by which PR is longer from a pacing wire in the atrium."""


@dataclass(frozen=True, slots=True)
class Sinus:
    """A sinus node: where breath and Mayer waves stand at time 0, rad."""

    breath: float = 0.0
    mayer: float = 0.0

    @classmethod
    def drawn(cls, rng: Random) -> Sinus:
        """One drawn at random."""
        return cls(rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi))

    def interval(self, time: float, rate: float, loose: float, vitals: Vitals, rng: Random) -> float:
        """Seconds to the next impulse after one at `time`. rate: 1/min. loose: share of it that is chance."""
        swing = vitals.at("variability", time) * min(60 / rate, 1.1)
        hertz = vitals.at("breaths", time) / 60
        breath = BREATH_SWING * math.sin(2 * math.pi * hertz * time + self.breath)
        mayer = MAYER_SWING * math.sin(2 * math.pi * MAYER_HERTZ * time + self.mayer)
        return max(60 / rate * (1 + swing * (breath + mayer + loose * rng.gauss(0, 1))), SHORTEST_RR)


@dataclass(slots=True)
class Node:
    """The AV node: how many impulses have come since it last let one through, or blocked one, and of how many."""

    ratio: int = 1
    passed: int = 0

    def delay(self, rhythm: Rhythm, pr: float, rng: Random) -> float | None:
        """Seconds from an atrial impulse to the ventricles; None where it is blocked. pr: s, of this heart."""
        pr = max(rhythm.pr, pr) + (PACED_DELAY if rhythm.atria == "paced" else 0.0)
        if rhythm.node == "all":
            return pr
        if rhythm.node == "none":
            return None
        place = self.passed
        self.passed += 1
        last = self.passed >= self.ratio
        if last:
            self.passed, self.ratio = 0, rng.choice(rhythm.ratio)
        if rhythm.node == "ratio":
            return pr if last else None
        if last:
            return None
        return pr if rhythm.node == "dropped" else pr + (LONGER_PR - LESS_EACH * place) * place
