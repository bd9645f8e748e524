"""Resampler and filters, compiled: what `ecg.signal.path` does with the new samples of a group of leads."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

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
def _filter(state: Filters, designs: Designs, slot: int, samples: Any, model: Any, band: Any, steep: Any) -> None:
    """Samples through all filters. model, band: what comes out. steep: how far the band moves at each sample."""
    low_0, low_1, high_0 = state.low_filter[slot, 0], state.low_filter[slot, 1], state.high_filter[slot, 0]
    band_0, band_1, before = state.band_filter[slot, 0], state.band_filter[slot, 1], state.band_last[slot]
    for place in range(len(samples)):
        here = np.float64(samples[place])
        low = low_0 + designs.low_b[0] * here
        low_0 = low_1 + here * designs.low_b[1] - low * designs.low_a[1]
        low_1 = here * designs.low_b[2] - low * designs.low_a[2]
        high = high_0 + designs.high_b[0] * low
        high_0 = low * designs.high_b[1] - high * designs.high_a[1]
        passed = band_0 + designs.band_b[0] * here
        band_0 = band_1 + here * designs.band_b[1] - passed * designs.band_a[1]
        band_1 = here * designs.band_b[2] - passed * designs.band_a[2]
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
def _remember(kept: Any, made: Any, count: int) -> None:
    """What is kept of a row, in front of `count` new values; the newest are kept then."""
    held = len(kept)
    for place in range(held):
        made[place] = kept[place]
    for place in range(held):
        kept[place] = made[place + count]


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
    out: Any,
) -> None:
    """The next samples of leads at one rate: float32, flat[edges[row]:edges[row + 1]]. counts: outputs of each.

    out: model, band and envelope, float64 [rows, kept + most outputs]: what is kept and what the samples make.
    """
    model, band, envelope = out
    kept, held, average = state.inputs.shape[1], state.model.shape[1], state.slopes.shape[1] + 1
    most, longest = model.shape[1] - held, 0
    for row in range(len(slots)):
        longest = max(longest, edges[row + 1] - edges[row])
    wide, made = np.empty(kept + longest, np.float32), np.empty(most, np.float32)
    steep = np.empty(average - 1 + most)
    for row in range(len(slots)):
        slot, low, new, count = slots[row], edges[row], edges[row + 1] - edges[row], counts[row]
        if new == 0:
            continue
        if np.isnan(state.origin[slot]):
            state.origin[slot] = flat[low]
        origin, joined = np.float32(state.origin[slot]), wide[: kept + new]
        joined[:kept] = state.inputs[slot]
        for place in range(new):
            joined[kept + place] = flat[low + place] - origin
        state.inputs[slot] = joined[new:]
        begin = state.seen[slot] - kept
        state.seen[slot] += new
        if count == 0:
            continue
        first, samples, slopes = state.made[slot], made[:count], steep[: average - 1 + count]
        state.made[slot] = first + count
        resampled(joined, begin, first, up, down, half, taps, samples)
        slopes[: average - 1] = state.slopes[slot]
        _filter(state, designs, slot, samples, model[row, held:], band[row, held:], slopes[average - 1 :])
        state.slopes[slot] = slopes[count:]
        spread = envelope[row, held:]
        for place in range(count):
            spread[place] = slopes[place]
        for later in range(1, average):
            for place in range(count):
                spread[place] += slopes[place + later]
        for place in range(count):
            spread[place] /= average
        _remember(state.model[slot], model[row], count)
        _remember(state.band_signal[slot], band[row], count)
        _remember(state.envelope[slot], envelope[row], count)
