"""Resampler and filters, compiled: what `ecg.signal.path` does with the new samples of a group of leads."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal.recent import HISTORY

TINY = 1e-30


class Filters(NamedTuple):
    """The state of resampler and filters, arrays [slots, ...], under their names in the signal path."""

    origin: Any
    seen: Any
    made: Any
    inputs: Any
    low_filter: Any
    high_filter: Any
    band_filter: Any
    band_last: Any
    slopes: Any
    model: Any
    band_signal: Any
    envelope: Any
    kept: Any


class Rows(NamedTuple):
    """Where the last samples of leads lie: arrays [any, room], and of each lead its row and the column of its first.

    From there on stand HISTORY samples that are kept, and the new ones behind them.
    """

    model: Any
    band: Any
    envelope: Any
    row: Any
    begin: Any


class Designs(NamedTuple):
    """Coefficients of low-pass, high-pass and band-pass, numerator and denominator."""

    low_b: Any
    low_a: Any
    high_b: Any
    high_a: Any
    band_b: Any
    band_a: Any


@njit(cache=True, nogil=True, error_model="numpy")
def resampled(joined: Any, begin: int, first: int, up: int, down: int, half: int, taps: Any, out: Any) -> None:
    """Outputs from number `first` on. joined: float32 inputs, of which the first is number `begin`."""
    length = len(joined)
    for made in range(len(out)):
        position = (first + made) * up
        base, phase = position // down - begin + 1 - half, position % down
        added = np.float32(0)
        if base >= 0 and base + 2 * half <= length:
            for tap in range(2 * half):
                added += taps[phase, tap] * joined[base + tap]
        else:
            for tap in range(2 * half):
                added += taps[phase, tap] * joined[min(max(base + tap, 0), length - 1)]
        out[made] = added


@njit(cache=True, nogil=True, error_model="numpy")
def filtered(
    designs: Designs, here: float, low_0: float, low_1: float, high_0: float, band_0: float, band_1: float
) -> tuple[float, ...]:
    """One sample through all filters: how they stand then, and what comes out of the high pass and of the band pass."""
    low = low_0 + designs.low_b[0] * here
    low_0 = low_1 + here * designs.low_b[1] - low * designs.low_a[1]
    low_1 = here * designs.low_b[2] - low * designs.low_a[2]
    high = high_0 + designs.high_b[0] * low
    high_0 = low * designs.high_b[1] - high * designs.high_a[1]
    passed = band_0 + designs.band_b[0] * here
    band_0 = band_1 + here * designs.band_b[1] - passed * designs.band_a[1]
    band_1 = here * designs.band_b[2] - passed * designs.band_a[2]
    return low_0, low_1, high_0, band_0, band_1, high, passed


@njit(cache=True, nogil=True, error_model="numpy")
def _filter(state: Filters, designs: Designs, slot: int, samples: Any, model: Any, band: Any, steep: Any) -> None:
    """Samples through all filters. model, band: what comes out. steep: how far the band moves at each sample."""
    low_0, low_1, high_0 = state.low_filter[slot, 0], state.low_filter[slot, 1], state.high_filter[slot, 0]
    band_0, band_1, before = state.band_filter[slot, 0], state.band_filter[slot, 1], state.band_last[slot]
    for place in range(len(samples)):
        here = np.float64(samples[place])
        low_0, low_1, high_0, band_0, band_1, high, passed = filtered(
            designs, here, low_0, low_1, high_0, band_0, band_1
        )
        steep[place] = abs(passed - before)
        before = passed
        model[place], band[place] = high, passed
    state.low_filter[slot, 0] = low_0 if abs(low_0) >= TINY else 0.0
    state.low_filter[slot, 1] = low_1 if abs(low_1) >= TINY else 0.0
    state.high_filter[slot, 0] = high_0 if abs(high_0) >= TINY else 0.0
    state.band_filter[slot, 0] = band_0 if abs(band_0) >= TINY else 0.0
    state.band_filter[slot, 1] = band_1 if abs(band_1) >= TINY else 0.0
    state.band_last[slot] = before


@njit(cache=True, nogil=True, error_model="numpy")
def _moved(source: Any, begin: int, target: Any) -> None:
    """HISTORY samples from a column on, to the front of a row that may be the same."""
    for place in range(HISTORY):
        target[place] = source[begin + place]


@njit(cache=True, nogil=True, error_model="numpy")
def placed(state: Filters, slots: Any, counts: Any) -> Rows:
    """Room for so many new samples behind those that are kept of each lead: in the state itself, where there is any."""
    most, leads = counts.max(), len(slots)
    begin = np.zeros(leads, np.int64)
    if most > state.model.shape[1] - HISTORY:
        shape = (leads, HISTORY + most)
        model, band, envelope = np.empty(shape), np.empty(shape), np.empty(shape)
        for row in range(leads):
            first = state.kept[slots[row]] - HISTORY
            _moved(state.model[slots[row]], first, model[row])
            _moved(state.band_signal[slots[row]], first, band[row])
            _moved(state.envelope[slots[row]], first, envelope[row])
        return Rows(model, band, envelope, np.arange(leads), begin)
    for row in range(leads):
        slot = slots[row]
        first = state.kept[slot] - HISTORY
        if state.kept[slot] + counts[row] > state.model.shape[1]:
            _moved(state.model[slot], first, state.model[slot])
            _moved(state.band_signal[slot], first, state.band_signal[slot])
            _moved(state.envelope[slot], first, state.envelope[slot])
            first = 0
        begin[row] = first
        state.kept[slot] = first + HISTORY + counts[row]
    return Rows(state.model, state.band_signal, state.envelope, slots, begin)


@njit(cache=True, nogil=True, error_model="numpy")
def kept(state: Filters, slots: Any, counts: Any, rows: Rows) -> None:
    """The newest samples of leads whose new ones had no room in the state are kept there."""
    if counts.max() <= state.model.shape[1] - HISTORY:
        return
    for row in range(len(slots)):
        slot = slots[row]
        _moved(rows.model[row], counts[row], state.model[slot])
        _moved(rows.band[row], counts[row], state.band_signal[slot])
        _moved(rows.envelope[row], counts[row], state.envelope[slot])
        state.kept[slot] = HISTORY


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    state: Filters,
    designs: Designs,
    slots: Any,
    flat: Any,
    edges: Any,
    counts: Any,
    up: int,
    down: int,
    half: int,
    taps: Any,
    rows: Rows,
) -> None:
    """The next samples of leads at one rate: float32, flat[edges[row]:edges[row + 1]]. counts: outputs of each.

    What they make goes into `rows`, behind what is kept.
    """
    inputs, average = state.inputs.shape[1], state.slopes.shape[1] + 1
    most, longest = counts.max(), 0
    for row in range(len(slots)):
        longest = max(longest, edges[row + 1] - edges[row])
    wide, made = np.empty(inputs + longest, np.float32), np.empty(most, np.float32)
    steep = np.empty(average - 1 + most)
    for row in range(len(slots)):
        slot, low, new, count = slots[row], edges[row], edges[row + 1] - edges[row], counts[row]
        if new == 0:
            continue
        if np.isnan(state.origin[slot]):
            state.origin[slot] = flat[low]
        origin, joined = np.float32(state.origin[slot]), wide[: inputs + new]
        joined[:inputs] = state.inputs[slot]
        for place in range(new):
            joined[inputs + place] = flat[low + place] - origin
        state.inputs[slot] = joined[new:]
        begin = state.seen[slot] - inputs
        state.seen[slot] += new
        if count == 0:
            continue
        first, samples, slopes = state.made[slot], made[:count], steep[: average - 1 + count]
        state.made[slot] = first + count
        resampled(joined, begin, first, up, down, half, taps, samples)
        slopes[: average - 1] = state.slopes[slot]
        place_of, column = rows.row[row], rows.begin[row] + HISTORY
        model, band = rows.model[place_of, column : column + count], rows.band[place_of, column : column + count]
        _filter(state, designs, slot, samples, model, band, slopes[average - 1 :])
        state.slopes[slot] = slopes[count:]
        spread = rows.envelope[place_of, column : column + count]
        for place in range(count):
            spread[place] = slopes[place]
        for later in range(1, average):
            for place in range(count):
                spread[place] += slopes[place + later]
        for place in range(count):
            spread[place] /= average
