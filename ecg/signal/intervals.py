"""RR intervals of each bed, relative to its recent past.

Intervals are logarithms of samples at the model's rate, so that a difference is a ratio. State is a dict of arrays
whose first axis is the slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ecg.signal.numbers import clip, exp, log
from ecg.signal.slots import Floats, Index, State

RECENT: Final = 16
"""Intervals kept."""
SHORT: Final = 8
"""Intervals in the mean of the recent ones, and in the heart rate."""
SLOW: Final = 40
LONG: Final = 64
"""Beats over which the slow mean, and the long irregularity, are averaged."""
MOST: Final = 1.5
"""Largest logarithm of a ratio that a feature shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The interval before each new beat: arrays [m].

    log_rr: its logarithm. to_slow: the same relative to the slow mean, 0 before there is one. rr, mean_rr: samples at
    the model's rate, the latter over up to 8 beats; NaN for a bed's first beat. features: by name.
    """

    log_rr: Floats
    to_slow: Floats
    rr: Floats
    mean_rr: Floats
    features: dict[str, Floats]


def new_state(slots: int) -> State:
    """Intervals of new beds."""
    return {
        "last_at": np.zeros(slots),
        "recent": np.zeros((slots, RECENT)),
        "slow": np.zeros(slots),
        "irregular": np.zeros(slots),
    }


def describe(state: State, rows: Index, at: Floats, beats: Floats) -> Interval:
    """The interval before new beats, one of each bed. Updates the state of their slots.

    rows: slots [m], each once. at: [m], fractional position, samples at the model's rate. beats: [m], beats that the
    bed had before.
    """
    rr = np.maximum(at - state["last_at"][rows], 1.0)
    log_rr: Floats = log(rr)
    recent, slow, irregular = (state[name][rows] for name in ("recent", "slow", "irregular"))
    timed = beats > 0
    known = clip(beats - 1, 0, RECENT)
    has_past = timed & (known > 0)
    mean = _mean_of(recent, np.minimum(known, SHORT))
    last = recent[:, 0]
    steps = np.abs(np.diff(recent, axis=1))
    steps[np.arange(RECENT - 1)[None, :] >= (known - 1)[:, None]] = np.nan
    to_slow = np.where(has_past, log_rr - slow, 0)
    ratios = {
        "rr_to_mean_of_8": np.where(has_past, log_rr - mean, 0),
        "rr_to_slow_mean": to_slow,
        "rr_to_last": np.where(has_past, log_rr - last, 0),
        "last_rr_to_mean_of_8": np.where(has_past, last - mean, 0),
    }
    features = {name: 4 * clip(value, -MOST, MOST) for name, value in ratios.items()} | {
        "irregularity": 10 * np.minimum(_median_of(steps, known - 1), 0.5),
        "long_irregularity": 10 * irregular,
    }

    pace = np.where(has_past, np.maximum(1 / np.maximum(beats - 1, 1), 1 / LONG), 0)
    state["irregular"][rows] = irregular + pace * (np.minimum(np.abs(log_rr - last), 0.5) - irregular)
    pushed = np.where(timed[:, None], np.concatenate((log_rr[:, None], recent[:, :-1]), axis=1), recent)
    state["recent"][rows] = pushed
    pace = np.maximum(1 / np.maximum(beats, 1), 1 / SLOW)
    state["slow"][rows] = np.where(timed, slow + pace * (log_rr - slow), slow)
    state["last_at"][rows] = at
    mean_rr = exp(_mean_of(pushed, clip(beats, 0, SHORT)))
    return Interval(
        log_rr=log_rr,
        to_slow=to_slow,
        rr=np.where(timed, rr, np.nan),
        mean_rr=np.where(timed, mean_rr, np.nan),
        features=features,
    )


def _mean_of(recent: Floats, count: Floats) -> Floats:
    """Mean of the first `count` [beds] columns; 0 if there is none."""
    mask = np.arange(recent.shape[1])[None, :] < count[:, None]
    total: Floats = np.where(mask, recent, 0).sum(axis=1)
    return total / np.maximum(count, 1)


def _median_of(steps: Floats, count: Floats) -> Floats:
    """Median of the first `count` [beds] columns (NaN beyond them); 0 if there is none."""
    ordered = np.sort(steps, axis=1)
    have = np.maximum(count, 1).astype(np.int64)
    row = np.arange(len(steps))
    middle = 0.5 * (ordered[row, (have - 1) // 2] + ordered[row, have // 2])
    return np.where(count > 0, middle, 0.0)
