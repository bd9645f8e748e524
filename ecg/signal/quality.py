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
from scipy.ndimage import uniform_filter1d

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


def lifts(means: Floats) -> Floats:
    """How much each lead rises or falls within RISE blocks, smoothed: [n, blocks] -> [n, blocks - RISE]."""
    return np.asarray(uniform_filter1d(np.abs(means[:, RISE:] - means[:, :-RISE]), SMOOTH, axis=1))


def judge(means: Floats, spreads: Floats, usual: Floats, newest: int) -> tuple[Quality, Floats]:
    """The quality of leads, and their usual lift after it.

    means, spreads: [n, blocks], mV, four seconds. usual: [n], mV, 0 where none is known. newest: blocks that are new.
    """
    lift = lifts(means)
    highest = lift.max(axis=1)
    known = np.where(usual > 0, usual, highest)
    scale = np.maximum(known, 1e-9)
    reach = np.ptp(means, axis=1)
    change = np.abs(np.diff(means, axis=1))
    slope = (np.pad(change, ((0, 0), (1, 0))) + np.pad(change, ((0, 0), (0, 1)))) / 2
    rough = np.median(np.maximum(spreads - slope, 0), axis=1)
    muscle = rough > MUSCLE * np.maximum(scale, highest)
    wander = (reach > WANDER_MV) & (reach > WANDER * np.maximum(highest, known))
    jump = (highest > JUMP * scale) & (highest > JUMP * LEAST_MV)
    found = ((Fault.MUSCLE, muscle), (Fault.WANDER, wander), (Fault.JUMP, jump))
    faults = np.where(_clipped(means, spreads, reach), int(Fault.CLIPPED), 0)
    for fault, there in found:
        faults |= np.where(there, int(fault), 0)
    loud = lift[:, -newest:].max(axis=1) > np.maximum(LOUD * known, LEAST_MV)
    low = highest < 0.5 * known
    step = np.where(highest > known, UP, DOWN) * (np.minimum(highest, MOST * known) - known)
    return Quality(faults > 0, loud, low, faults), np.where(usual > 0, known + step, known)


def _clipped(means: Floats, spreads: Floats, reach: Floats) -> Flags:
    """Which leads stand at the end of their range for too long."""
    top, bottom = means.max(axis=1), means.min(axis=1)
    middle, edge = np.median(means, axis=1), EDGE * reach
    still = (spreads <= edge[:, None]) & (reach > WANDER_MV)[:, None]
    high = (still & (means >= (top - edge)[:, None])).mean(axis=1) * (top - middle > FAR * reach)
    low = (still & (means <= (bottom + edge)[:, None])).mean(axis=1) * (middle - bottom > FAR * reach)
    return np.asarray(high + low > CLIPPED)
