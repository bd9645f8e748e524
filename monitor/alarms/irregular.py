"""Irregular rhythm: the RR intervals show no order.

In atrial fibrillation each RR interval differs from those before it by much, whichever of them it is compared
with. Respiration changes RR intervals slowly (neighbours are alike), bigeminy and trigeminy repeat themselves
every two or three beats. So the measure is how much the RR interval changes, absolutely, against the one 1, 2 and 3
intervals before (four in ten changes are smaller), relative to the median RR interval, and the smallest of the three
counts: more than half of the intervals must be without order at every lag. It is a robust form of the RR
and delta-RR irregularity measures of Tateno & Glass, Med Biol Eng Comput 39:664-671 (2001) and Lian et al., Am J
Cardiol 107:1494-1497 (2011), with the check for regularity that Petrenas et al., Comput Biol Med 65:184-191
(2015) show to be needed for bigeminy. Intervals that begin or end with an ectopic beat are left out.

Fibrillating atria make no P waves that resemble one another: where the last beats' do, an irregular rhythm is ectopy,
sinus arrhythmia or missed beats.
"""

from __future__ import annotations

import numpy as np

from ecg.signal import compiled
from monitor.alarms.state import UNKNOWN

LAGS = 3
SHARE = 0.4
"""Share of the changes that are smaller than the one that counts."""
RELEASE = 0.5
"""The irregularity must fall below this share of its limit before the episode is over."""
MEMORY = 0.75
"""When it does, that share of the window is taken to be regular already."""
P_WAVES = 0.2
"""P waves that share more of their power than that are those of atria that beat: the median of the last P_BEATS."""
P_BEATS = 16
SURE_P_WAVES = 0.3
"""The same to end an episode."""
FEWEST = 8
"""Pairs of intervals needed at each lag."""


def p_waves(atrial: list[float], least: float = P_WAVES) -> bool:
    """Do the atria beat, so that they do not fibrillate?. atrial: `Evidence.atrial` of beats, the median counts."""
    last = atrial[-P_BEATS:]
    known = sorted(value for value in last if value != UNKNOWN)
    return 2 * len(known) > len(last) and known[len(known) // 2] > least


def irregularity(rr: list[int]) -> float | None:
    """The change that counts, the smallest over the lags, as a share of the median RR interval.

    rr: RR intervals in order, any unit, 0 where one is not to be used. None where fewer than half can be used.
    """
    if fast := compiled.kernels():
        value = fast.irregularity(np.array(rr, np.int64), LAGS, SHARE, FEWEST)
        return None if value < 0 else value
    used = sorted(value for value in rr if value)
    if 2 * len(used) < len(rr) or not used:
        return None
    least = None
    for lag in range(1, LAGS + 1):
        changes = sorted(abs(b - a) for a, b in zip(rr, rr[lag:], strict=False) if a and b)
        if len(changes) < FEWEST:
            continue
        change = _quantile(changes, SHARE)
        least = change if least is None else min(least, change)
    return None if least is None else least / _quantile(used, 0.5)


def _quantile(ordered: list[int], share: float) -> float:
    """Quantile of an ordered list that is not empty, between neighbours by a straight line."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
