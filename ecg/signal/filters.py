"""From samples of leads to those at the model's rate, filtered: what R-peaks are found in and windows are cut from."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import pacing, recent
from ecg.signal.detector import AVERAGE, BAND
from ecg.signal.recent import HISTORY
from ecg.signal.recursive import HIGH_PASS, LOW_PASS, lfilter
from ecg.signal.resampler import Kernel, reach, resample
from ecg.signal.slots import Floats, Index, State

DESIGNS: Final = (LOW_PASS, HIGH_PASS, BAND)


def new_state(slots: int) -> State:
    """State of leads that have heard nothing, at 360 Hz. seen, made: samples heard, and made of them."""
    return {
        "rate": np.full(slots, 360.0),
        "seen": np.zeros(slots, np.int64),
        "made": np.zeros(slots, np.int64),
        "origin": np.full(slots, np.nan),
        "inputs": np.zeros((slots, kept_inputs(360.0)), np.float32),
        "low_filter": np.zeros((slots, 2)),
        "high_filter": np.zeros((slots, 1)),
        "band_filter": np.zeros((slots, 2)),
        "band_last": np.zeros(slots),
        "slopes": np.zeros((slots, AVERAGE - 1)),
    }


def kept_inputs(rate: float) -> int:
    """Samples at `rate` Hz that are kept of a lead: what the resampler and the search for spikes go back to.

    Raises ValueError below 100 Hz and for infinity.
    """
    return max(2 * reach(rate), pacing.room(rate))


def advance(
    state: State, kern: Kernel, slots: Index, signal: NDArray[np.float32], count: int
) -> tuple[Floats, Floats, Floats]:
    """New samples through resampler and filters: model, band and envelope, what is kept and `count` new ones.

    signal: float32 [leads, n], of leads at one rate.
    """
    new = np.isnan(state["origin"][slots])
    state["origin"][slots] = np.where(new, signal[:, 0], state["origin"][slots])
    signal = signal - state["origin"][slots, None].astype(np.float32)
    joined = np.concatenate((state["inputs"][slots], signal), axis=1)
    kept = state["inputs"].shape[1]
    state["inputs"][slots] = joined[:, -kept:]
    origin = state["seen"][slots] - kept
    state["seen"][slots] += signal.shape[1]
    if count == 0:
        nothing = np.zeros((len(slots), HISTORY))
        return nothing, nothing, nothing
    made = resample(kern, joined, origin, state["made"][slots], count).astype(np.float64)
    state["made"][slots] += count

    low = _filter(state, "low", LOW_PASS, slots, made)
    model = _filter(state, "high", HIGH_PASS, slots, low)
    band = _filter(state, "band", BAND, slots, made)
    slope = np.abs(np.diff(band, axis=1, prepend=state["band_last"][slots, None]))
    state["band_last"][slots] = band[:, -1]
    slopes = np.concatenate((state["slopes"][slots], slope), axis=1)
    state["slopes"][slots] = slopes[:, count:]
    envelope = slopes[:, :count].copy()
    for place in range(1, AVERAGE):  # one after the other, so that no library sums them in another order
        envelope += slopes[:, place : place + count]
    envelope /= AVERAGE
    rows = [
        np.concatenate((recent.history(state, name, slots), new), axis=1)
        for name, new in zip(recent.NAMES, (model, band, envelope), strict=True)
    ]
    recent.remember(state, slots, tuple(rows))
    return rows[0], rows[1], rows[2]


def _filter(state: State, name: str, design: tuple[Floats, Floats], slots: Index, signal: Floats) -> Floats:
    """Run an IIR filter on, its state kept under `name`."""
    memory = state[f"{name}_filter"]
    filtered, after = lfilter(design, signal, memory[slots])
    after[np.abs(after) < 1e-30] = 0
    memory[slots] = after
    return np.asarray(filtered)
