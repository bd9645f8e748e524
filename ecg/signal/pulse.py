"""The pulse in a plethysmogram or an arterial pressure: whether beats come in it, up to now, and how evenly.

After the slope sum function of Zong et al., Computers in Cardiology 2003:259-262: the rises of the last 128 ms added
up, which a pulse wave's upstroke makes large, and its dicrotic notch or breath do not. The signal comes as means of
blocks of about 1/60 s and the spread within each, eight seconds of many beds at once, so that nothing need be
remembered but how high each bed's upstrokes usually are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.signal.highest import highest_within

SUM_SECONDS: Final = 0.128
APART_SECONDS: Final = 0.15
"""An upstroke is the steepest within so much to either side."""
SHARE: Final = 0.45
"""It is higher than that share of the median of the highest in each second."""
RECENT_SECONDS: Final = 6.0
"""Beats so far back are looked at."""
FEWEST: Final = 3
EVEN: Final = 0.25
"""Share of the median interval by which an interval of a regular pulse may differ from it."""
LATE: Final = (1.5, 0.3)
"""The last beat is no further back than so many median intervals and seconds."""
SHAPE_SECONDS: Final = (0.3, 0.1)
"""A beat's shape is that from so long before the end of its upstroke to so long after it."""
ALIKE: Final = 0.6
"""Each beat of an even pulse is correlated so far with half of the others."""
WELL_ALIKE: Final = 0.85
"""Those of an uneven one (fibrillating atria, ectopic beats), MANY at least, are alike so far,"""
MANY: Final = 4
SIZES: Final = 2.0
"""the largest no more than so many times the smallest, and follow one another within LONGEST_SECONDS."""
LONGEST_SECONDS: Final = 2.4
ON_TIME: Final = (1.2, 0.2)
"""A steady pulse is even, of even size, and its last beat no further back than so many median intervals and seconds."""
RATES: Final = (25.0, 220.0)
HUM: Final = 0.3
"""A pulse is smooth: half of the blocks spread over less than that share of an upstroke."""
USUAL: Final = 0.4
"""Upstrokes of less than that share of the bed's usual ones are no pulse."""
LEARN: Final = 1 / 40

Floats = NDArray[np.float64]


class Pulses(NamedTuple):
    """What n signals show, each [n].

    rate: of the pulse that goes on, 1/min, 0 where none does. steady: the same where it is even and of even size, and
    has not missed a beat up to now. usual: the usual upstroke, the signal's unit, 0 where none is known.
    """

    rate: Floats
    steady: Floats
    usual: Floats


def heard(means: Floats, spreads: Floats, rate: float, usual: Floats) -> Pulses:
    """The pulse that goes on in each signal.

    means, spreads: [n, blocks], any unit. rate: blocks a second. usual: [n], the signal's unit, 0 where none is known.
    """
    rises = np.maximum(np.diff(means, axis=1, prepend=means[:, :1]), 0)
    total = np.cumsum(rises, axis=1)
    width, apart, second = (max(round(seconds * rate), 1) for seconds in (SUM_SECONDS, APART_SECONDS, 1.0))
    slope = total.copy()
    slope[:, width:] -= total[:, :-width]
    count = slope.shape[1] // second
    height = np.median(slope[:, -count * second :].reshape(len(slope), count, second).max(axis=2), axis=1)
    peak = (slope == highest_within(slope, apart)) & (slope > (SHARE * height)[:, None])
    peak &= np.diff(slope, axis=1, prepend=slope[:, :1]) > 0
    smooth = np.median(spreads, axis=1) < HUM * height
    able = smooth & (height > np.where(usual > 0, USUAL * usual, 0))
    found, steady = np.zeros(len(means)), np.zeros(len(means))
    last = slope.shape[1] - 1
    for row in np.flatnonzero(able):
        at = np.flatnonzero(peak[row])
        at = at[at > last - RECENT_SECONDS * rate]
        if len(at) < FEWEST:
            continue
        intervals = np.diff(at) / rate
        middle, since = float(np.median(intervals)), (last - at[-1]) / rate
        if since > LATE[0] * middle + LATE[1] or not RATES[0] <= 60 / middle <= RATES[1]:
            continue
        even = bool((np.abs(intervals - middle) <= EVEN * middle).all())
        if not even and (len(at) < MANY or intervals.max() > LONGEST_SECONDS):
            continue
        alike, sizes = _likeness(means[row], at, rate)
        if alike >= (ALIKE if even else WELL_ALIKE) and (even or sizes <= SIZES):
            found[row] = 60 / middle if even else 60 / intervals.mean()
            on_time = since <= ON_TIME[0] * middle + ON_TIME[1]
            steady[row] = found[row] if even and sizes <= SIZES and on_time else 0
    learnt = np.where(usual > 0, usual + LEARN * (height - usual), height)
    return Pulses(found, steady, np.where(found > 0, learnt, usual))


def _likeness(means: Floats, at: NDArray[np.int64], rate: float) -> tuple[float, float]:
    """How alike a pulse's beats are: the least of their median correlations with one another; and largest to smallest.

    means: [blocks]. at: the steepest places of their upstrokes, blocks. Those that are cut off are left out.
    """
    before, after = (max(round(seconds * rate), 1) for seconds in SHAPE_SECONDS)
    whole = at[(at >= before) & (at + after < len(means))]
    if len(whole) < FEWEST - 1:
        return 0.0, np.inf
    shapes = means[whole[:, None] + np.arange(-before, after + 1)]
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    size = np.sqrt((shapes * shapes).sum(axis=1))
    shapes = shapes / np.maximum(size, 1e-12)[:, None]
    like = np.sort((shapes[:, None] * shapes).sum(axis=2), axis=1)  # the last column is each with itself
    return float(like[:, (len(whole) - 1) // 2].min()), float(size.max() / max(float(size.min()), 1e-12))
