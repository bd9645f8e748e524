"""`ecg.signal.pacing`, compiled: pacemakers' spikes found in new samples, and taken out of what was made of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal import pacing as said
from ecg.signal.detector import AVERAGE, SPIKES, UNSETTLED
from ecg.signal.kernels.filtering import Designs, Filters, filtered, resampled

LEAST_MV, HALF, QUICK, LIKE, KEPT, ALIKE = said.LEAST_MV, said.HALF, said.QUICK, said.LIKE, said.KEPT, said.ALIKE
LEVEL, BEFORE, MOST_QUICK = said.CLEAR
LEVEL_ALIKE, BEFORE_ALIKE, MOST_QUICK_ALIKE = said.ALIKE_CLEAR
SOONEST, LATEST, TOLERANCE = said.SOONEST, said.LATEST, said.TOLERANCE
SHORTEST, SLOWEST, FAR = said.SHORTEST, said.SLOWEST, said.FAR
STRETCH = 64
"""Samples that are looked at together: whether one of them may be a spike's top."""


class Spikes(NamedTuple):
    """What is remembered of spikes, arrays [slots, ...], under their names there."""

    spike_at: Any
    spike_size: Any
    spikes: Any
    paced_at: Any
    paced_mv: Any


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _above(line: Any, at: int, far: int) -> Any:
    return line[at] - (line[at - far] + line[at + far]) * HALF


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})
def _any_sharp(line: Any, low: int, high: int, reach: Any) -> bool:
    """May one of these samples be a spike's top? A loop without branches over slices, so that it becomes vectors."""
    side, tip, sharp, most = reach.side, reach.tip, reach.sharp, np.float32(-1)
    here, count = line[low:high], high - low
    left, right = line[low - side : high - side], line[low + side : high + side]
    before, after = line[low - tip : high - tip], line[low + tip : high + tip]
    for place in range(count):
        tall = abs(here[place] - (left[place] + right[place]) * HALF)
        steep = abs(here[place] - (before[place] + after[place]) * HALF)
        level = LEVEL_ALIKE * tall - abs(right[place] - left[place])
        most = max(most, min(min(tall - LEAST_MV, steep - sharp * tall), level))
    return bool(most > 0)


@njit(cache=True, nogil=True, error_model="numpy")
def _clear(line: Any, at: int, reach: Any) -> int:
    """2 at the top of a clear spike, 1 at one that is clear enough if others are like it, 0 elsewhere."""
    size, tip = _above(line, at, reach.side), _above(line, at, reach.tip)
    tall, level = abs(size), abs(line[at + reach.side] - line[at - reach.side])
    if not (tall > LEAST_MV and (tip if size > 0 else -tip) > reach.sharp * tall and level < LEVEL_ALIKE * tall):
        return 0
    for step in range(1, reach.side + 1):
        if abs(_above(line, at - step, reach.side)) >= tall or abs(_above(line, at + step, reach.side)) > tall:
            return 0
    least = most = line[at - reach.side]
    for place in range(at - reach.before, at - reach.side):
        least, most = min(least, line[place]), max(most, line[place])
    quick, count = QUICK * abs(tip), 0
    for place in range(at - reach.busy, at - reach.side):
        count += abs(_above(line, place, reach.tip)) > quick
    total = reach.busy - reach.side
    if level < LEVEL * tall and most - least < BEFORE * tall and count < MOST_QUICK * total:
        return 2
    return 1 if most - least < BEFORE_ALIKE * tall and count < MOST_QUICK_ALIKE * total else 0


@njit(cache=True, nogil=True, error_model="numpy")
def _weighed(places: Any, sizes: Any, line: Any, low: int, high: int, first: int, least: int, reach: Any) -> int:
    """What line[low:high] tells is remembered; the top of the spike that is believed then, or -1.

    places, sizes: what is remembered. line: its sample 0 is `first`. least: top of the first spike that there can be.
    """
    for at in range(low, high):
        clear = _clear(line, at, reach) if at + first >= least else 0
        if not clear:
            continue
        top, size, alike = at + first, _above(line, at, reach.side), 0
        for place in range(KEPT):
            one = sizes[place]
            small, large = min(abs(one), abs(size)), max(abs(one), abs(size))
            alike += places[place] > top - reach.lately and one * size > 0 and small > LIKE * large
        if clear == 2:
            for place in range(KEPT - 1, 0, -1):
                places[place], sizes[place] = places[place - 1], sizes[place - 1]
            places[0], sizes[0] = top, size
        if alike >= ALIKE:
            return top
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _searched(places: Any, sizes: Any, line: Any, low: int, first: int, least: int, end: int, reach: Any) -> int:
    """`_weighed` of all that is known with the sample before `end` of the stream, where there may be anything."""
    stop = end - reach.half - first
    for begin in range(low, stop, STRETCH):
        high = min(begin + STRETCH, stop)
        if _any_sharp(line, begin, high, reach):
            top = _weighed(places, sizes, line, begin, high, first, least, reach)
            if top >= 0:
                return top
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def cut_short(
    filters: Filters,
    spikes: Spikes,
    begin: Any,
    slots: Any,
    follows: Any,
    flat: Any,
    edges: Any,
    up: int,
    down: int,
    reach: Any,
    taken: Any,
    tops: Any,
) -> bool:
    """`pacing.cut_short`: into taken, which holds the numbers of new samples, and tops. Whether a lead takes fewer."""
    if reach.side == 0:
        return False
    rows, kept, longest, short, any_found = len(slots), filters.inputs.shape[1], 0, False, False
    for row in range(rows):
        longest = max(longest, edges[row + 1] - edges[row])
    wide, found = np.empty(kept + longest, np.float32), np.zeros(rows, np.bool_)
    places, sizes = np.empty(KEPT, np.int64), np.empty(KEPT, np.float32)
    low = kept - reach.half
    for again in range(2):
        for row in range(rows):
            slot, new = slots[row], edges[row + 1] - edges[row]
            if new == 0 or (again and not found[row]):
                continue
            line, begins = wide[: kept + new], edges[row]
            origin = np.float32(filters.origin[slot])
            if np.isnan(origin):
                origin = flat[begins]
            chunk, heard = flat[begins : begins + new], line[kept:]
            line[:kept] = filters.inputs[slot]
            for place in range(new):
                heard[place] = chunk[place] - origin
            first, least = filters.seen[slot] - kept, begin[slot] * up // down + reach.busy
            end = filters.seen[slot] + taken[row] if again else filters.seen[slot] + new
            places[:], sizes[:] = spikes.spike_at[slot], spikes.spike_size[slot]
            top = _searched(places, sizes, line, low, first, least, end, reach)
            if again:
                tops[row] = top
                spikes.spike_at[slot], spikes.spike_size[slot] = places, sizes
                continue
            found[row] = top >= 0 or places[0] != spikes.spike_at[slot, 0]
            any_found |= found[row]
            if top >= 0:
                short = True
                for other in range(rows):
                    if follows[other] == follows[row]:
                        taken[other] = min(taken[other], top + reach.half + 1 - filters.seen[slot])
        if not any_found:
            return False
    return short


@njit(cache=True, nogil=True, error_model="numpy")
def split(flat: Any, edges: Any, taken: Any) -> tuple[Any, Any, Any]:
    """Chunks that stand one behind the other cut after so many samples: the first parts, their edges, and the rows of
    which something is left.
    """
    cuts = np.zeros(len(edges), np.int64)
    for row in range(len(taken)):
        cuts[row + 1] = cuts[row] + taken[row]
    some, rest, left = np.empty(cuts[-1], np.float32), np.empty(len(taken), np.int64), 0
    for row in range(len(taken)):
        some[cuts[row] : cuts[row + 1]] = flat[edges[row] : edges[row] + taken[row]]
        if taken[row] < edges[row + 1] - edges[row]:
            rest[left] = row
            left += 1
    return some, cuts, rest[:left]


@njit(cache=True, nogil=True, error_model="numpy")
def left(flat: Any, edges: Any, taken: Any, rows: Any) -> tuple[Any, Any]:
    """What is left of the chunks of these rows, and their edges."""
    cuts = np.zeros(len(rows) + 1, np.int64)
    for place in range(len(rows)):
        row = rows[place]
        cuts[place + 1] = cuts[place] + edges[row + 1] - edges[row] - taken[row]
    some = np.empty(cuts[-1], np.float32)
    for place in range(len(rows)):
        row = rows[place]
        some[cuts[place] : cuts[place + 1]] = flat[edges[row] + taken[row] : edges[row + 1]]
    return some, cuts


@njit(cache=True, nogil=True, error_model="numpy")
def answer(spikes: Spikes, slot: int, peak: int, rate: float) -> bool:
    """`pacing.answers` of one R-peak, a sample at the own rate, Hz."""
    known, found, last, before = spikes.paced_at[slot], False, FAR, FAR
    for place in range(SPIKES):
        after = (peak - known[place]) / rate
        found = found or SOONEST < after < LATEST
        if after > SOONEST:
            last, before = min(last, after), min(before, max(last, after))
    gap = before - last
    late = last - gap
    due = SHORTEST < gap < SLOWEST and SOONEST - TOLERANCE < late < LATEST + TOLERANCE
    return found or due


@njit(cache=True, nogil=True, error_model="numpy")
def lift(
    filters: Filters, spikes: Spikes, designs: Designs, slot: int, up: int, down: int, half: int, taps: Any, reach: Any
) -> None:
    """The spike that is known with the last sample heard taken out of what this slot has heard and filtered."""
    heard, kept, span = filters.inputs[slot], filters.inputs.shape[1], 2 * reach.half
    begin, first = filters.seen[slot] - kept, filters.made[slot] - UNSETTLED
    made, better = np.empty(UNSETTLED, np.float32), np.empty(UNSETTLED, np.float32)
    resampled(heard, begin, first, up, down, half, taps, made)
    top, left, right, edge = heard[kept - 1 - reach.half], np.float32(0), np.float32(0), reach.half - reach.side
    for step in range(edge):
        left += heard[kept - 1 - span + step]
        right += heard[kept - edge + step]
    left, right = left / np.float32(edge), right / np.float32(edge)
    for step in range(span + 1):
        heard[kept - 1 - span + step] = left + (right - left) * (np.float32(step) / np.float32(span))
    resampled(heard, begin, first, up, down, half, taps, better)
    spikes.spikes[slot] += 1
    for place in range(SPIKES - 1, 0, -1):
        spikes.paced_at[slot, place] = spikes.paced_at[slot, place - 1]
    spikes.paced_at[slot, 0] = filters.seen[slot] - 1 - reach.half
    spikes.paced_mv[slot] = abs(top - heard[kept - 1 - reach.half])
    end = filters.kept[slot]
    model, band = filters.model[slot, end - UNSETTLED : end], filters.band_signal[slot, end - UNSETTLED : end]
    low_0 = low_1 = high_0 = band_0 = band_1 = 0.0
    for place in range(UNSETTLED):
        here = np.float64(made[place]) - np.float64(better[place])
        low_0, low_1, high_0, band_0, band_1, high, passed = filtered(
            designs, here, low_0, low_1, high_0, band_0, band_1
        )
        model[place] -= high
        band[place] -= passed
    filters.low_filter[slot, 0] -= low_0
    filters.low_filter[slot, 1] -= low_1
    filters.high_filter[slot, 0] -= high_0
    filters.band_filter[slot, 0] -= band_0
    filters.band_filter[slot, 1] -= band_1
    filters.band_last[slot] = band[-1]
    slopes = np.empty(UNSETTLED + AVERAGE - 1)
    signal = filters.band_signal[slot, end - UNSETTLED - AVERAGE : end]
    for place in range(len(slopes)):
        slopes[place] = abs(signal[place + 1] - signal[place])
    filters.slopes[slot] = slopes[UNSETTLED:]
    envelope = filters.envelope[slot, end - UNSETTLED : end]
    for place in range(UNSETTLED):
        added = slopes[place]
        for later in range(1, AVERAGE):
            added += slopes[place + later]
        envelope[place] = added / AVERAGE
