"""How regular each bed's rhythm is under its ectopic beats, and the usual interval from which a beat is early.

Running means drift towards the ectopic beats if these are many: the usual interval here learns from beats that come in
time. And a rhythm with many early beats is irregular, but not everywhere: a quarter of its intervals are as long as
the one before, or as the one two, three or four before (bigeminy, trigeminy). In atrial fibrillation hardly any are.

A tachycardia that sets in between two beats becomes usual within a minute. What leads to it tells it from a sinus node
that quickens: so the gradual interval follows small changes at once and jumps hardly at all, and stays where it was.

Intervals are logarithms of samples at the model's rate. State is a dict of arrays whose first axis is the slot.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ecg.signal.numbers import clip, exp
from ecg.signal.slots import Floats, Index, Mask, State

IN_TIME: Final = 0.15
"""An interval is in time if its logarithm is that near to the usual one's."""
EARLY: Final = -0.12
LEARN: Final = 1 / 16
DRIFT: Final = 1 / 60
"""Share of the difference that the usual interval learns from a beat in time, and from any other."""
FIRST: Final = 4
"""Intervals from which the usual one learns whatever they are."""
GRADUAL: Final = 0.15
"""A change of the interval is gradual if its logarithm is that near to the gradual interval's."""
GRADUAL_LEARN: Final = 1 / 4
GRADUAL_DRIFT: Final = 1 / 500
"""Share of the difference that the gradual interval learns from a gradual change, and from any other."""
GRADUAL_FIRST: Final = 6
"""Beats from which it learns half, whatever they are."""
EARLY_MEMORY: Final = 50
KNOWN: Final = 20
"""Beats after which the newness of a bed has fallen to 1/e."""
MOST: Final = 1.5
LARGEST: Final = 0.7
"""Largest difference of logarithms that a feature shows, and that the usual interval learns from."""
LAGS: Final = 4
CHANGES: Final = 32
"""Changes of the interval, to each of the LAGS before it, among which the regular ones are looked for."""
LARGE: Final = 8.0
UNKNOWN: Final = 9.0
"""Largest change kept, and what stands where none is known yet (a saved bed holds no infinities)."""
LEAST: Final = 4
"""Changes without which nothing is told."""


def new_state(slots: int) -> State:
    """Intervals of new beds."""
    return {
        "usual_rr": np.zeros(slots),
        "gradual_rr": np.zeros(slots),
        "off_usual": np.zeros(slots),
        "early_share": np.zeros(slots),
        "intervals_past": np.zeros((slots, LAGS)),
        "changes": np.full((slots, LAGS, CHANGES), UNKNOWN),
    }


def describe(state: State, rows: Index, log_rr: Floats, beats: Floats) -> dict[str, Floats]:
    """Features of new beats, one of each bed: [m] by name. Updates the state of their slots.

    rows: slots [m], each once. log_rr: [m]. beats: [m], beats that the bed had before.
    """
    timed = beats > 0
    first = beats == 1
    usual = np.where(first, log_rr, state["usual_rr"][rows])
    off = np.where(timed, log_rr - usual, 0)
    last = state["off_usual"][rows]
    early = state["early_share"][rows]
    features = {
        "newness": exp(-beats / KNOWN),
        "rr_to_usual": 4 * clip(off, -MOST, MOST),
        "last_rr_to_usual": 4 * clip(last, -MOST, MOST),
        "early_share": 5 * early,
        **_regularity(state, rows, log_rr, beats),
    }
    in_time = (np.abs(off) < IN_TIME) | (beats < FIRST)
    pace = np.where(in_time, np.maximum(1 / np.maximum(beats, 1), LEARN), DRIFT)
    state["usual_rr"][rows] = np.where(timed, usual + pace * clip(off, -LARGEST, LARGEST), 0)
    state["off_usual"][rows] = off
    pace = np.where(timed, np.maximum(1 / np.maximum(beats, 1), 1 / EARLY_MEMORY), 0)
    state["early_share"][rows] = early + pace * ((off < EARLY) - early)
    return features | _gradual(state, rows, log_rr, beats)


def _gradual(state: State, rows: Index, log_rr: Floats, beats: Floats) -> dict[str, Floats]:
    """How far the interval, and the usual one, are from where gradual changes lead."""
    timed = beats > 0
    gradual = np.where(beats == 1, log_rr, state["gradual_rr"][rows])
    off = np.where(timed, log_rr - gradual, 0)
    pace = np.where(np.abs(off) < GRADUAL, GRADUAL_LEARN, GRADUAL_DRIFT)
    pace = np.where(beats < GRADUAL_FIRST, 0.5, pace)
    gradual = np.where(timed, gradual + pace * clip(off, -LARGEST, LARGEST), 0)
    state["gradual_rr"][rows] = gradual
    return {
        "rr_to_gradual": 4 * clip(off, -MOST, MOST),
        "usual_to_gradual": 4 * clip(np.where(timed, state["usual_rr"][rows] - gradual, 0), -1, 1),
    }


def _regularity(state: State, rows: Index, log_rr: Floats, beats: Floats) -> dict[str, Floats]:
    """How much the most regular intervals change, from one to the next and at the best of the lags."""
    past, changes = state["intervals_past"][rows], state["changes"][rows]
    timed = beats > 0
    known = beats[:, None] > np.arange(1, LAGS + 1)[None, :]
    new = np.where(known, np.minimum(np.abs(log_rr[:, None] - past), LARGE), UNKNOWN)
    pushed = np.concatenate((new[:, :, None], changes[:, :, :-1]), axis=2)
    changes = np.where(timed[:, None, None], pushed, changes)
    state["changes"][rows] = changes
    state["intervals_past"][rows] = np.where(
        timed[:, None], np.concatenate((log_rr[:, None], past[:, :-1]), axis=1), past
    )
    ordered = np.sort(changes, axis=2)
    count = (changes < UNKNOWN).sum(axis=2)
    enough = count >= LEAST
    quarter, median = (_rank(ordered, count, enough, share) for share in (0.25, 0.5))
    return {
        "quarter_change": 20 * np.minimum(quarter[:, 0], 0.15),
        "least_median_change": 10 * np.minimum(median.min(axis=1), 0.3),
        "least_quarter_change": 10 * np.minimum(quarter.min(axis=1), 0.3),
    }


def _rank(ordered: Floats, count: Index, enough: Mask, share: float) -> Floats:
    """The change below which this share of the known ones lies: [m, LAGS]; 0 if too few are known."""
    place = (share * np.maximum(count - 1, 0)).astype(np.int64)
    value = np.take_along_axis(ordered, place[:, :, None], axis=2)[:, :, 0]
    return np.where(enough, value, 0)
