"""The signal path: samples of many beds in, beats ready for the network out. State is a value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MODEL_RATE = 125.0
WINDOW_BEFORE = 40
WINDOW_AFTER = 56
WINDOW = WINDOW_BEFORE + WINDOW_AFTER
CHANNELS = 2
FEATURES = ("todo",) * 8


@dataclass(slots=True)
class Beats:
    """Beats found in one step, in order of their R-peaks within each bed.

    slot: int32 [m], the bed's row. index: int64 [m], R-peak, samples at the bed's own rate.
    ready: int64 [m], the last sample (own rate) that the beat's window needed.
    windows: float32 [m, CHANNELS, WINDOW]. features: float32 [m, len(FEATURES)].
    rr_ms, heart_rate: float32 [m], NaN for the first beat of a bed; heart_rate in 1/min over recent beats.
    """

    slot: NDArray[np.int32]
    index: NDArray[np.int64]
    ready: NDArray[np.int64]
    windows: NDArray[np.float32]
    features: NDArray[np.float32]
    rr_ms: NDArray[np.float32]
    heart_rate: NDArray[np.float32]


class SignalPath:
    """Filter, resampler, detector, cutter and features of `slots` beds.

    All state is in `self.state` (a dict of NumPy arrays whose first axis is the slot): it can be copied,
    saved, and put back.
    """

    def __init__(self, slots: int) -> None: ...

    def grow(self, slots: int) -> None:
        """Room for more beds; the old ones keep their state."""

    def reset(self, slots: NDArray[np.int32], rates: NDArray[np.float64], start: NDArray[np.int64]) -> None:
        """Forget everything about these slots: their next sample is sample `start` at `rates` Hz."""

    def step(self, slots: NDArray[np.int32], chunks: list[NDArray[np.float32]]) -> Beats:
        """Feed each slot its next samples (float32 [n], mV, contiguous with what it had before).

        A slot stands in `slots` at most once. The chunks may have different lengths.
        """
        raise NotImplementedError

    def finish(self, slots: NDArray[np.int32]) -> Beats:
        """Beats whose window runs past the end of the signal, as if its last value went on."""
        raise NotImplementedError
