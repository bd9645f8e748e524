"""Half-second looks at signals, compiled: what `monitor.alarms.looks` and `shown` do, row by row.

The constants of the rules are given by whoever calls: they stand with the rules.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal.compiled import Terms
from ecg.signal.kernels.sums import middle, total

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
def _make_room(values: Any, count: int) -> None:
    """The last so many places are free: what was before them has moved to the front."""
    for place in range(len(values) - count):
        values[place] = values[place + count]


@njit(cache=True, nogil=True, error_model="numpy")
def advance(state: Blocks, slots: Any, order: Any, flat: Any, edges: Any, hop: int, out: tuple[Any, ...]) -> int:
    """Rows in this order take their next samples, flat[edges[row]:edges[row + 1]].

    out: slots, index, means, spreads, blocks, of every look that is due; room for all. Returns their number.
    """
    where, index, means, spreads, blocks = out
    kept, length, made = state.means.shape[1], means.shape[1], 0
    for row in order:
        slot, low, new = slots[row], edges[row], edges[row + 1] - edges[row]
        if new == 0:
            continue
        size, first = state.block[slot], state.seen[slot] - state.begin[slot]
        state.seen[slot] += new
        over, done = first % size, first // size
        count, rest = (over + new) // size, state.rest[slot]
        mean, spread = state.means[slot], state.spreads[slot]
        begin = 0
        while begin < count:  # no more at once than stand behind a whole look, or than the next one needs
            part = min(count - begin, max(kept - length, hop - (done + begin) % hop))
            _make_room(mean, part)
            _make_room(spread, part)
            for block in range(begin, begin + part):
                place, end = block * size - over, (block + 1) * size - over
                added, high, least = 0.0, np.float32(-np.inf), np.float32(np.inf)
                while place < 0:
                    sample = rest[place + over]
                    added += sample
                    high, least = max(high, sample), min(least, sample)
                    place += 1
                while place < end:
                    sample = flat[low + place]
                    added += sample
                    high, least = max(high, sample), min(least, sample)
                    place += 1
                at = kept - part + block - begin
                mean[at], spread[at] = added / size, high - least
            for end in range(hop - (done + begin) % hop, part + 1, hop):
                at = kept - part + end
                means[made], spreads[made] = mean[at - length : at], spread[at - length : at]
                where[made], blocks[made] = slot, done + begin + end
                index[made] = state.begin[slot] + (done + begin + end) * size - 1
                made += 1
            begin += part
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})
def _largest(values: Any, low: int, high: int) -> float:
    """The largest of values[low:high]: none is NaN, and which of two zeros does not matter."""
    most = values[low]
    for place in range(low + 1, high):
        most = values[place] if values[place] > most else most
    return float(most)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})
def _smallest(values: Any, low: int, high: int) -> float:
    """The smallest of values[low:high], as `_largest`."""
    least = values[low]
    for place in range(low + 1, high):
        least = values[place] if values[place] < least else least
    return float(least)


@njit(cache=True, nogil=True, error_model="numpy")
def _levelled(window: Any, reach: int, sums: Any, level: Any, wave: Any) -> None:
    """The baseline of a window, the mean over so many places to either side, and the window less it."""
    length = len(window)
    sums[0] = 0.0
    for place in range(length):
        sums[place + 1] = sums[place] + window[place]
    whole = 2 * reach + 1
    for place in range(reach):
        level[place] = (sums[min(place + reach + 1, length)] - sums[0]) / min(place + reach + 1, length)
    for place in range(reach, length - reach):
        level[place] = (sums[place + reach + 1] - sums[place - reach]) / whole
    for place in range(length - reach, length):
        low = max(place - reach, 0)
        level[place] = (sums[length] - sums[low]) / (length - low)
    for place in range(length):
        wave[place] = window[place] - level[place]


@njit(cache=True, nogil=True, error_model="numpy")
def _wave(window: Any, rate: float, terms: Terms, work: Any) -> tuple[bool, bool, bool]:
    """`disorder.describe` of one window, as far as no wave is followed: may it be one, else clear; unsteady."""
    length, wave, level, size, steep, square = len(window), work[0], work[1], work[2], work[3], work[4]
    _levelled(window, terms.baseline, work[5], level, wave)
    slopes, flat, away = length - 1, 0, 0
    for place in range(length):
        size[place] = abs(wave[place])
    for place in range(slopes):
        slope = wave[place + 1] - wave[place]
        steep[place] = abs(slope)
        square[place] = slope * slope
    unsteady = _largest(level, 0, length) - _smallest(level, 0, length) > terms.unsteady
    bound = terms.no_slope * _largest(steep, 0, slopes)
    for place in range(slopes):
        flat += steep[place] < bound
    bound = terms.away * _largest(size, 0, length)
    for place in range(length):
        away += size[place] > bound
    still = flat / slopes
    mean = _sum(square, slopes) / slopes
    for place in range(slopes):
        square[place] = square[place] * square[place]
    peaked = (_sum(square, slopes) / slopes) / max(mean * mean, 1e-30)
    may = away / length > terms.least_away and still < terms.most_still and peaked < terms.most_peaked
    if may:
        may = _largest(wave, 0, length) - _smallest(wave, 0, length) > terms.least_wave
        half = np.floor(np.pi * _sum(size, length) / max(_sum(steep, slopes), 1e-30) + 0.5)
        hertz = rate / (2 * min(max(half, 1.0), np.float64(length // 2)))
        may = may and hertz >= terms.lowest_hertz and hertz <= terms.highest_hertz
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
        lift[place] = steps[place]
    for more in range(1, terms.smooth):
        for place in range(length):
            lift[place] += steps[place + more]
    for place in range(length):
        lift[place] /= terms.smooth


@njit(cache=True, nogil=True, error_model="numpy")
def _quality(window: Any, spread: Any, terms: Terms, work: Any, measures: Any) -> bool:
    """`quality.measure` of one window but for its lift: reach and rough go into `measures`; is it clipped?."""
    length, excess = len(window), work[0]
    top, bottom = _largest(window, 0, length), _smallest(window, 0, length)
    reach = top - bottom
    for place in range(1, length - 1):
        change = abs(window[place] - window[place - 1]) + abs(window[place + 1] - window[place])
        excess[place] = max(spread[place] - change / 2, 0.0)
    excess[0] = max(spread[0] - abs(window[1] - window[0]) / 2, 0.0)
    excess[length - 1] = max(spread[length - 1] - abs(window[length - 1] - window[length - 2]) / 2, 0.0)
    measures[2], measures[3] = reach, middle(excess, length, work[1], work[2])
    if reach <= terms.wander_mv:
        return False
    edge, high, low = terms.edge * reach, 0, 0
    for place in range(length):
        still = spread[place] <= edge
        high += still and window[place] >= top - edge
        low += still and window[place] <= bottom + edge
    if not high + low:
        return False
    half = middle(window, length, work[1], work[2])
    above = high / length * (1.0 if top - half > terms.far * reach else 0.0)
    below = low / length * (1.0 if half - bottom > terms.far * reach else 0.0)
    return bool(above + below > terms.clipped)


@njit(cache=True, nogil=True, error_model="numpy")
def show(means: Any, spreads: Any, rate: Any, known: Any, terms: Terms, out: tuple[Any, ...]) -> None:
    """What looks show. means, spreads: [n, blocks]. known: blocks of each.

    out: flags bool [n, 4] (may be a wave without beats, clear, unsteady, clipped), measures [n, 4] (highest, newest,
    reach, rough), lift [n, hop] at the places that may be steep, and bool [n, hop] which are.
    """
    flags, measures, lifted, steep = out
    length, newest = means.shape[1], terms.hop
    work, lift, steps = np.empty((6, length + 1)), np.empty(length), np.empty(length + 2 * terms.smooth)
    first, count = length - terms.tail - terms.hop, length - terms.rise
    for row in range(len(means)):
        window = means[row]
        flags[row, 0], flags[row, 1], flags[row, 2] = _wave(window, rate[row], terms, work)
        _lift(window, terms, lift, steps)
        measures[row, 0], measures[row, 1] = _largest(lift, 0, count), _largest(lift, count - newest, count)
        flags[row, 3] = _quality(window, spreads[row], terms, work, measures[row])
        for place in range(terms.hop):
            centre = first - terms.rise + place
            here = lift[centre]
            lifted[row, place] = here
            steep[row, place] = False
            if here > terms.least_lift and known[row] - length + first + place >= terms.before + terms.rise:
                steep[row, place] = here >= _largest(lift, centre - terms.apart, centre + terms.apart + 1)


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
