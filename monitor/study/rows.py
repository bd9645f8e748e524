"""Live signal cut as rows of Kaggle's file: what the lecture's network, which has no memory, is given of a beat."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from ecg.records.rows import ROW_LENGTH, ROW_RATE, length_of, row_of

BEFORE_SECONDS: Final = 0.5
"""Signal before the R-peak that is resampled too, so that the filter has begun."""
AFTER_SECONDS: Final = ROW_LENGTH / ROW_RATE + 0.1
"""Signal behind the R-peak that a row waits for."""


def begin_of(peak: int, rate: float) -> int:
    """The sample at which the signal for a row must begin: on the grid of 125 Hz that begins with the stream."""
    grid = _ratio(rate).denominator
    return max((peak - int(BEFORE_SECONDS * rate)) // grid * grid, 0)


def cut(signal: NDArray[np.float32], begin: int, peak: int, rate: float, rr: float) -> NDArray[np.float32]:
    """The row of one beat: float32 [187]. signal: mV from sample `begin` (of `begin_of`) on, NaN where missing.

    peak: sample index of the R-peak. rr: median RR interval of the 10 s around it, as far as they are known, in samples
    at `rate` Hz.
    """
    known = np.where(np.isnan(signal), np.float32(0), signal).astype(np.float64)
    ratio = _ratio(rate)
    level = float(np.median(known))
    made = resample_poly(known - level, ratio.numerator, ratio.denominator)
    start = round(peak * ROW_RATE / rate) - round(begin * ROW_RATE / rate)
    return row_of(made[start : start + length_of(rr, rate)])


def _ratio(rate: float) -> Fraction:
    return Fraction(ROW_RATE / rate).limit_denominator(1000)
