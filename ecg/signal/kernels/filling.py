"""`ecg.signal.filling` and `windows.complete`, compiled: from new R-peaks to those whose windows are complete."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal import filling as said
from ecg.signal.detector import DELAY, LEARNING, REFRACTORY, SEARCH, UNSETTLED, WAIT_AFTER
from ecg.signal.kernels.filtering import Rows
from ecg.signal.kernels.sums import clip
from ecg.signal.recent import HISTORY
from ecg.signal.windows import PENDING as MOST_WAITING
from ecg.signal.windows import WINDOW_AFTER

NEVER, NEAR, SOONER, BOTH, LEARN, LONGER = said.NEVER, said.NEAR, said.SOONER, said.BOTH, said.LEARN, said.LONGER
MEMORY, PENDING, LEAST, MOST = said.MEMORY, said.PENDING, said.USUAL[0], said.USUAL[1]
OF_ITSELF, OF_OTHER, OFFERED, KINDS = 0, 1, 2, 4


class Taken(NamedTuple):
    """State of filling and of beats that wait for their windows, arrays [slots, ...], under their names there."""

    begin: Any
    taken_at: Any
    own_at: Any
    other_at: Any
    seen_by_both: Any
    taken_rr: Any
    offered: Any
    wait_at: Any
    wait_part: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _sorted_in(queue: Any, count: int, value: int) -> int:
    """Insert a value into the first `count`, which are sorted. Returns their number."""
    place = count
    while place > 0 and queue[place - 1] > value:
        queue[place] = queue[place - 1]
        place -= 1
    queue[place] = value
    return count + 1


@njit(cache=True, nogil=True, error_model="numpy")
def _merged(state: Taken, slot: int, own_at: Any, other_at: Any, awake: int, decided: int, queue: Any, out: Any) -> int:
    """`filling._merged`. own_at, other_at: new R-peaks of either lead. out: the R-peaks to take. Their number."""
    count = 0
    for one in state.offered[slot]:
        if one != NEVER:
            count = _sorted_in(queue, count, (one + NEAR) * KINDS + OFFERED)
    due = count > 0 and queue[0] // KINDS <= decided
    for at in own_at:
        count = _sorted_in(queue, count, at * KINDS + OF_ITSELF)
        due = True
    for at in other_at:
        if at >= awake:
            count = _sorted_in(queue, count, at * KINDS + OF_OTHER)
            count = _sorted_in(queue, count, (at + NEAR) * KINDS + OFFERED)
            due = True
    if not due:
        return 0
    last, own, other = state.taken_at[slot], state.own_at[slot], state.other_at[slot]
    both, rr = state.seen_by_both[slot], state.taken_rr[slot]
    made, waiting = 0, 0
    for number in range(count):
        position, who = queue[number] // KINDS, queue[number] % KINDS
        if who == OFFERED and position > decided:
            queue[waiting] = position - NEAR  # what stood there has been looked at
            waiting += 1
            continue
        if who == OF_OTHER:
            other = position
            if own != NEVER and position - own <= NEAR:
                both, own = both + (1 - both) / MEMORY, NEVER
            continue
        peak = position if who == OF_ITSELF else position - NEAR
        if peak - last <= REFRACTORY:
            continue
        if who == OF_ITSELF:
            if own != NEVER:
                both -= both / MEMORY
            own = position
            if position - other <= NEAR:
                both, own = both + (1 - both) / MEMORY, NEVER
        elif not (both > BOTH and rr - SOONER < peak - last and peak - last < 4 * rr):
            continue
        if peak - last > LEAST and peak - last < MOST:
            rr += LEARN * (min(np.float64(peak - last), LONGER * rr) - rr)
        last = peak
        out[made] = peak
        made += 1
    state.taken_at[slot], state.own_at[slot], state.other_at[slot] = last, own, other
    state.seen_by_both[slot], state.taken_rr[slot] = both, rr
    state.offered[slot] = NEVER
    kept = min(waiting, PENDING)
    for place in range(kept):
        state.offered[slot, place] = queue[waiting - kept + place]
    return made


@njit(cache=True, nogil=True, error_model="numpy")
def settle(
    state: Taken,
    slots: Any,
    order: Any,
    follows: Any,
    found: tuple[Any, ...],
    lines: Rows,
    first: Any,
    counts: Any,
    scale: float,
    out: tuple[Any, ...],
) -> tuple[int, int]:
    """New R-peaks (row, at, fraction; rows in this order, sorted by slot) to those whose windows are complete.

    follows: the slot that each row is cut at. first: sample of column 0. counts: new samples of each row, 0 for one
    that waits. scale: own samples in one of the model's.
    out: rows, places and fractions that are complete, and slots and own samples of what leads that follow have found.
    Returns the numbers of both.
    """
    rows, places, fractions, who, heard = out
    count, held, total, seen = len(slots), HISTORY, len(found[0]), 0
    begins, ends = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for number in range(total):
        row = found[0][number]
        if ends[row] == 0:
            begins[row] = number
        ends[row] = number + 1
    leader, follower = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    for row in order:
        if counts[row] == 0:
            continue
        if follows[row] == slots[row]:
            leader[row] = row
            continue
        low, high = 0, count - 1
        while low < high:
            middle = (low + high) // 2
            if slots[order[middle]] < follows[row]:
                low = middle + 1
            else:
                high = middle
        if slots[order[low]] == follows[row]:
            leader[row], follower[order[low]] = order[low], row
        for number in range(begins[row], ends[row]):
            index = np.int64(np.floor((found[1][number] - DELAY) * scale + 0.5))
            who[seen], heard[seen] = slots[row], max(index, 0)
            seen += 1
    taken, part = np.empty(2 * total + count * PENDING, np.int64), np.empty(2 * total + count * PENDING)
    lows, highs, used = np.zeros(count, np.int64), np.zeros(count, np.int64), 0
    queue = np.empty(3 * total + PENDING, np.int64)
    for row in range(count):
        if leader[row] != row:
            continue
        slot, other, begin, end, length = slots[row], follower[row], begins[row], ends[row], held + counts[row]
        envelope = lines.envelope[lines.row[row], lines.begin[row] : lines.begin[row] + length]
        lows[row] = used
        if other < 0:
            before, newest = state.taken_at[slot], state.taken_at[slot]
            for number in range(begin, end):
                at = found[1][number]
                if at - before > REFRACTORY:
                    taken[used], part[used] = at, found[2][number]
                    newest, used = max(newest, at), used + 1
            state.taken_at[slot] = newest
        else:
            offered = False
            for one in state.offered[slot]:
                offered |= one != NEVER
            if offered or end > begin or ends[other] > begins[other]:
                awake = state.begin[slots[other]] + LEARNING
                decided = first[row] + length - UNSETTLED - WAIT_AFTER - 1
                own_at, other_at = found[1][begin:end], found[1][begins[other] : ends[other]]
                made = _merged(state, slot, own_at, other_at, awake, decided, queue, taken[used:])
                for number in range(used, used + made):
                    mine = False
                    for at in own_at:
                        mine |= at == taken[number]
                    column = taken[number] - first[row]
                    if not mine:
                        low, best = max(column - SEARCH, 1), max(column - SEARCH, 1)
                        for place in range(low, min(column + SEARCH, length)):
                            if envelope[place] > envelope[best]:
                                best = place
                        column = best
                        taken[number] = column + first[row]
                    inside = min(max(column, 1), length - 2)
                    before_it, here, after = envelope[inside - 1], envelope[inside], envelope[inside + 1]
                    bend = before_it - 2 * here + after
                    part[number] = clip(0.5 * (before_it - after) / (bend if bend < 0 else -np.inf), -0.5, 0.5)
                used += made
                state.taken_at[slots[other]] = state.taken_at[slot]
        highs[row] = used
    made = 0
    late_at, late_part = np.empty(MOST_WAITING + total + PENDING, np.int64), np.empty(MOST_WAITING + total + PENDING)
    for row in order:
        if counts[row] == 0:
            continue
        slot, end, late = slots[row], first[row] + held + counts[row], 0
        for place in range(MOST_WAITING):
            at, piece = state.wait_at[slot, place], state.wait_part[slot, place]
            if at < 0:
                continue
            state.wait_at[slot, place] = -1
            if at - DELAY + WINDOW_AFTER <= end:
                rows[made], places[made], fractions[made] = row, at, piece
                made += 1
            else:
                late_at[late], late_part[late] = at, piece
                late += 1
        if leader[row] >= 0:
            for number in range(lows[leader[row]], highs[leader[row]]):
                if taken[number] - DELAY + WINDOW_AFTER <= end:
                    rows[made], places[made], fractions[made] = row, taken[number], part[number]
                    made += 1
                else:
                    late_at[late], late_part[late] = taken[number], part[number]
                    late += 1
        for place in range(min(late, MOST_WAITING)):
            state.wait_at[slot, place], state.wait_part[slot, place] = late_at[place], late_part[place]
    return made, seen
