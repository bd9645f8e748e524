"""Sums in the order in which NumPy takes them, so that compiled code gives the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def total(values: Any, low: int, high: int) -> float:
    """The sum of values[low:high], no more than 128 of them: eight sums side by side, as in numpy.add.reduce."""
    count = high - low
    if count < 8:
        added = 0.0
        for place in range(low, high):
            added += values[place]
        return added
    a, b, c, d = values[low], values[low + 1], values[low + 2], values[low + 3]
    e, f, g, h = values[low + 4], values[low + 5], values[low + 6], values[low + 7]
    end = low + count - count % 8
    for place in range(low + 8, end, 8):
        a += values[place]
        b += values[place + 1]
        c += values[place + 2]
        d += values[place + 3]
        e += values[place + 4]
        f += values[place + 5]
        g += values[place + 6]
        h += values[place + 7]
    added = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for place in range(end, high):
        added += values[place]
    return added


@njit(cache=True, nogil=True, error_model="numpy")
def likeness(beat: Any, average: Any, low: int, high: int, work: Any) -> float:
    """`ecg.signal.shapes.likeness` of two rows' columns low:high. work: float64 [3, high - low or more]."""
    count = high - low
    one_mean, other_mean = total(beat, low, high) / count, total(average, low, high) / count
    for place in range(count):
        one, other = beat[low + place] - one_mean, average[low + place] - other_mean
        work[0, place] = one * one
        work[1, place] = other * other
        work[2, place] = one * other
    power = np.sqrt(total(work[0], 0, count) * total(work[1], 0, count))
    return total(work[2], 0, count) / max(power, 1e-9)


@njit(cache=True, nogil=True, error_model="numpy")
def span(values: Any, low: int, high: int) -> float:
    """The largest less the smallest of values[low:high]."""
    least = most = values[low]
    for place in range(low + 1, high):
        least, most = min(least, values[place]), max(most, values[place])
    return most - least


@njit(cache=True, nogil=True, error_model="numpy")
def clip(value: float, low: float, high: float) -> float:
    """A value within limits."""
    return min(max(value, low), high)


@njit(cache=True, nogil=True, error_model="numpy")
def nth(values: Any, count: int, wanted: int) -> float:
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
def middle(values: Any, count: int, some: Any, others: Any) -> float:
    """The median of the first so many values. some, others: room for as many each.

    Smaller and larger values are set apart without a branch for each, which a processor cannot foresee.
    """
    half, wanted, left = count // 2, count // 2, count
    for place in range(count):
        some[place] = values[place]
    upper = some[0]
    while left > 1:
        one, other, third = some[0], some[left // 2], some[left - 1]
        upper = max(min(one, other), min(max(one, other), third))
        less, more = 0, 0
        for place in range(left):
            value = some[place]
            some[less], others[more] = value, value
            less += value < upper
            more += value > upper
        if wanted < less:
            left = less
        elif wanted >= left - more:
            wanted -= left - more
            left = more
            some, others = others, some
        else:
            break
        upper = some[0]
    if count % 2:
        return float((upper + upper) / 2)
    below, lower = 0, -np.inf
    for place in range(count):
        less = values[place] < upper
        below += less
        lower = max(lower, values[place] if less else -np.inf)
    return float(((lower if below >= half else upper) + upper) / 2)
