"""From a column of times to samples at one rate: which sample each row is, gaps left open."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError

GAP: Final = 1.6
"""Times the usual step: between two rows that are further apart, samples are missing."""
SHORTEST_S: Final = 1e-9
LONGEST_S: Final = 1e9
"""Between two samples: beyond that a rate is no number to work with."""
MOST_SAMPLES: Final = 1 << 28
"""Of a record, gaps included: 12 days at 250 Hz."""
FEW_SAMPLES: Final = 1 << 22
MOST_GAPS: Final = 64
"""A record longer than FEW_SAMPLES has at most so many times the samples that its files hold."""


def too_long(samples: int, held: int) -> bool:
    """Would gaps make far more of the samples that are held? Memory is taken for all of them."""
    return samples > min(MOST_SAMPLES, max(MOST_GAPS * held, FEW_SAMPLES))


def places(seconds: NDArray[np.float64], where: str) -> tuple[NDArray[np.int64], float]:
    """The sample index of every row (int64, ascending from 0), and the rate in Hz.

    seconds: float64 [rows], rounded as they may be; the rate comes from all of them together, and where it is a whole
    number but for the rounding, it is that number. Raises UserError that names the row where the times are no clock.
    """
    if len(seconds) < 2:
        raise UserError(f"{where} has {len(seconds)} rows: a record needs more")
    steps = np.diff(seconds)
    odd = np.flatnonzero(~(steps > 0))
    if len(odd):
        said = "holds no time" if not np.isfinite(steps[odd[0]]) else "is not later than the row before it"
        raise UserError(f"{where}: row {odd[0] + 2} {said}")
    usual = _usual(steps)
    if not SHORTEST_S <= usual <= LONGEST_S:
        raise UserError(f"{where}: its rows come {usual:g} s apart: that is no clock of a record")
    gaps = steps > GAP * usual
    uneven = np.flatnonzero(~gaps & (np.abs(steps - usual) > 0.5 * usual))
    if len(uneven):
        raise UserError(
            f"{where}: row {uneven[0] + 2} comes {steps[uneven[0]]:g} s after the one before it, others "
            f"{usual:g} s: give samples at one rate"
        )
    counts = np.where(gaps, np.maximum(np.rint(steps / usual), 1), 1)
    if too_long(int(min(counts.sum(), 2.0**60)), len(seconds)):
        raise UserError(f"{where}: row {int(counts.argmax()) + 2} comes {steps.max():g} s after the one before it")
    rows = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    near = steps[~gaps]
    rounding = (near.max() - near.min()) * (1 + gaps.sum()) / near.sum()
    return rows, _whole(1 / usual, float(rounding) + 1e-9)


def _usual(steps: NDArray[np.float64]) -> float:
    """The step between two samples in s: the mean of those that are no gap, so that rounded times do no harm."""
    # With times rounded to less than a step (0.002, 0.003, ...) the median is one of the two; their mean is the step.
    near = steps[steps <= 2.5 * float(np.median(steps))]
    mean = float(near.mean())
    return float(steps[steps <= GAP * mean].mean())


def _whole(rate: float, doubt: float) -> float:
    """The rate, as a whole number where that is within its doubt (a share of it)."""
    near = float(round(rate))
    return near if abs(rate - near) <= doubt * rate else rate
