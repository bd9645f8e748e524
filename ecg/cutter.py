"""Window cutter and patient-relative features of each beat, for all beds at once.

What the network sees is relative to the patient: the window in units of the bed's own running beat size, the
window minus the bed's running average beat, and RR intervals as ratios to the bed's recent past. These running
values belong to the bed's memory. Everything is causal; the window reaches WINDOW_AFTER samples past the R-peak.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.detector import Floats, Index, State, rounds

WINDOW_BEFORE: Final = 40
WINDOW_AFTER: Final = 56
WINDOW: Final = WINDOW_BEFORE + WINDOW_AFTER
CHANNELS: Final = 2
RECENT: Final = 16
FEATURES: Final = (
    "rr_to_mean_of_8",
    "rr_to_slow_mean",
    "rr_to_last",
    "last_rr_to_mean_of_8",
    "irregularity",
    "qrs_likeness",
    "p_likeness",
    "t_likeness",
    "size",
    "area",
)
QRS: Final = slice(WINDOW_BEFORE - 10, WINDOW_BEFORE + 12)
P_WAVE: Final = slice(WINDOW_BEFORE - 36, WINDOW_BEFORE - 8)
T_WAVE: Final = slice(WINDOW_BEFORE + 14, WINDOW)


def new_state(slots: int) -> State:
    """Running values of beds that have seen no beat."""
    return {
        "beats": np.zeros(slots),
        "last_at": np.zeros(slots),
        "recent": np.zeros((slots, RECENT)),
        "slow": np.zeros(slots),
        "average": np.zeros((slots, WINDOW)),
        "beat_size": np.zeros(slots),
        "beat_area": np.zeros(slots),
    }


def describe(
    state: State, slots: Index, at: Floats, cuts: Floats
) -> tuple[NDArray[np.float32], NDArray[np.float32], Floats, Floats]:
    """Network inputs of new beats. Updates the state of their slots.

    slots: [m], sorted, each slot's beats in order. at: [m], fractional position, samples at the model's rate.
    cuts: [m, WINDOW], mV. Returns windows [m, CHANNELS, WINDOW], features [m, len(FEATURES)], rr [m] and mean rr
    over up to 8 beats [m], both in samples at the model's rate, NaN where unknown.
    """
    total = len(slots)
    windows = np.zeros((total, CHANNELS, WINDOW), np.float32)
    features = np.zeros((total, len(FEATURES)), np.float32)
    intervals = np.full(total, np.nan)
    mean_intervals = np.full(total, np.nan)
    level = cuts - np.median(cuts, axis=1, keepdims=True)
    qrs = level[:, QRS]
    sizes = np.maximum(qrs.max(axis=1) - qrs.min(axis=1), 1e-3)
    areas = np.maximum(np.abs(level).mean(axis=1), 1e-4)
    for chosen in rounds(slots):
        rows = slots[chosen]
        beats = state["beats"][rows]
        beat, size, area = level[chosen], sizes[chosen], areas[chosen]
        average, recent, slow = state["average"][rows], state["recent"][rows], state["slow"][rows]
        typical = np.where(beats > 0, state["beat_size"][rows], size)
        typical_area = np.where(beats > 0, state["beat_area"][rows], area)

        rr = np.maximum(at[chosen] - state["last_at"][rows], 1.0)
        log_rr = np.log(rr)
        timed = beats > 0
        known = np.clip(beats - 1, 0, RECENT)
        mean = _mean_of(recent, np.minimum(known, 8))
        last = recent[:, 0]
        steps = np.abs(np.diff(recent, axis=1))
        steps[np.arange(RECENT - 1)[None, :] >= (known - 1)[:, None]] = np.nan
        has_past = timed & (known > 0)
        told = features[chosen]
        told[:, 0] = np.where(has_past, log_rr - mean, 0)
        told[:, 1] = np.where(has_past, log_rr - slow, 0)
        told[:, 2] = np.where(has_past, log_rr - last, 0)
        told[:, 3] = np.where(has_past, last - mean, 0)
        told[:, 4] = _median_of(steps, known - 1)
        told[:, :4] = np.clip(told[:, :4], -1.5, 1.5) * 4
        told[:, 4] = np.minimum(told[:, 4], 0.5) * 10
        for column, part in ((5, QRS), (6, P_WAVE), (7, T_WAVE)):
            told[:, column] = np.where(beats > 0, _likeness(beat[:, part], average[:, part]), 1.0)
        told[:, 8] = np.clip(np.log(size / typical), -2, 2)
        told[:, 9] = np.clip(np.log(area / typical_area), -2, 2)
        features[chosen] = told
        windows[chosen, 0] = np.clip(beat / typical[:, None], -4, 4)
        windows[chosen, 1] = np.where(beats[:, None] > 0, np.clip((beat - average) / typical[:, None], -4, 4), 0.0)
        intervals[chosen] = np.where(timed, rr, np.nan)

        alike = told[:, 5].astype(np.float64)
        trust = np.where(beats < 8, 1.0, 0.15 + 0.85 * np.clip((alike - 0.5) / 0.4, 0, 1))
        weight = trust * np.maximum(1 / (beats + 1), 1 / 16)
        state["average"][rows] = average + weight[:, None] * (beat - average)
        state["beat_size"][rows] = typical + weight * (np.clip(size, 0.3 * typical, 3 * typical) - typical)
        state["beat_area"][rows] = typical_area + weight * (
            np.clip(area, 0.3 * typical_area, 3 * typical_area) - typical_area
        )
        pushed = np.concatenate((log_rr[:, None], recent[:, :-1]), axis=1)
        state["recent"][rows] = np.where(timed[:, None], pushed, recent)
        pace = np.maximum(1 / np.maximum(beats, 1), 1 / 40)
        state["slow"][rows] = np.where(timed, slow + pace * (log_rr - slow), slow)
        state["last_at"][rows] = at[chosen]
        state["beats"][rows] = beats + 1
        now_known = np.clip(beats, 0, 8)
        mean_intervals[chosen] = np.where(timed, np.exp(_mean_of(state["recent"][rows], now_known)), np.nan)
    return windows, features, intervals, mean_intervals


def _mean_of(recent: Floats, count: Floats) -> Floats:
    """Mean of the first `count` [beds] columns; 0 where there is none."""
    mask = np.arange(recent.shape[1])[None, :] < count[:, None]
    total: Floats = np.where(mask, recent, 0).sum(axis=1)
    return total / np.maximum(count, 1)


def _median_of(steps: Floats, count: Floats) -> Floats:
    """Median of the first `count` [beds] columns (NaN beyond them); 0 where there is none."""
    ordered = np.sort(steps, axis=1)
    have = np.maximum(count, 1).astype(np.int64)
    row = np.arange(len(steps))
    middle = 0.5 * (ordered[row, (have - 1) // 2] + ordered[row, have // 2])
    return np.where(count > 0, middle, 0.0)


def _likeness(beat: Floats, average: Floats) -> Floats:
    """Correlation coefficient of two windows' parts: [beds, n], [beds, n] -> [beds]."""
    one = beat - beat.mean(axis=1, keepdims=True)
    other = average - average.mean(axis=1, keepdims=True)
    power = np.sqrt((one * one).sum(axis=1) * (other * other).sum(axis=1))
    correlation: Floats = (one * other).sum(axis=1) / np.maximum(power, 1e-9)
    return correlation
