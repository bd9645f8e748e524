"""The window of each beat: a fixed span around its R-peak, cut when its last sample is there.

The window reaches WINDOW_AFTER samples past the R-peak, and a beat waits for them in the state of its bed. The network
reads the window relative to the patient: in units of the bed's running beat size, and minus the bed's usual beat.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal.detector import DELAY, Peaks
from ecg.signal.numbers import clip
from ecg.signal.slots import Floats, Index, Mask, State

WINDOW_BEFORE: Final = 40
WINDOW_AFTER: Final = 56
WINDOW: Final = WINDOW_BEFORE + WINDOW_AFTER
"""Samples at the model's rate."""
CHANNELS: Final = 2
QRS: Final = slice(WINDOW_BEFORE - 10, WINDOW_BEFORE + 12)
P_WAVE: Final = slice(WINDOW_BEFORE - 36, WINDOW_BEFORE - 8)
T_WAVE: Final = slice(WINDOW_BEFORE + 14, WINDOW)
CORE: Final = slice(WINDOW_BEFORE - 12, WINDOW_BEFORE + 26)
"""The part by which shapes are distinguished: the QRS complex and the beginning of the T wave."""
FIDUCIAL_REACH: Final = 8
"""Samples to either side of the detected R-peak in which the largest deflection is looked for."""
TAPER: Final = 1 - 0.04 * np.abs(np.arange(-FIDUCIAL_REACH, FIDUCIAL_REACH + 1))
"""Deflections near the R-peak count a little more."""
LARGEST: Final = 4
"""Limit of a channel, in beat sizes."""
PENDING: Final = 8
"""Beats of one bed that can wait for the end of their windows."""


def new_state(slots: int) -> State:
    """Beats of new beds that wait for the end of their windows: none."""
    return {
        "wait_at": np.full((slots, PENDING), -1, np.int64),
        "wait_part": np.zeros((slots, PENDING)),
    }


def complete(state: State, slots: Index, found: Peaks, end: Index) -> Peaks:
    """The R-peaks whose windows are complete; the others wait in the state of their slots.

    slots: [beds]. found: new R-peaks of the group. end: [beds], the number of samples that the bed has had.
    """
    waiting, place = np.nonzero(state["wait_at"][slots] >= 0)
    if len(waiting) == 0 and len(found.row) == 0:
        return found
    rows = np.r_[waiting, found.row]
    at = np.r_[state["wait_at"][slots][waiting, place], found.at]
    fraction = np.r_[state["wait_part"][slots][waiting, place], found.fraction]
    order = np.lexsort((np.arange(len(rows)), slots[rows]))
    rows, at, fraction = rows[order], at[order], fraction[order]
    done = at - DELAY + WINDOW_AFTER <= end[rows]

    state["wait_at"][slots] = -1
    later = rows[~done]
    if len(later):
        starts = np.r_[True, later[1:] != later[:-1]]
        place = np.arange(len(later)) - np.maximum.accumulate(np.where(starts, np.arange(len(later)), 0))
        state["wait_at"][slots[later], place] = at[~done]
        state["wait_part"][slots[later], place] = fraction[~done]
    return Peaks(rows[done], at[done], fraction[done])


def cut(model: Floats, rows: Index, column: Index) -> Floats:
    """Windows around columns of some rows of the signal: mV [m, WINDOW]. Before the first column it is held."""
    columns = np.maximum(column[:, None] + np.arange(-WINDOW_BEFORE, WINDOW_AFTER), 0)
    found: Floats = model[rows[:, None], columns]
    return found


def fiducial(cuts: Floats) -> Index:
    """Samples from the middle of each window to its largest deflection; near ones count a little more: [m]."""
    near = slice(WINDOW_BEFORE - FIDUCIAL_REACH, WINDOW_BEFORE + FIDUCIAL_REACH + 1)
    offset: Index = (np.abs(cuts[:, near]) * TAPER).argmax(axis=1) - FIDUCIAL_REACH
    return offset


def relative(beat: Floats, usual: Floats, size: Floats, known: Mask) -> NDArray[np.float32]:
    """What the network reads: float32 [m, CHANNELS, WINDOW].

    beat, usual: [m, WINDOW], mV, the beat and its bed's usual one. size: [m], mV, the bed's beat size. known: [m],
    beds that have a usual beat; the second channel of the others is 0.
    """
    windows = np.zeros((len(beat), CHANNELS, WINDOW), np.float32)
    windows[:, 0] = clip(beat / size[:, None], -LARGEST, LARGEST)
    windows[:, 1] = np.where(known[:, None], clip((beat - usual) / size[:, None], -LARGEST, LARGEST), 0.0)
    return windows
