"""R-peak detector: causal, adaptive, for all beds at once.

After Pan & Tompkins (IEEE Trans Biomed Eng 32(3):230-236, 1985): band-pass, slope, moving average, then a
threshold between running signal and noise levels. What differs: nothing looks back (there is no search-back; the
threshold falls instead while a beat is overdue), a candidate that is followed by a still rising envelope waits for
the later one (a P wave before its QRS), and a small wave whose shape is unlike the bed's recent beats needs more
height. Constants were chosen on DS1 records.

All positions are samples at the model's rate. State is a dict of arrays whose first axis is the slot.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter

from ecg.signal.resampler import MODEL_RATE

BAND: Final = butter(1, (8.0, 16.0), "bandpass", fs=MODEL_RATE)
AVERAGE: Final = 16
"""Samples in the moving average of the slope: as long as a wide QRS."""
DELAY: Final = 13
"""The envelope's maximum comes that many samples after the R-peak (median over DS1)."""
RISE_BEFORE: Final = 5
WAIT_AFTER: Final = 14
"""A maximum is one where nothing in the 5 samples before and the 14 after is higher."""
LEARNING: Final = 250
"""Samples heard before the first decision: levels start from their largest envelope."""
SKIP: Final = 24
REFRACTORY: Final = 25
HALF_SHAPE: Final = 12
SHAPE: Final = 2 * HALF_SHAPE + 1
THRESHOLD: Final = 0.22
STILL_RISING: Final = 0.8
UNLIKE: Final = 0.7
UNLIKE_PER_NOISE: Final = 5.0
UNLIKE_FREE: Final = 0.3
"""A small wave of another shape needs more height, the more so the noisier the bed is: none on a clean one."""
SMALL: Final = 1.1
T_WAVE_SPAN: Final = 45
T_WAVE_SHARE: Final = 0.6

State = dict[str, NDArray[Any]]
Index = NDArray[np.int64]
Floats = NDArray[np.float64]


def new_state(slots: int) -> State:
    """State of beds that have heard nothing."""
    return {
        "signal": np.zeros(slots),
        "noise": np.zeros(slots),
        "size": np.zeros(slots),
        "beat_rr": np.full(slots, 100.0),
        "last": np.full(slots, -1e9),
        "last_height": np.zeros(slots),
        "shape": np.zeros((slots, SHAPE)),
    }


def maxima(envelope: Floats, low: int) -> tuple[Index, Index]:
    """Rows and columns of the envelope's maxima from column `low` on that can be told by now.

    envelope: float [beds, n]. Sorted by row, then column.
    """
    high = envelope.shape[1] - WAIT_AFTER
    low = max(low, RISE_BEFORE)
    if high <= low:
        empty = np.zeros(0, np.int64)
        return empty, empty
    middle = envelope[:, low:high]
    found = middle > 0
    for step in range(1, RISE_BEFORE + 1):
        found &= middle > envelope[:, low - step : high - step]
    for step in range(1, WAIT_AFTER + 1):
        found &= middle >= envelope[:, low + step : high + step]
    rows, columns = np.nonzero(found)
    rising = envelope[rows, columns + low + WAIT_AFTER]
    keep = ~(
        (rising > STILL_RISING * envelope[rows, columns + low])
        & (rising > envelope[rows, columns + low + WAIT_AFTER - 2])
    )
    return rows[keep], columns[keep] + low


def decide(
    state: State,
    slots: Index,
    at: Index,
    height: Floats,
    size: Floats,
    shape: Floats,
) -> NDArray[np.bool_]:
    """Which candidates are beats. Updates the state of their slots.

    slots: [m], sorted, each slot's candidates in order of time. at: [m], position. height: [m], envelope. size:
    [m], peak-to-peak mV around it. shape: [m, SHAPE], band-passed signal around it, unit length.
    """
    accepted = np.zeros(len(slots), bool)
    for chosen in rounds(slots):
        rows = slots[chosen]
        level, noise, typical = state["signal"][rows], state["noise"][rows], state["size"][rows]
        mean_rr, last_height, known = state["beat_rr"][rows], state["last_height"][rows], state["shape"][rows]
        since = at[chosen] - state["last"][rows]
        tall, wide, form = height[chosen], size[chosen], shape[chosen]
        typical = np.where(typical > 0, typical, wide)

        norm = np.sqrt((known * known).sum(axis=1))
        alike = np.where(norm > 0.3, (form * known).sum(axis=1) / np.maximum(norm, 0.3), 1.0)
        doubt = np.clip((SMALL - wide / np.maximum(typical, 1e-9)) / (0.5 * SMALL), 0, 1)
        unlike = np.clip(UNLIKE_PER_NOISE * noise / np.maximum(level, 1e-9) - UNLIKE_FREE, 0, UNLIKE)
        judged = tall * (1 - unlike * (1 - np.maximum(alike, 0)) * doubt)

        threshold = noise + THRESHOLD * (level - noise)
        overdue = since / mean_rr - 1.3
        threshold = np.where(overdue > 0, threshold * np.maximum(0.35, 1 - 0.5 * overdue), threshold)
        after_beat = (since < T_WAVE_SPAN) & (tall < T_WAVE_SHARE * last_height)
        yes = (since > REFRACTORY) & (judged > threshold) & ~after_beat
        accepted[chosen] = yes

        usual = yes & (since > 37) & (since < 220)
        state["beat_rr"][rows] = np.where(usual, mean_rr + 0.2 * (since - mean_rr), mean_rr)
        fade = np.where(since > 400, 0.9, 1.0)
        state["signal"][rows] = fade * np.where(yes, level + 0.15 * (np.minimum(tall, 1.8 * level) - level), level)
        state["size"][rows] = fade * np.where(
            yes, typical + 0.15 * (np.minimum(wide, 1.8 * typical) - typical), typical
        )
        state["noise"][rows] = np.where(yes, noise, noise + 0.1 * (np.minimum(tall, 0.6 * level) - noise))
        state["shape"][rows] = np.where(yes[:, None], known + 0.1 * (form - known), known)
        state["last"][rows] = np.where(yes, at[chosen], state["last"][rows])
        state["last_height"][rows] = np.where(yes, tall, last_height)
    return accepted


def rounds(slots: Index) -> list[Index]:
    """Groups of positions in which every slot stands at most once, each slot's positions in order.

    slots: [m], sorted. The first group holds each slot's first entry, the second its second, and so on.
    """
    if len(slots) == 0:
        return []
    starts = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
    rank = np.arange(len(slots)) - np.repeat(starts, np.diff(np.r_[starts, len(slots)]))
    order = np.argsort(rank, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(rank[order])) + 1)
