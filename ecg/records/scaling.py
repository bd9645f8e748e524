"""Samples of any size in 16 bits, and amplitudes that no heart has."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.leads import MILLIVOLT, is_ecg
from ecg.records.record import MISSING, Record

LARGEST: Final = -MISSING - 1
LEAST_GAIN: Final = 1e-3
MOST_GAIN: Final = 1e6
MOST_BASELINE: Final = 1e6
"""ADU/mV (ADU per unit) and ADU that a record has, and a wave message may carry (`ecg.wire.bounds`)."""
TALLEST: Final = 20.0
"""mV from top to bottom within WINDOW_SECONDS, as a rule of the record: no ECG is so tall."""
SMALLEST: Final = 0.005
"""mV likewise: no ECG that is not flat is so small."""
WINDOW_SECONDS: Final = 2.0
LEVELS: Final = 20
"""A line of fewer steps from top to bottom is flat, give or take the converter's noise."""
MOST_WINDOWS: Final = 2000


def fitted(
    adu: NDArray[Any], missing: NDArray[np.bool_], gain: float, baseline: float
) -> tuple[NDArray[np.int16], float, float]:
    """Samples as int16 [n] with MISSING where there are none, their gain and baseline. As they are where they fit.

    Else halved as often as they must be, about the middle of their range. adu: integers [n]. gain: above 0. Raises
    ValueError where no gain that a wave may carry is left.
    """
    known = adu[~missing] if missing.any() else adu
    low, high = (int(known.min()), int(known.max())) if len(known) else (0, 0)
    if low >= -LARGEST and high <= LARGEST and LEAST_GAIN <= gain <= MOST_GAIN and abs(baseline) <= MOST_BASELINE:
        kept = adu.astype(np.int16)
        if missing.any():
            kept[missing] = MISSING
        return kept, gain, baseline
    middle = (low + high) // 2
    part = 1.0
    while (
        (high - middle) / part > LARGEST
        or (middle - low) / part > LARGEST
        or gain / part > MOST_GAIN
        or abs(baseline - middle) / part > MOST_BASELINE
    ):
        part *= 2
    if gain / part < LEAST_GAIN:
        raise ValueError(f"a gain of {gain / part:g} ADU per unit is too small")
    moved = np.clip(np.rint((adu.astype(np.float64) - middle) / part), -LARGEST, LARGEST)
    return np.where(missing, MISSING, moved).astype(np.int16), gain / part, (baseline - middle) / part


def coarser_step(before: float, after: float) -> float:
    """The step of a sample in mV where it has become coarser; 0 where it has not. ADU/mV before and after."""
    return 1 / after if after < before else 0.0


def absurd(record: Record) -> str:
    """What is wrong with the amplitude of an ECG lead; "" where nothing is."""
    units = record.units or (MILLIVOLT,) * len(record.leads)
    sizes = {}
    for column, name in enumerate(record.leads):
        if not is_ecg(name, units[column]):
            continue
        levels = usual_range(record.samples[:, column], record.rate)
        height = levels / float(record.gain[column])
        if height > TALLEST:
            return (
                f"lead {name} is {height:.0f} mV tall within {WINDOW_SECONDS:g} s, which no heart is; "
                "correct its unit or gain (uV written as mV?)"
            )
        if levels > LEVELS:
            sizes[name] = height
    if sizes and max(sizes.values()) < SMALLEST:
        name, height = max(sizes.items(), key=lambda one: one[1])
        return (
            f"lead {name} is {1000 * height:.2g} uV tall within {WINDOW_SECONDS:g} s, which no heart is; "
            "correct its unit or gain (V written as mV?)"
        )
    return ""


def usual_range(samples: NDArray[np.int16], rate: float) -> float:
    """ADU from top to bottom within WINDOW_SECONDS, the median over the record; 0 where no window is whole."""
    span = max(round(WINDOW_SECONDS * rate), 1)
    if len(samples) < span:
        span = len(samples)
    windows = samples[: len(samples) // span * span].reshape(-1, span)
    windows = windows[:: max(len(windows) // MOST_WINDOWS, 1)]
    windows = windows[(windows != MISSING).all(axis=1)]
    if not len(windows):
        return 0.0
    return float(np.median(windows.max(axis=1).astype(np.int64) - windows.min(axis=1)))
