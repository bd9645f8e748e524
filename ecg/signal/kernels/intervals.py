"""RR intervals, compiled: `monitor.alarms.irregular`, whose constants whoever calls gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def _quantile(ordered: Any, share: float) -> float:
    """Quantile of ordered values, between neighbours by a straight line."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


@njit(cache=True, nogil=True, error_model="numpy")
def irregularity(rr: Any, lags: int, share: float, fewest: int) -> float:
    """The change of RR intervals that counts, as a share of their median; -1 where too few can be used."""
    used = np.sort(rr[rr != 0])
    if 2 * len(used) < len(rr) or len(used) == 0:
        return -1.0
    least, changes = -1.0, np.empty(len(rr), np.int64)
    for lag in range(1, lags + 1):
        count = 0
        for place in range(len(rr) - lag):
            if rr[place] and rr[place + lag]:
                changes[count] = abs(rr[place + lag] - rr[place])
                count += 1
        if count >= fewest:
            change = _quantile(np.sort(changes[:count]), share)
            least = change if least < 0 else min(least, change)
    return least if least < 0 else least / _quantile(used, 0.5)
