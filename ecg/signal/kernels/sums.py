"""Sums in the order in which NumPy takes them, so that compiled code gives the same bits."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ecg.signal.kernels.vectors import ABREAST, swap

LONGEST: Final = 32
"""Values of a list that `ordered` sorts."""


def _network(count: int) -> NDArray[np.int64]:
    """Pairs of places that sort a list of `count`, a power of 2, whatever it holds: Batcher's odd-even merge sort.

    Knuth, The Art of Computer Programming, vol. 3, 5.2.2, algorithm M.
    """
    pairs, part = [], count // 2
    while part:
        stride, rest, apart = count // 2, 0, part
        while True:
            pairs += [(low, low + apart) for low in range(count - apart) if low & part == rest]
            if stride == part:
                break
            apart, stride, rest = stride - part, stride // 2, part
        part //= 2
    return np.array(pairs)


PAIRS: Final = _network(LONGEST) * ABREAST


@njit(cache=True, nogil=True, error_model="numpy")
def ordered(lists: Any) -> None:
    """Lists [LONGEST, ABREAST], flat, each sorted along the first axis, with nothing for a processor to guess."""
    for pair in range(len(PAIRS)):
        swap(lists, PAIRS[pair, 0], PAIRS[pair, 1])


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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})
def _beneath(values: Any, count: int, level: float) -> tuple[int, float]:
    """How many of the first values are smaller than a level, and the largest of those: a loop that becomes vectors."""
    below, lower = 0, -1e300
    for place in range(count):
        less = values[place] < level
        below += less
        lower = max(lower, values[place] if less else -1e300)
    return below, lower


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
    below, lower = _beneath(values, count, upper)
    return float(((lower if below >= half else upper) + upper) / 2)
