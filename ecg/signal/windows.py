"""Window cutter and patient-relative features of each beat, for all beds at once.

What the network sees is relative to the patient: the window in units of the bed's own running beat size, the
window minus the bed's usual beat, what is known of beats of the same shape (ecg.signal.shapes), and RR intervals as
ratios to the bed's recent past. These running values belong to the bed's memory. Everything is causal; the window
reaches WINDOW_AFTER samples past the R-peak.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import p_waves, shapes
from ecg.signal.detector import Floats, Index, State, rounds

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
    "shape_fit",
    "shape_share",
    "shape_is_usual",
    "shape_likeness",
    "shape_earliness",
    "shape_pause",
    "long_irregularity",
    *p_waves.FEATURES,
)
QRS: Final = slice(WINDOW_BEFORE - 10, WINDOW_BEFORE + 12)
P_WAVE: Final = slice(WINDOW_BEFORE - 36, WINDOW_BEFORE - 8)
T_WAVE: Final = slice(WINDOW_BEFORE + 14, WINDOW)
OF_P_WAVES: Final = slice(len(FEATURES) - len(p_waves.FEATURES), len(FEATURES))
CORE: Final = slice(WINDOW_BEFORE - 12, WINDOW_BEFORE + 26)
"""What tells shapes apart: the QRS complex and the beginning of the T wave."""
MOST: Final = 1.5
"""Largest logarithm of a ratio of RR intervals that is told."""
LONG: Final = 64
"""Beats over which irregularity is averaged."""


def new_state(slots: int) -> State:
    """Running values of beds that have seen no beat. RR intervals are logarithms of samples at the model's rate."""
    return {
        "beats": np.zeros(slots),
        "last_at": np.zeros(slots),
        "recent": np.zeros((slots, RECENT)),
        "slow": np.zeros(slots),
        "irregular": np.zeros(slots),
        "beat_size": np.zeros(slots),
        "beat_area": np.zeros(slots),
        **p_waves.new_state(slots, P_WAVE.stop - P_WAVE.start),
        **shapes.new_state(slots, WINDOW),
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
        timed = beats > 0
        rr = np.maximum(at[chosen] - state["last_at"][rows], 1.0)
        told = features[chosen]
        log_rr = np.log(rr)
        to_slow = _intervals(state, rows, log_rr, told)
        usual = _shapes(state, rows, level[chosen], sizes[chosen], areas[chosen], to_slow, told, windows, chosen)
        waves = level[chosen, P_WAVE]
        told[:, OF_P_WAVES] = p_waves.describe(state, rows, waves, *usual, log_rr=log_rr, beats=beats)
        features[chosen] = told
        intervals[chosen] = np.where(timed, rr, np.nan)
        state["last_at"][rows] = at[chosen]
        state["beats"][rows] = beats + 1
        now_known = np.clip(beats, 0, 8)
        mean_intervals[chosen] = np.where(timed, np.exp(_mean_of(state["recent"][rows], now_known)), np.nan)
    return windows, features, intervals, mean_intervals


def _intervals(state: State, rows: Index, log_rr: Floats, told: NDArray[np.float32]) -> Floats:
    """Features of RR intervals, into columns 0 to 4 and 16 of `told` [m, features]; the state moves on.

    log_rr: [m], logarithm of the RR interval in samples. Returns it relative to the slow mean, 0 where not known.
    """
    beats = state["beats"][rows]
    recent, slow, irregular = (state[name][rows] for name in ("recent", "slow", "irregular"))
    timed = beats > 0
    known = np.clip(beats - 1, 0, RECENT)
    has_past = timed & (known > 0)
    mean = _mean_of(recent, np.minimum(known, 8))
    last = recent[:, 0]
    steps = np.abs(np.diff(recent, axis=1))
    steps[np.arange(RECENT - 1)[None, :] >= (known - 1)[:, None]] = np.nan
    to_slow = np.where(has_past, log_rr - slow, 0)
    for column, value in (
        (0, np.where(has_past, log_rr - mean, 0)),
        (1, to_slow),
        (2, np.where(has_past, log_rr - last, 0)),
        (3, np.where(has_past, last - mean, 0)),
    ):
        told[:, column] = 4 * np.clip(value, -MOST, MOST)
    told[:, 4] = 10 * np.minimum(_median_of(steps, known - 1), 0.5)
    told[:, 16] = 10 * irregular

    pace = np.where(has_past, np.maximum(1 / np.maximum(beats - 1, 1), 1 / LONG), 0)
    state["irregular"][rows] = irregular + pace * (np.minimum(np.abs(log_rr - last), 0.5) - irregular)
    pushed = np.concatenate((log_rr[:, None], recent[:, :-1]), axis=1)
    state["recent"][rows] = np.where(timed[:, None], pushed, recent)
    pace = np.maximum(1 / np.maximum(beats, 1), 1 / 40)
    state["slow"][rows] = np.where(timed, slow + pace * (log_rr - slow), slow)
    return to_slow


def _shapes(
    state: State,
    rows: Index,
    beat: Floats,
    size: Floats,
    area: Floats,
    to_slow: Floats,
    told: NDArray[np.float32],
    windows: NDArray[np.float32],
    chosen: Index,
) -> tuple[Floats, Floats, NDArray[np.bool_], Floats]:
    """Windows, and features of the beat's shape, into columns 5 to 15 of `told`; the state moves on.

    beat: [m, WINDOW], mV. size, area: [m], mV. Returns the P wave of the usual shape [m, samples] and its QRS, both in
    mV, which beats are of that shape [m], and the likeness of their P waves to the usual one [m].
    """
    beats = state["beats"][rows]
    timed = beats > 0
    typical = np.where(timed, state["beat_size"][rows], size)
    typical_area = np.where(timed, state["beat_area"][rows], area)
    seen = shapes.recognise(state, rows, beat, CORE, to_slow, beats > 1)
    alike = [
        np.where(timed, shapes.likeness(beat[:, part], seen.average[:, part]), 1.0) for part in (QRS, P_WAVE, T_WAVE)
    ]
    is_usual = seen.is_usual & timed
    for column, value in enumerate(
        (
            *alike,
            np.clip(np.log(size / typical), -2, 2),
            np.clip(np.log(area / typical_area), -2, 2),
            np.where(timed, np.maximum(seen.fit, -1), 1.0),
            seen.share,
            is_usual,
            seen.likeness,
            4 * seen.before,
            4 * seen.after,
        ),
        5,
    ):
        told[:, column] = value
    windows[chosen, 0] = np.clip(beat / typical[:, None], -4, 4)
    windows[chosen, 1] = np.where(timed[:, None], np.clip((beat - seen.average) / typical[:, None], -4, 4), 0.0)

    shapes.learn(state, rows, seen, beat, to_slow)
    pace = np.where(is_usual | (beats < 8), 1.0, 0.1) * np.maximum(1 / (beats + 1), 1 / 16)
    for name, known, value in (("beat_size", typical, size), ("beat_area", typical_area, area)):
        state[name][rows] = known + pace * (np.clip(value, 0.3 * known, 3 * known) - known)
    return seen.average[:, P_WAVE], typical, is_usual, alike[1]


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
