"""The quality of one ECG lead over four seconds: whether it can be analysed, and a QRS complex may stand in it.

The signal comes as means of blocks of about 1/60 s and the spread (highest less lowest sample) within each, for many
beds at once. Everything is measured in the lead's own *lift*: how far it rises or falls within 50 ms, which is what a
QRS complex does and a P wave, a T wave or breath does not. A lead is bad where

- muscle or mains stands in it: half of the blocks spread over more than MUSCLE of the usual lift beyond what the
  change from block to block explains;
- the baseline moves, and little else: it wanders over more than WANDER lifts (bands as in Clifford et al., Physiol
  Meas 33:1419-1433, 2012);
- it jumps: a lift of more than JUMP times the usual one is an electrode, not a heart;
- it is clipped: for a tenth of the time it stands at the end of its range, far from its median.

The usual lift is the bed's own, and follows slowly: a heart that stops does not take its measure along.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

MUSCLE: Final = 0.07
WANDER: Final = 8.0
WANDER_MV: Final = 0.3
JUMP: Final = 5.0
CLIPPED: Final = 0.1
"""Share of the time at the end of the range."""
FAR: Final = 0.25
"""The end of the range counts as clipping where it lies so much of the range from the median."""
EDGE: Final = 0.01
LOUD: Final = 0.3
"""A QRS complex lifts the lead by that share of the usual lift at least."""
LEAST_MV: Final = 0.03
"""And by that much."""
RISE: Final = 3
"""Blocks (50 ms) over which the lift is taken."""
SMOOTH: Final = 5
UP: Final = 1 / 40
DOWN: Final = 1 / 120
"""Share of the difference that the usual lift learns from a look at a higher and at a lower one (20 and 60 s)."""
FIRST: Final = 20
"""Looks (10 s) that count alike."""
MOST: Final = 2.0
"""It learns from no more than so many times itself."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Fault(IntFlag):
    """Why a lead is bad."""

    MUSCLE = 1
    WANDER = 2
    JUMP = 4
    CLIPPED = 8


def named(faults: int) -> str:
    """Faults by name, with blanks between: "muscle wander"; "" for none. Bits without a name are left out."""
    return " ".join(fault.name.lower() for fault in Fault if fault.name and fault & faults)


class Quality(NamedTuple):
    """What the last four seconds of n leads are like, bool [n] each but the last.

    bad: nothing can be told from them. loud: a deflection like that of a QRS complex stands in the last half second.
    low: not even half of the usual lift is reached anywhere. faults: why a lead is bad, bits of Fault, int64 [n].
    """

    bad: Flags
    loud: Flags
    low: Flags
    faults: NDArray[np.int64]


class Measures(NamedTuple):
    """What is measured in n leads, whatever is usual in them, each [n], mV.

    highest: lift. newest: the highest lift of the newest blocks. reach: range of the means. rough: how far half of the
    blocks spread beyond what the change from block to block explains. clipped: stands at the end of its range.
    """

    highest: Floats
    newest: Floats
    reach: Floats
    rough: Floats
    clipped: Flags

    def take(self, chosen: NDArray[np.int64]) -> Measures:
        """Those of some leads."""
        return Measures(
            self.highest[chosen], self.newest[chosen], self.reach[chosen], self.rough[chosen], self.clipped[chosen]
        )


def lifts(means: Floats) -> Floats:
    """How much each lead rises or falls within RISE blocks, smoothed: [n, blocks] -> [n, blocks - RISE].

    The mean of SMOOTH values, mirrored at both ends, added up one after the other.
    """
    steps = np.abs(means[:, RISE:] - means[:, :-RISE])
    half, length = SMOOTH // 2, steps.shape[1]
    wide = np.empty((len(steps), length + 2 * half))
    wide[:, half:-half] = steps
    wide[:, :half] = steps[:, half - 1 :: -1]
    wide[:, -half:] = steps[:, : -half - 1 : -1]
    total = wide[:, :length].copy()
    for place in range(1, SMOOTH):
        total += wide[:, place : place + length]
    total /= SMOOTH
    return total


def measure(means: Floats, spreads: Floats, lift: Floats, newest: int) -> Measures:
    """What is measured in leads. means, spreads: [n, blocks], mV, four seconds. lift: of these means.

    newest: blocks that are new.
    """
    top, bottom = means.max(axis=1), means.min(axis=1)
    reach = top - bottom
    change = np.abs(means[:, 1:] - means[:, :-1])
    excess = spreads.copy()
    excess[:, 1:-1] -= (change[:, :-1] + change[:, 1:]) / 2
    excess[:, 0] -= change[:, 0] / 2
    excess[:, -1] -= change[:, -1] / 2
    rough = middle(np.maximum(excess, 0, out=excess))
    clipped = _clipped(means, spreads, top, bottom, reach)
    return Measures(lift.max(axis=1), lift[:, -newest:].max(axis=1), reach, rough, clipped)


def weigh(found: Measures, usual: Floats, looks: Floats | float = np.inf) -> tuple[Quality, Floats]:
    """The quality of leads, and their usual lift after it. usual: [n], mV, 0 where none is known.

    looks: [n], how many the usual lift has learnt from. The FIRST ones count alike, so that an electrode that was
    touched when the bed began is soon forgotten.
    """
    highest, newest, reach, rough, clipped = found
    known = np.where(usual > 0, usual, highest)
    scale = np.maximum(known, 1e-9)
    either = np.maximum(scale, highest)
    muscle = rough > MUSCLE * either
    wander = (reach > WANDER_MV) & (reach > WANDER * np.maximum(highest, known))
    jump = (highest > JUMP * scale) & (highest > JUMP * LEAST_MV)
    faults = np.where(clipped, int(Fault.CLIPPED), 0)
    for fault, there in ((Fault.MUSCLE, muscle), (Fault.WANDER, wander), (Fault.JUMP, jump)):
        faults |= np.where(there, int(fault), 0)
    loud = newest > np.maximum(LOUD * known, LEAST_MV)
    low = highest < 0.5 * known
    down = np.where(looks < FIRST, 1 / (1 + looks), DOWN)
    step = np.where(highest > known, UP, down) * (np.minimum(highest, MOST * known) - known)
    return Quality(faults > 0, loud, low, faults), np.where(usual > 0, known + step, known)


def middle(values: Floats) -> Floats:
    """Median of each row: [n, values] -> [n]."""
    low, high = (values.shape[1] - 1) // 2, values.shape[1] // 2
    ordered = np.partition(values, (low, high), axis=1)
    return np.asarray((ordered[:, low] + ordered[:, high]) / 2)


def _clipped(means: Floats, spreads: Floats, top: Floats, bottom: Floats, reach: Floats) -> Flags:
    """Which leads stand at the end of their range for too long."""
    edge, half = EDGE * reach, middle(means)
    still = (spreads <= edge[:, None]) & (reach > WANDER_MV)[:, None]
    count = means.shape[1]
    high = np.count_nonzero(still & (means >= (top - edge)[:, None]), axis=1) / count * (top - half > FAR * reach)
    low = np.count_nonzero(still & (means <= (bottom + edge)[:, None]), axis=1) / count * (half - bottom > FAR * reach)
    return np.asarray(high + low > CLIPPED)
