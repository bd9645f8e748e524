"""Beats that one lead misses and the other one of its bed shows: they are filled in.

The lead that leads has the say: its R-peaks are the bed's. Where it has been silent for its usual interval and the
lead that follows finds an R-peak, that beat is taken, if nearly all beats of late were seen by both. Counted on SVDB's
50 records and DS1 (150 ms): beats missed 266 to 124 and 107 to 92, false ones 207 to 209 and 77 to 87.

Positions are samples at the model's rate. State is a dict of arrays whose first axis is the slot.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ecg.signal.detector import LEARNING, REFRACTORY, SEARCH, UNSETTLED, WAIT_AFTER, Peaks, parabola
from ecg.signal.slots import Floats, Index, Mask, State

NEVER: Final = -(1 << 40)
NEAR: Final = 12
"""R-peaks of two leads no further apart are of one beat."""
SOONER: Final = 5.0
"""A beat is filled in if it comes no sooner than so many samples before the usual interval is over."""
USUAL: Final = (37, 220)
"""Intervals that the usual one learns from: 200/min to 34/min."""
LEARN: Final = 0.2
LONGER: Final = 1.5
"""A longer interval counts as so many usual ones: one beat may have been missed by both."""
BOTH: Final = 0.95
"""Least share of the leading lead's beats that the other lead has seen too."""
MEMORY: Final = 20
"""Beats over which that share is averaged."""
PENDING: Final = 6


def new_state(slots: int) -> State:
    """Leads that have seen nothing. taken_at: the last R-peak taken. own_at: one of its own that the other lead has not
    seen yet; other_at: the last one that the other lead has seen.
    """
    return {
        "taken_at": np.full(slots, NEVER, np.int64),
        "own_at": np.full(slots, NEVER, np.int64),
        "other_at": np.full(slots, NEVER, np.int64),
        "seen_by_both": np.ones(slots),
        "taken_rr": np.full(slots, 100.0),
        "offered": np.full((slots, PENDING), NEVER, np.int64),
    }


def taken(state: State, slots: Index, found: Peaks) -> Peaks:
    """R-peaks of leads that lead, less those that the lead which led before has found already."""
    again = found.at - state["taken_at"][slots[found.row]] <= REFRACTORY
    if again.any():
        found = found.take(~again)
    np.maximum.at(state["taken_at"], slots[found.row], found.at)
    return found


def filled(
    state: State, slots: Index, leads: Mask, pairs: Index, found: Peaks, envelope: Floats, first: Index, given: Mask
) -> Peaks:
    """R-peaks of the leads that lead, those filled in from the leads that follow them among them.

    slots: [rows]. leads: [rows], which lead. pairs: see `pairs_of`. found: new R-peaks of all rows. envelope:
    [rows, n]; column 0 is sample `first` [rows]. given: [rows], whose R-peaks are given: these stay as they are.
    """
    pairs = pairs[~given[pairs[:, 0]]]
    offers = (state["offered"][slots[pairs[:, 0]]] != NEVER).any(axis=1)
    if len(found.row) == 0 and not offers.any():
        return found
    alone = leads & ~given
    alone[pairs[:, 0]] = False
    kept = found.take((leads & given)[found.row])
    own = taken(state, slots, found.take(alone[found.row]))
    heard: dict[int, list[int]] = {}
    for row, at in zip(found.row.tolist(), found.at.tolist(), strict=True):
        heard.setdefault(row, []).append(at)
    rows: list[int] = []
    places: list[int] = []
    for (leader, follower), offered in zip(pairs.tolist(), offers.tolist(), strict=True):
        if not offered and leader not in heard and follower not in heard:
            continue
        awake = int(state["begin"][slots[follower]]) + LEARNING
        decided = int(first[leader]) + envelope.shape[1] - UNSETTLED - WAIT_AFTER - 1
        mine = heard.get(leader, [])
        events = [(at, 0) for at in mine] + [(at, 1) for at in heard.get(follower, []) if at >= awake]
        for at in _merged(state, int(slots[leader]), events, decided):
            rows.append(leader)
            places.append(
                at if at in mine else _highest(envelope[leader], at - int(first[leader])) + int(first[leader])
            )
        state["taken_at"][slots[follower]] = state["taken_at"][slots[leader]]
    row, at = np.array(rows, np.int64), np.array(places, np.int64)
    both = Peaks(row, at, parabola(envelope, row, at - first[row]))
    return Peaks.join(kept, own, both)


def pairs_of(slots: Index, follows: Index) -> Index:
    """Rows of leads that lead and of those that follow them: int64 [pairs, 2].

    slots, follows: [rows], see SignalPath.step_leads.
    """
    order = np.argsort(slots)
    behind = np.flatnonzero(follows != slots)
    leaders = order[np.minimum(np.searchsorted(slots[order], follows[behind]), len(slots) - 1)]
    there = slots[leaders] == follows[behind]
    return np.stack((leaders[there], behind[there]), axis=1)


def _highest(envelope: Floats, column: int) -> int:
    """Column near this one in which the envelope is highest."""
    low = max(column - SEARCH, 1)
    return low + int(envelope[low : column + SEARCH].argmax())


def _merged(state: State, slot: int, events: list[tuple[int, int]], decided: int) -> list[int]:
    """The R-peaks to take, in order. events: (position, 0 of the lead itself or 1 of the other). decided: position up
    to which both have decided.
    """
    offered = [(int(one) + NEAR, 2) for one in state["offered"][slot] if one != NEVER]
    if not events and not any(due <= decided for due, _ in offered):
        return []
    queue = sorted([*events, *offered, *((one + NEAR, 2) for one, who in events if who == 1)])
    last, own, other = (int(state[name][slot]) for name in ("taken_at", "own_at", "other_at"))
    both, rr = float(state["seen_by_both"][slot]), float(state["taken_rr"][slot])
    made: list[int] = []
    waiting: list[int] = []
    for position, who in queue:
        if who == 2 and position > decided:
            waiting.append(position - NEAR)
            continue
        if who == 1:
            other = position
            if own != NEVER and position - own <= NEAR:
                both, own = both + (1 - both) / MEMORY, NEVER
            continue
        peak = position if who == 0 else position - NEAR
        if peak - last <= REFRACTORY:
            continue
        if who == 0:
            if own != NEVER:
                both -= both / MEMORY
            own = position
            if position - other <= NEAR:
                both, own = both + (1 - both) / MEMORY, NEVER
        elif not (both > BOTH and rr - SOONER < peak - last < 4 * rr):
            continue
        if USUAL[0] < peak - last < USUAL[1]:
            rr += LEARN * (min(peak - last, LONGER * rr) - rr)
        last = peak
        made.append(peak)
    for name, value in (("taken_at", last), ("own_at", own), ("other_at", other)):
        state[name][slot] = value
    state["seen_by_both"][slot], state["taken_rr"][slot] = both, rr
    state["offered"][slot] = NEVER
    state["offered"][slot, : len(waiting[-PENDING:])] = waiting[-PENDING:]
    return made
