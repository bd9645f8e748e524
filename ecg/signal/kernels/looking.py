"""Half-second looks at signals, compiled: what `monitor.alarms.looks` and `shown` do, row by row.

The constants of the rules are given by whoever calls: they stand with the rules.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal.compiled import Terms
from ecg.signal.kernels.sums import total

SIDE_BY_SIDE = 128


class Blocks(NamedTuple):
    """The state of looks, arrays [slots, ...], under their names there."""

    block: Any
    begin: Any
    seen: Any
    rest: Any
    means: Any
    spreads: Any


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    state: Blocks, slots: Any, order: Any, flat: Any, edges: Any, hop: int, longest: int, out: tuple[Any, ...]
) -> int:
    """Rows in this order take their next samples, flat[edges[row]:edges[row + 1]]. longest: samples of a row.

    out: slots, index, means, spreads, blocks, of every look that is due; room for all. Returns their number.
    """
    where, index, means, spreads, blocks = out
    kept, length, made = state.means.shape[1], means.shape[1], 0
    mean, spread = np.empty(kept + longest + 1), np.empty(kept + longest + 1)
    for row in order:
        slot, low, new = slots[row], edges[row], edges[row + 1] - edges[row]
        if new == 0:
            continue
        size, first = state.block[slot], state.seen[slot] - state.begin[slot]
        state.seen[slot] += new
        over, done = first % size, first // size
        count, rest = (over + new) // size, state.rest[slot]
        if count:
            mean[:kept], spread[:kept] = state.means[slot], state.spreads[slot]
            for block in range(count):
                added, high, low_sample = 0.0, np.float32(-np.inf), np.float32(np.inf)
                for place in range(block * size - over, (block + 1) * size - over):
                    sample = flat[low + place] if place >= 0 else rest[place + over]
                    added += sample
                    high, low_sample = max(high, sample), min(low_sample, sample)
                mean[kept + block], spread[kept + block] = added / size, high - low_sample
            state.means[slot], state.spreads[slot] = mean[count : kept + count], spread[count : kept + count]
            for end in range(hop - done % hop, count + 1, hop):
                begin = kept + end - length
                means[made], spreads[made] = mean[begin : begin + length], spread[begin : begin + length]
                where[made], blocks[made] = slot, done + end
                index[made] = state.begin[slot] + (done + end) * size - 1
                made += 1
        left = over + new - count * size
        for place in range(left):
            source = count * size + place - over
            if source >= 0:
                rest[place] = flat[low + source]
    return made


@njit(cache=True, nogil=True, error_model="numpy")
def _sum(values: Any, count: int) -> float:
    """The first so many values, 256 at most, summed as numpy.add.reduce does."""
    if count <= SIDE_BY_SIDE:
        return total(values, 0, count)
    half = count // 2
    half -= half % 8
    return total(values, 0, half) + total(values, half, count)


@njit(cache=True, nogil=True, error_model="numpy")
def _middle(values: Any, count: int) -> float:
    """The median of the first so many values, whose order is lost."""
    wanted, low, high = count // 2, 0, count - 1
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
    upper = values[wanted]
    if count % 2:
        return (upper + upper) / 2
    lower = values[0]
    for place in range(1, wanted):
        lower = max(lower, values[place])
    return (lower + upper) / 2


@njit(cache=True, nogil=True, error_model="numpy")
def _wave(window: Any, rate: float, terms: Terms, work: Any) -> tuple[bool, bool, bool]:
    """`disorder.describe` of one window, as far as no wave is followed: may it be one, else clear; unsteady."""
    length, reach = len(window), terms.baseline
    sums, size, steep, square = work[0], work[1], work[2], work[3]
    sums[0] = 0.0
    for place in range(length):
        sums[place + 1] = sums[place] + window[place]
    lowest, highest, least, most, tall, steepest, before = np.inf, -np.inf, np.inf, -np.inf, 0.0, 0.0, 0.0
    for place in range(length):
        low, high = max(place - reach, 0), min(place + reach + 1, length)
        level = (sums[high] - sums[low]) / (high - low)
        lowest, highest = min(lowest, level), max(highest, level)
        here = window[place] - level
        least, most = min(least, here), max(most, here)
        size[place] = abs(here)
        tall = max(tall, size[place])
        if place:
            slope = here - before
            steep[place - 1] = abs(slope)
            square[place - 1] = slope * slope
            steepest = max(steepest, abs(slope))
        before = here
    unsteady = highest - lowest > terms.unsteady
    slopes, flat, away = length - 1, 0, 0
    for place in range(slopes):
        flat += steep[place] < terms.no_slope * steepest
    for place in range(length):
        away += size[place] > terms.away * tall
    still = flat / slopes
    mean = _sum(square, slopes) / slopes
    for place in range(slopes):
        square[place] = square[place] * square[place]
    peaked = (_sum(square, slopes) / slopes) / max(mean * mean, 1e-30)
    may = away / length > terms.least_away and most - least > terms.least_wave
    may = may and still < terms.most_still and peaked < terms.most_peaked
    if may:
        half = np.floor(np.pi * _sum(size, length) / max(_sum(steep, slopes), 1e-30) + 0.5)
        hertz = rate / (2 * min(max(half, 1.0), np.float64(length // 2)))
        may = hertz >= terms.lowest_hertz and hertz <= terms.highest_hertz
    return may, not may and peaked > terms.clear_peaked and still > terms.most_still, unsteady


@njit(cache=True, nogil=True, error_model="numpy")
def _lift(window: Any, terms: Terms, lift: Any, steps: Any) -> None:
    """`quality.lifts` of one window."""
    length, half = len(window) - terms.rise, terms.smooth // 2
    for place in range(length):
        steps[half + place] = abs(window[place + terms.rise] - window[place])
    for place in range(half):
        steps[place] = steps[2 * half - 1 - place]
        steps[half + length + place] = steps[half + length - 1 - place]
    for place in range(length):
        added = steps[place]
        for more in range(1, terms.smooth):
            added += steps[place + more]
        lift[place] = added / terms.smooth


@njit(cache=True, nogil=True, error_model="numpy")
def show(means: Any, spreads: Any, rate: Any, known: Any, terms: Terms, out: tuple[Any, ...]) -> None:
    """What looks show. means, spreads: [n, blocks]. known: blocks of each.

    out: flags bool [n, 4] (may be a wave without beats, clear, unsteady, clipped), measures [n, 4] (highest, newest,
    reach, rough), lift [n, hop] at the places that may be steep, and bool [n, hop] which are.
    """
    flags, measures, lifted, steep = out
    length, newest = means.shape[1], terms.hop
    work, lift, steps = np.empty((4, length + 1)), np.empty(length), np.empty(length + 2 * terms.smooth)
    first = length - terms.tail - terms.hop
    for row in range(len(means)):
        window, spread = means[row], spreads[row]
        flags[row, 0], flags[row, 1], flags[row, 2] = _wave(window, rate[row], terms, work)
        _lift(window, terms, lift, steps)
        count, highest, newer = length - terms.rise, -np.inf, -np.inf
        for place in range(count):
            highest = max(highest, lift[place])
        for place in range(count - newest, count):
            newer = max(newer, lift[place])
        top, bottom, excess = -np.inf, np.inf, work[0]
        for place in range(length):
            top, bottom = max(top, window[place]), min(bottom, window[place])
            after = abs(window[place + 1] - window[place]) if place + 1 < length else 0.0
            before = abs(window[place] - window[place - 1]) if place else 0.0
            excess[place] = max(spread[place] - (before + after) / 2, 0.0)
        reach = top - bottom
        measures[row, 0], measures[row, 1], measures[row, 2] = highest, newer, reach
        measures[row, 3] = _middle(excess, length)
        edge, high, low = terms.edge * reach, 0, 0
        if reach > terms.wander_mv:
            for place in range(length):
                if spread[place] <= edge:
                    high += window[place] >= top - edge
                    low += window[place] <= bottom + edge
        flags[row, 3] = False
        if high + low:
            for place in range(length):
                excess[place] = window[place]
            half = _middle(excess, length)
            above = high / length * (1.0 if top - half > terms.far * reach else 0.0)
            below = low / length * (1.0 if half - bottom > terms.far * reach else 0.0)
            flags[row, 3] = above + below > terms.clipped
        for place in range(terms.hop):
            centre = first - terms.rise + place
            here = lift[centre]
            tallest = here
            for near in range(centre - terms.apart, centre + terms.apart + 1):
                tallest = max(tallest, lift[near])
            lifted[row, place] = here
            enough = known[row] - length + first + place >= terms.before + terms.rise
            steep[row, place] = here >= tallest and tallest > terms.least_lift and enough


@njit(cache=True, nogil=True, error_model="numpy")
def shapes(means: Any, rows: Any, centres: Any, before: int, after: int, out: tuple[Any, ...]) -> None:
    """`strokes`' shapes around these blocks of these windows: [p, 3, before + after], and the middle one's size [p]."""
    found, sizes = out
    length = before + after
    work = np.empty(length)
    for number in range(len(rows)):
        window, low = means[rows[number]], centres[number] - before - 1
        for shift in range(3):
            for place in range(length):
                work[place] = window[low + shift + place]
            mean = total(work, 0, length) / length
            for place in range(length):
                found[number, shift, place] = window[low + shift + place] - mean
                work[place] = found[number, shift, place] * found[number, shift, place]
            size = np.sqrt(total(work, 0, length))
            if shift == 1:
                sizes[number] = size
            for place in range(length):
                found[number, shift, place] /= max(size, 1e-9)
