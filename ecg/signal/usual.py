"""Each beat beside its bed's usual beat: likeness of their waves, size, area, and the shape it belongs to.

State is a dict of arrays whose first axis is the slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ecg.signal import shapes
from ecg.signal.numbers import clip, log
from ecg.signal.shapes import likeness
from ecg.signal.slots import Floats, Index, Mask, State
from ecg.signal.windows import CORE, P_WAVE, QRS, T_WAVE, WINDOW

FAST: Final = 8
"""Beats from which on only those of the usual shape count fully for the running size."""
MEMORY: Final = 16
"""Beats over which size and area are averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """New beats, one of each bed, beside their beds' usual beats: arrays [m].

    usual: the usual shape's average, mV [m, WINDOW]. size: the bed's running QRS size, mV. is_usual: which beats are
    of the usual shape. p_likeness: correlation of their P waves with the usual one. features: by name.
    """

    usual: Floats
    size: Floats
    is_usual: Mask
    p_likeness: Floats
    features: dict[str, Floats | Mask]


def new_state(slots: int) -> State:
    """Running size and area (mV) and shapes of new beds."""
    return {
        "beat_size": np.zeros(slots),
        "beat_area": np.zeros(slots),
        **shapes.new_state(slots, WINDOW),
    }


def compare(state: State, rows: Index, beat: Floats, beats: Floats, to_slow: Floats) -> Comparison:
    """Compare new beats with the usual ones. Updates the state of their slots.

    rows: slots [m], each once. beat: [m, WINDOW], mV, median 0. beats: [m], beats that the bed had before. to_slow:
    [m], log RR relative to the slow mean.
    """
    qrs = beat[:, QRS]
    size = np.maximum(qrs.max(axis=1) - qrs.min(axis=1), 1e-3)
    area = np.maximum(np.abs(beat).mean(axis=1), 1e-4)
    timed = beats > 0
    typical = np.where(timed, state["beat_size"][rows], size)
    typical_area = np.where(timed, state["beat_area"][rows], area)
    seen = shapes.recognise(state, rows, beat, CORE, to_slow, beats > 1)
    alike = {
        name: np.where(timed, likeness(beat[:, part], seen.average[:, part]), 1.0)
        for name, part in (("qrs_likeness", QRS), ("p_likeness", P_WAVE), ("t_likeness", T_WAVE))
    }
    is_usual = seen.is_usual & timed
    features = alike | {
        "size": clip(log(size / typical), -2, 2),
        "area": clip(log(area / typical_area), -2, 2),
        "shape_fit": np.where(timed, np.maximum(seen.fit, -1), 1.0),
        "shape_share": seen.share,
        "shape_is_usual": is_usual,
        "shape_likeness": seen.likeness,
        "shape_earliness": 4 * seen.before,
        "shape_pause": 4 * seen.after,
    }

    shapes.learn(state, rows, seen, beat, to_slow)
    pace = np.where(is_usual | (beats < FAST), 1.0, 0.1) * np.maximum(1 / (beats + 1), 1 / MEMORY)
    for name, known, value in (("beat_size", typical, size), ("beat_area", typical_area, area)):
        state[name][rows] = known + pace * (clip(value, 0.3 * known, 3 * known) - known)
    return Comparison(
        usual=seen.average, size=typical, is_usual=is_usual, p_likeness=alike["p_likeness"], features=features
    )
