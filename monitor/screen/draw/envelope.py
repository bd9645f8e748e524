"""Min/max envelopes: the range of the signal in each dot column, so that no QRS complex falls between two columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def envelope(
    samples: NDArray[np.float32], start: int, first: int, last: int, samples_per_dot: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest value in dot columns first .. last - 1, joined to the column before.

    samples: float32 [n], mV, NaN where missing, the first of them at sample index `start`. Column c holds the samples
    from c * samples_per_dot up to the next column's, and the sample before them, so that the line does not break.
    Returns two float32 [last - first]; NaN where a column has no sample.
    """
    count = last - first
    low = np.full(count, np.nan, np.float32)
    high = np.full(count, np.nan, np.float32)
    if count <= 0 or len(samples) == 0:
        return low, high
    edges = np.ceil(np.arange(first, last + 1) * samples_per_dot).astype(np.int64) - start
    begin = np.clip(edges[:-1] - 1, 0, len(samples))
    end = np.clip(np.maximum(edges[1:], edges[:-1]), 0, len(samples))
    own = np.clip(edges[:-1], 0, len(samples)) < end
    full = end > begin
    if not full.any():
        return low, high
    pairs = np.stack((begin[full], end[full]), axis=1).reshape(-1)
    padded = np.append(samples, np.float32(np.nan))
    low[full] = np.fmin.reduceat(padded, pairs)[::2]
    high[full] = np.fmax.reduceat(padded, pairs)[::2]
    # A column whose own samples are all missing stays empty, although the sample before it is there.
    heard = np.concatenate(([0], np.cumsum(~np.isnan(samples))))
    inside = np.clip(edges[:-1], 0, len(samples))
    lost = own & (heard[end] == heard[inside])
    low[lost] = high[lost] = np.nan
    return low, high
