"""One step of the signal path, compiled: new samples of leads at one rate in, the windows that are complete out.

What `ecg.signal.path` does group by group is one call here, whatever the lengths of the leads' chunks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ecg.signal.detector import AWAKE, DELAY, REFRACTORY
from ecg.signal.kernels import detection, filling, filtering, pacing
from ecg.signal.kernels.detection import Levels
from ecg.signal.kernels.filling import Taken
from ecg.signal.kernels.filtering import Designs, Filters
from ecg.signal.kernels.pacing import Spikes
from ecg.signal.recent import HISTORY
from ecg.signal.resampler import MODEL_RATE
from ecg.signal.windows import FIDUCIAL_REACH, PENDING, TAPER, WINDOW, WINDOW_AFTER, WINDOW_BEFORE


@njit(cache=True, nogil=True, error_model="numpy")
def _outputs(state: Filters, slots: Any, edges: Any, up: int, down: int, half: int) -> Any:
    """How many samples at the model's rate each lead's new ones make."""
    counts = np.zeros(len(slots), np.int64)
    for row in range(len(slots)):
        new = edges[row + 1] - edges[row]
        last = state.seen[slots[row]] + new - 1 - half
        if new:
            counts[row] = max(max((last * down + down - 1) // up + 1, 0) - state.made[slots[row]], 0)
    return counts


@njit(cache=True, nogil=True, error_model="numpy")
def _cut(line: Any, column: int, out: Any) -> int:
    """`windows.cut` and `windows.fiducial` of one beat."""
    for place in range(WINDOW):
        out[place] = line[max(column + place - WINDOW_BEFORE, 0)]
    best, most = 0, -np.inf
    for place in range(2 * FIDUCIAL_REACH + 1):
        here = abs(out[WINDOW_BEFORE - FIDUCIAL_REACH + place]) * TAPER[place]
        if here > most:
            best, most = place, here
    return best - FIDUCIAL_REACH


@njit(cache=True, nogil=True, error_model="numpy")
def _pass(
    filters: Filters,
    levels: Levels,
    taken: Taken,
    spikes: Spikes,
    designs: Designs,
    kern: tuple[Any, ...],
    reach: Any,
    slots: Any,
    follows: Any,
    order: Any,
    flat: Any,
    edges: Any,
    rate: float,
) -> tuple[Any, ...]:
    """`step` up to the first spike of each bed that is known. Returns what it does (beats in order of their rows), and
    before it which rows have heard less than all, and samples of all left: see `pacing.left`.
    """
    up, down, half, taps = kern
    lengths = edges[1:] - edges[:-1]
    used, tops = lengths.copy(), np.full(len(slots), -1, np.int64)
    short = pacing.cut_short(filters, spikes, levels.begin, slots, follows, flat, edges, up, down, reach, used, tops)
    rest = np.empty(0, np.int64)
    if short:
        flat, edges, rest = pacing.split(flat, edges, used)
    counts = _outputs(filters, slots, edges, up, down, half)
    rows, most = len(slots), counts.max()
    lines = filtering.placed(filters, slots, counts)
    filtering.advance(filters, designs, slots, flat, edges, counts, up, down, half, taps, lines)
    first = np.empty(rows, np.int64)
    for row in range(rows):
        first[row] = filters.made[slots[row]] - HISTORY - counts[row]
    room = rows * ((HISTORY + most) // REFRACTORY + 2)
    row_of, places, fractions = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    made = detection.find(levels, slots, order, lines, first, counts, (row_of, places, fractions))
    found = row_of[:made], places[:made], fractions[:made]
    room = 2 * (2 * made + rows * (PENDING + filling.PENDING))
    rows_done, at_done, parts_done = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    who, heard = np.empty(made, np.int64), np.empty(made, np.int64)
    done, seen = filling.settle(
        taken,
        slots,
        order,
        follows,
        found,
        lines,
        first,
        counts,
        rate / MODEL_RATE,
        (rows_done, at_done, parts_done, who, heard),
    )
    slot_of, at_of = np.empty(done, np.int64), at_done[:done].copy()
    index, ready = np.empty(done, np.int64), np.empty(done, np.int64)
    cuts, at, to_own = np.empty((done, WINDOW)), np.empty(done), rate / MODEL_RATE
    answered = np.empty(done, np.bool_)
    for beat in range(done):
        row, centre = rows_done[beat], at_done[beat] - DELAY
        slot_of[beat], at[beat] = slots[row], at_done[beat] + parts_done[beat]
        begin, end = lines.begin[row], lines.begin[row] + HISTORY + counts[row]
        offset = _cut(lines.model[lines.row[row], begin:end], centre - first[row], cuts[beat])
        index[beat] = max(int(np.floor((centre + offset) * to_own + 0.5)), 0)
        needed = max(centre + WINDOW_AFTER, levels.begin[slots[row]] + AWAKE)
        ready[beat] = np.int64(np.floor((needed - 1) * to_own)) + half
    filtering.kept(filters, slots, counts, lines)
    for row in range(rows):
        if tops[row] >= 0:
            pacing.lift(filters, spikes, designs, slots[row], up, down, half, taps, reach)
    for beat in range(done):
        answered[beat] = pacing.answer(spikes, slot_of[beat], index[beat], rate)
    return rest, used, (slot_of, at_of, index, ready, at, cuts, answered, who[:seen], heard[:seen])


@njit(cache=True, nogil=True, error_model="numpy")
def _behind(one: Any, other: Any) -> tuple[Any, ...]:
    """What one pass has found, and another behind it."""
    slot, at, index, ready, where, cuts, answered, who, heard = one
    return (
        np.concatenate((slot, other[0])),
        np.concatenate((at, other[1])),
        np.concatenate((index, other[2])),
        np.concatenate((ready, other[3])),
        np.concatenate((where, other[4])),
        np.concatenate((cuts, other[5])),
        np.concatenate((answered, other[6])),
        np.concatenate((who, other[7])),
        np.concatenate((heard, other[8])),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def step(
    filters: Filters,
    levels: Levels,
    taken: Taken,
    spikes: Spikes,
    designs: Designs,
    kern: tuple[Any, ...],
    reach: Any,
    slots: Any,
    follows: Any,
    order: Any,
    flat: Any,
    edges: Any,
    rate: float,
) -> tuple[Any, ...]:
    """Leads' next samples, flat[edges[row]:edges[row + 1]]. order: rows by slot. kern: up, down, half and taps.
    reach: of spikes.

    Returns slot, at, index and ready of beats as `ecg.signal.beats` has them, their places between samples, their
    windows, mV, and whether they may answer a spike; slots and samples of what leads that follow have found for
    themselves. A bed whose spike is known goes on behind it, while the others have heard all.
    """
    parts = []
    while True:
        rest, used, found = _pass(
            filters, levels, taken, spikes, designs, kern, reach, slots, follows, order, flat, edges, rate
        )
        parts.append(found)
        if not len(rest):
            break
        flat, edges = pacing.left(flat, edges, used, rest)
        slots, follows = slots[rest], follows[rest]
        order = np.argsort(slots)
    made = parts[0]
    if len(parts) == 1:
        return made
    for more in parts[1:]:
        made = _behind(made, more)
    slot, at, index, ready, where, cuts, answered, who, heard = made
    by = np.argsort(slot, kind="mergesort")
    return slot[by], at[by], index[by], ready[by], where[by], cuts[by], answered[by], who, heard
