"""The pulse in a plethysmogram or an arterial pressure: whether regular beats come in it, up to now.

After the slope sum function of Zong et al., Computers in Cardiology 2003:259-262: the rises of the last 128 ms added
up, which a pulse wave's upstroke makes large, and its dicrotic notch or breath do not. The signal comes as means of
blocks of about 1/60 s and the spread within each, eight seconds of many beds at once, so that nothing need be
remembered but how high each bed's upstrokes usually are.
"""

from __future__ import annotations

from typing import Final

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
RATES: Final = (25.0, 220.0)
HUM: Final = 0.3
"""A pulse is smooth: half of the blocks spread over less than that share of an upstroke."""
USUAL: Final = 0.4
"""Upstrokes of less than that share of the bed's usual ones are no pulse."""
LEARN: Final = 1 / 40

Floats = NDArray[np.float64]


def regular(means: Floats, spreads: Floats, rate: float, usual: Floats) -> tuple[Floats, Floats]:
    """The rate of the regular pulse that goes on in each signal, 1/min, 0 where none does; and the usual upstroke.

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
    found = np.zeros(len(means))
    last = slope.shape[1] - 1
    for row in np.flatnonzero(able):
        at = np.flatnonzero(peak[row]) / rate
        at = at[at > last / rate - RECENT_SECONDS]
        if len(at) < FEWEST:
            continue
        intervals = np.diff(at)
        middle = float(np.median(intervals))
        even = bool((np.abs(intervals - middle) <= EVEN * middle).all())
        recent = last / rate - at[-1] <= LATE[0] * middle + LATE[1]
        if even and recent and RATES[0] <= 60 / middle <= RATES[1]:
            found[row] = 60 / middle
    learnt = np.where(usual > 0, usual + LEARN * (height - usual), height)
    return found, np.where(found > 0, learnt, usual)
