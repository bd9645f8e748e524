"""The rule of a trend: alarm on a change against alarm on a value, the same in the lesson `trend` and on the screen.

A course is smoothed by a running mean, and the change is that mean less the mean a while before. Where a course begins,
its first value stands for what came before it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def smoothed(values: Floats, length: int) -> Floats:
    """The mean of the last `length` values, at each: [..., steps] to [..., steps]."""
    first = np.repeat(values[..., :1], length - 1, axis=-1)
    padded = np.concatenate((first, values), axis=-1)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, length, axis=-1).mean(axis=-1))


def change(values: Floats, length: int, window: int) -> Floats:
    """The running mean of `length` values less that of `window` values before: [..., steps]. Below 0: it has fallen."""
    mean = smoothed(values, length)
    before = np.concatenate((np.repeat(mean[..., :1], window, axis=-1), mean[..., :-window]), axis=-1)
    return np.asarray((mean - before[..., : mean.shape[-1]]).astype(values.dtype))
