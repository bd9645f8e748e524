"""Is there any deflection the size of a QRS? The silence rule's own witness, beside the detector.

The detector's threshold follows the signal down: where the beats end, it finds beats in mains hum, in noise or in
P waves. The witness does not. It measures deflections of about 80 ms (a block mean against those 80 ms to either side,
which leaves baseline and T wave behind) and compares them with two least sizes, an absolute one and a share of what
this bed's QRS complexes measured lately. What is below both for two seconds is still, whatever the detector finds in
it.

The bed's own size follows the largest deflection of four seconds, and only where the window is peaked as QRS complexes
make it: noise teaches nothing. It falls slowly while all is still, so that a bed whose electrodes were changed is heard
again after about a minute.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

REACH: Final = 5
"""Block means to either side of a deflection."""
SEGMENT: Final = 10
"""Block means between two verdicts (a sixth of a second)."""
BACK: Final = SEGMENT + 3 * REACH
"""Block means by which a verdict is dated back, so that it stands before the R-peak that brought it about."""
STILL_SEGMENTS: Final = 12
LEAST_MV: Final = 0.05
SHARE: Final = 0.15
"""Of the bed's own size."""
PEAKED: Final = 4.5
"""Largest deflection in multiples of their mean: noise has 3 to 4, hum 1.6, QRS complexes more."""
LEARN: Final = 0.01
FORGET: Final = 0.003
MOST_GROWTH: Final = 2.0
"""The size learns from no more than that multiple of itself: one artefact is not the bed's QRS."""

Floats = NDArray[np.float64]


def new_state(slots: int) -> dict[str, NDArray[Any]]:
    """Rows of `slots` beds.

    size: mV, 0 before it is known. calm: segments in a row without a deflection. turned: index of the last verdict.
    """
    return {
        "size": np.zeros(slots),
        "calm": np.zeros(slots, np.int64),
        "still": np.zeros(slots, bool),
        "turned": np.zeros(slots, np.int64),
    }


def step(
    windows: Floats, full: NDArray[np.bool_], size: Floats, calm: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    """The next segment of some beds: their sizes and calm segments after it.

    windows: [n, blocks], mV, the segment at its end. full: bool [n], where the whole window has been heard.
    """
    deflections = np.abs(windows[:, REACH:-REACH] - (windows[:, : -2 * REACH] + windows[:, 2 * REACH :]) / 2)
    last, largest = deflections[:, -SEGMENT:].max(axis=1), deflections.max(axis=1)
    peaked = full & (largest >= PEAKED * deflections.mean(axis=1)) & (largest >= LEAST_MV)
    calm = np.where(full & (last < np.maximum(LEAST_MV, SHARE * size)), calm + 1, 0)
    known = size > 0
    aim = np.where(known, np.minimum(largest, MOST_GROWTH * size), largest)
    speed = np.where(known, np.where(calm >= STILL_SEGMENTS, FORGET, LEARN), 1.0)
    return np.where(peaked, size + speed * (aim - size), size), calm
