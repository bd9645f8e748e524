"""The last samples of each lead at the model's rate: what a window is cut from, and what R-peaks are found in.

A row has room for more than is kept. New samples go behind the old ones, and only when a row is full does what is kept
move to its front: with messages of a second at every fourth, with those of a quarter at every sixteenth.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ecg.signal.slots import Floats, Index, Saved, State

NAMES: Final = ("model", "band_signal", "envelope")
HISTORY: Final = 400
"""Samples kept per lead at the model's rate: the learning phase plus a window."""
ROOM: Final = 500
"""And room for so many new ones."""
END: Final = "kept"
"""Where what is kept of each row ends."""


def new_state(slots: int) -> State:
    """Leads that have heard nothing."""
    rows: State = {name: np.zeros((slots, HISTORY + ROOM)) for name in NAMES}
    return rows | {END: np.full(slots, HISTORY, np.int64)}


def history(state: State, name: str, slots: Index) -> Floats:
    """What is kept of these leads: [n, HISTORY]."""
    columns = state[END][slots, None] + np.arange(-HISTORY, 0)
    rows: Floats = state[name][slots[:, None], columns]
    return rows


def remember(state: State, slots: Index, made: tuple[Floats, ...]) -> None:
    """Keep the last HISTORY of these samples, in the order of NAMES: [n, HISTORY or more] each."""
    for name, rows in zip(NAMES, made, strict=True):
        state[name][slots, :HISTORY] = rows[:, -HISTORY:]
    state[END][slots] = HISTORY


def packed(saved: Saved) -> Saved:
    """A lead's rows, of which only what is kept is saved."""
    end = int(saved[END])
    rows = {name: saved[name][end - HISTORY : end].copy() for name in NAMES}
    return {name: row for name, row in saved.items() if name != END} | rows


def unpacked(saved: Saved) -> Saved:
    """The rows of a lead that was saved. Raises ValueError where they are not HISTORY samples long."""
    if END in saved:
        raise ValueError(f"the saved state of a bed holds {END}, which nothing here is")
    rows: Saved = {END: np.array(HISTORY, np.int64)}
    for name in NAMES:
        row = saved.get(name)
        if row is None:
            continue
        if row.shape != (HISTORY,):
            raise ValueError(f"the saved {name} is {row.dtype} {list(row.shape)}, needed is float64 [{HISTORY}]")
        rows[name] = np.concatenate((row, np.zeros(ROOM, row.dtype)))
    return saved | rows
