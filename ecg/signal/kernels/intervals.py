"""RR intervals, compiled: `monitor.alarms.irregular`, whose constants whoever calls gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def quantile(ordered: Any, share: float) -> float:
    """Quantile of ordered values, between neighbours by a straight line."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


@njit(cache=True, nogil=True, error_model="numpy")
def _nth(values: Any, count: int, wanted: int) -> float:
    """The value that stands at `wanted` when the first `count` are in order; after it none is smaller, before it none
    larger.
    """
    low, high = 0, count - 1
    while low < high:
        pivot, left, right = values[(low + high) // 2], low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    return float(values[wanted])


@njit(cache=True, nogil=True, error_model="numpy")
def _among(values: Any, count: int, share: float) -> float:
    """`quantile` of the first so many values, in any order: they change places."""
    place = share * (count - 1)
    low = int(place)
    lower = _nth(values, count, low)
    upper = lower if low + 1 >= count else _smallest(values, low + 1, count)
    return lower + (place - low) * (upper - lower)


@njit(cache=True, nogil=True, error_model="numpy")
def _smallest(values: Any, begin: int, end: int) -> float:
    least = values[begin]
    for place in range(begin + 1, end):
        least = min(least, values[place])
    return float(least)


@njit(cache=True, nogil=True, error_model="numpy")
def irregularity(rr: Any, lags: int, share: float, fewest: int, enough: float) -> float:
    """The change of RR intervals that counts, as a share of their median; -1 where too few can be used.

    Below `enough` any of the lags says all there is to know: what it says is returned.
    """
    total, known = len(rr), 0
    work = np.empty(total, np.int64)
    for place in range(total):
        work[known] = rr[place]
        known += rr[place] != 0
    if 2 * known < total or known == 0:
        return -1.0
    median, least = _among(work, known, 0.5), -1.0
    for lag in range(1, lags + 1):
        count = 0
        for place in range(total - lag):
            work[count] = abs(rr[place + lag] - rr[place])
            count += rr[place] != 0 and rr[place + lag] != 0
        if count >= fewest:
            change = _among(work, count, share)
            least = change if least < 0 else min(least, change)
            if least / median < enough:
                break
    return least if least < 0 else least / median
