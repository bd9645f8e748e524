"""Streaming resampler from any rate of 100 Hz or more to the model's rate, for many beds at once.

Output m stands at time m / MODEL_RATE of the stream, so sample indices convert exactly whatever the rate. Each
output is one windowed-sinc dot product (Kaiser window; Oppenheim & Schafer, Discrete-Time Signal Processing,
ch. 7), summed tap by tap: the sum is bit for bit the same however the samples were cut into chunks.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

MODEL_RATE: Final = 125
"""Hz."""
LOWEST_RATE: Final = 100
"""Hz."""
HALF_SECONDS: Final = 0.018
"""Reach of the interpolation kernel to either side. Its right half is part of the path's delay."""
CUTOFF_HZ: Final = 42.0


@dataclass(frozen=True, slots=True)
class Kernel:
    """Interpolation from one rate. Output m reads inputs around m * up / down.

    taps: float32 [down, 2 * half], one row per phase. half: inputs to either side.
    """

    up: int
    down: int
    half: int
    taps: NDArray[np.float32]

    def outputs(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many outputs (from m = 0) can be made of the first `inputs` samples of a stream."""
        last = inputs - 1 - self.half
        return np.maximum((last * self.down + self.down - 1) // self.up + 1, 0)

    def first(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """First output at or after input sample `index`."""
        return -((-index * self.down) // self.up)


def reach(rate: float) -> int:
    """Inputs that an output needs to either side at a rate in Hz. Raises ValueError below 100 Hz and for infinity."""
    if not rate >= LOWEST_RATE:
        raise ValueError(f"a rate of {rate} Hz is below {LOWEST_RATE} Hz")
    if not isfinite(rate):
        raise ValueError("the rate is infinite")
    return ceil(HALF_SECONDS * rate)


@lru_cache(maxsize=64)
def kernel(rate: float) -> Kernel:
    """The kernel for a rate in Hz, taken as a fraction with a denominator up to 50. Raises ValueError as `reach`."""
    half = reach(rate)
    step = Fraction(rate).limit_denominator(50) / MODEL_RATE
    up, down = step.numerator, step.denominator
    phase = np.arange(down)[:, None] / down
    distance = np.arange(1 - half, half + 1)[None, :] - phase
    cutoff = min(CUTOFF_HZ, 0.42 * rate) / rate
    window = np.i0(5.0 * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None))) / np.i0(5.0)
    taps = 2 * cutoff * np.sinc(2 * cutoff * distance) * window
    taps /= taps.sum(axis=1, keepdims=True)
    return Kernel(up, down, half, taps.astype(np.float32))


def resample(
    kern: Kernel, signal: NDArray[np.float32], origin: NDArray[np.int64], first: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """`count` outputs of each bed.

    signal: float32 [beds, n], inputs; its column 0 is input sample `origin` [beds] of the stream.
    first: int64 [beds], the first output wanted; inputs from first * up // down - half + 1 on must be there.
    Returns float32 [beds, count]; outputs whose inputs lie beyond the end repeat the last input.
    """
    beds, length = signal.shape
    aligned = beds > 0 and bool((first == first[0]).all() and (origin == origin[0]).all())
    rows = slice(0, 1) if aligned else slice(None)
    position = (first[rows, None] + np.arange(count)) * kern.up
    base = position // kern.down - origin[rows, None] + 1 - kern.half
    taps = kern.taps[position % kern.down]
    total = np.zeros((beds, count), np.float32)
    for tap in range(2 * kern.half):
        column = np.clip(base + tap, 0, length - 1)
        picked = signal[:, column[0]] if aligned else np.take_along_axis(signal, column, axis=1)
        total += taps[:, :, tap] * picked
    return total
