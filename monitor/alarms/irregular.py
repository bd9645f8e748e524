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

When it began and ended is dated within the window, which holds intervals of both sides, as a change point: an interval
is in disorder or not, as a coin falls, and the split that makes what was seen most likely is taken (Page, Biometrika
41:100-115 (1954); Hinkley, Biometrika 57:1-17 (1970)).
"""

from __future__ import annotations

from math import log

import numpy as np

from ecg.signal import compiled
from monitor.alarms.state import UNKNOWN

LAGS = 3
SHARE = 0.4
"""Share of the changes that are smaller than the one that counts."""
RELEASE = 0.5
"""The irregularity must fall below this share of its limit before the episode is over."""
DISORDERED = 0.55
ORDERED = 0.1
"""Share of the intervals that differ from the three before by more than the limit, within an episode and outside."""
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


def began(rr: list[int], limit: float) -> int:
    """The first interval of the disorder that the window's end is in. rr, limit: as for `irregularity`."""
    weights = _weights(rr, limit)[::-1]
    return len(rr) - _most(weights)


def ended(rr: list[int], limit: float) -> int:
    """Intervals of the window until its last order began. rr, limit: as for `irregularity`."""
    return _most(_weights(rr, limit))


def _weights(rr: list[int], limit: float) -> list[float]:
    """What each interval says for disorder, against order: the logarithm of how much likelier it is there."""
    disorder, order = log(DISORDERED / ORDERED), log((1 - DISORDERED) / (1 - ORDERED))
    used = sorted(value for value in rr if value)
    largest = limit * _quantile(used, 0.5) if used else 0.0
    found = []
    for at, value in enumerate(rr):
        before = [one for one in rr[max(at - LAGS, 0) : at] if one]
        if value and before:
            found.append(disorder if min(abs(value - one) for one in before) > largest else order)
        else:
            found.append(0.0)
    return found


def _most(weights: list[float]) -> int:
    """How many of the weights, from the first on, have the largest sum."""
    best = total = 0.0
    most = 0
    for count, weight in enumerate(weights, 1):
        total += weight
        if total > best:
            best, most = total, count
    return most


def _quantile(ordered: list[int], share: float) -> float:
    """Quantile of an ordered list that is not empty, between neighbours by a straight line."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
