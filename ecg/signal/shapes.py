"""The shapes of a bed's beats: running averages of up to SHAPES kinds of beat, found without annotations.

After Hamilton (Computers in Cardiology 29:101-104, 2002): each beat is matched against templates, and the commonest
template is dominant. Two things differ. Beside each shape stand the mean RR interval before its beats and the mean one
after them. The usual shape is the commonest of the shapes without early beats, so that ventricular beats in bigeminy
never become the usual ones.

State is a dict of arrays whose first axis is the slot. RR intervals are logarithms, relative to the bed's running mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ecg.signal.numbers import clip, exp, log
from ecg.signal.slots import Floats, Index, Mask, State

SHAPES: Final = 6
SAME: Final = 0.85
"""Least correlation of a beat with its shape, less the cost of their sizes."""
SIZE_FREE: Final = 0.1
SIZE_COST: Final = 0.25
"""Correlation lost per unit of the logarithm of two sizes' ratio, beyond SIZE_FREE."""
FORGET: Final = 1 / 200
"""Share of all shapes' weight that each beat takes away."""
LEARN: Final = 1 / 16
EARLY: Final = -0.12
"""Log RR, relative to the mean, below which a beat is early: its shape's average learns little from it."""
EARLY_LEARNS: Final = 0.3
EARLY_COUNTS: Final = 3.0
"""Weight of earliness against a shape in the choice of the usual one."""
LARGEST: Final = 0.7
"""Limit of the log RR that a shape learns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The shapes of new beats, one of each bed: arrays [m].

    place: number of the beat's shape. new: unlike every known shape. usual: number of the bed's usual shape.
    is_usual: the beat has that shape. fit: correlation with the best shape, less the cost of its size (-2 if none is
    known). share: share of the bed's recent beats with its shape. likeness: correlation of its shape with the usual
    one. before, after: mean log RR (relative) before beats of its shape, and after them; 0 if unknown.
    average: the usual shape, mV [m, window].
    """

    place: Index
    new: Mask
    usual: Index
    is_usual: Mask
    fit: Floats
    share: Floats
    likeness: Floats
    before: Floats
    after: Floats
    average: Floats


def new_state(slots: int, window: int) -> State:
    """Shapes of beds without a beat."""
    return {
        "shapes": np.zeros((slots, SHAPES, window)),
        "shape_weight": np.zeros((slots, SHAPES)),
        "shape_beats": np.zeros((slots, SHAPES)),
        "shape_before": np.zeros((slots, SHAPES)),
        "shape_after": np.zeros((slots, SHAPES)),
        "shape_last": np.zeros(slots, np.int64),
    }


def recognise(state: State, rows: Index, beats: Floats, core: slice, relative: Floats, known: Mask) -> Seen:
    """Find each beat's shape. The shape of the beat before it learns the interval between the two.

    rows: slots [m], each once. beats: [m, window], mV. core: columns to compare. relative: log RR before each beat
    [m], 0 if unknown. known: [m].
    """
    row = np.arange(len(rows))
    count, last = state["shape_beats"][rows], state["shape_last"][rows]
    early, at_last = state["shape_before"][rows], (rows, last)
    pace = np.where(known, np.maximum(1 / np.maximum(count[row, last], 1), LEARN), 0)
    state["shape_after"][at_last] += pace * (clip(relative, -LARGEST, LARGEST) - state["shape_after"][at_last])

    shapes, weight = state["shapes"][rows], state["shape_weight"][rows]
    used = count > 0
    usual = (np.where(used, weight, 0) * exp(EARLY_COUNTS * clip(early, -0.5, 0.2))).argmax(axis=1)
    average = shapes[row, usual]
    sizes = np.maximum(np.ptp(shapes[:, :, core], axis=2), 1e-3)
    size = np.maximum(np.ptp(beats[:, core], axis=1), 1e-3)
    cost = SIZE_COST * np.maximum(np.abs(log(size[:, None] / sizes)) - SIZE_FREE, 0)
    fits = np.where(used, likeness(beats[:, None, core], shapes[:, :, core]) - cost, -2.0)
    best = fits.argmax(axis=1)
    fit = fits[row, best]
    new = fit < SAME
    spare = np.where(used, weight, -1.0)
    spare[row, usual] = np.inf
    place = np.where(new, np.where(used.any(axis=1), spare.argmin(axis=1), 0), best)
    share = weight[row, best] / np.maximum(weight.sum(axis=1), 1e-9)
    alike = likeness(shapes[row, best][:, core], average[:, core])
    return Seen(
        place=place,
        new=new,
        usual=usual,
        is_usual=(place == usual) & ~new,
        fit=fit,
        share=np.where(new, 0, share),
        likeness=np.where(new, 0, alike),
        before=np.where(new, 0, early[row, best]),
        after=np.where(new, 0, state["shape_after"][rows, best]),
        average=average,
    )


def learn(state: State, rows: Index, seen: Seen, beats: Floats, relative: Floats) -> None:
    """Let each shape learn from its new beat. Arguments as in `recognise`."""
    new, at = seen.new, (rows, seen.place)
    count = np.where(new, 0, state["shape_beats"][at])
    pace = np.maximum(1 / (count + 1), LEARN)
    taught = np.where(new, 1.0, pace * np.where(relative < EARLY, EARLY_LEARNS, 1.0))
    state["shapes"][at] += taught[:, None] * (beats - state["shapes"][at])
    state["shape_weight"][rows] *= 1 - FORGET
    state["shape_weight"][at] = np.where(new, 1.0, state["shape_weight"][at] + 1)
    before = np.where(new, 0, state["shape_before"][at])
    state["shape_before"][at] = before + pace * (clip(relative, -LARGEST, LARGEST) - before)
    state["shape_after"][at] = np.where(new, 0, state["shape_after"][at])
    state["shape_beats"][at] = count + 1
    state["shape_last"][rows] = seen.place


def likeness(beat: Floats, average: Floats) -> Floats:
    """Correlation coefficients over the last axis, 0 if either is flat: [..., n], [..., n] -> [...]."""
    one = beat - beat.mean(axis=-1, keepdims=True)
    other = average - average.mean(axis=-1, keepdims=True)
    power = np.sqrt((one * one).sum(axis=-1) * (other * other).sum(axis=-1))
    correlation: Floats = (one * other).sum(axis=-1) / np.maximum(power, 1e-9)
    return correlation
