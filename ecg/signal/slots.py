"""State per bed: arrays whose first axis is the slot, and one protocol for everything that holds such state.

A bed's state is grown, reset, saved and restored in the same way whoever holds it, and a step over many beds takes the
beats of one bed in order (`rounds`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

State = dict[str, NDArray[Any]]
"""Arrays [slots, ...] by name."""
Saved = dict[str, NDArray[Any]]
"""One bed's row of every array, by name."""
Index = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Side = Literal["front", "back"]
"""Where a row grows when it needs more room: at the front if its newest value stands last, else at the back."""


@runtime_checkable
class Slotted(Protocol):
    """A holder of state for many beds, one slot each.

    The first argument of `reset` is the slots; a holder adds the arguments that its new beds need.
    """

    @property
    def slots(self) -> int:
        """Beds there is room for."""

    def grow(self, slots: int) -> None:
        """Make room for `slots` beds; the old ones keep their state. Fewer than there are changes nothing."""

    def reset(self, slots: Index, *given: Any, **options: Any) -> None:
        """Start these slots anew; the others keep their state."""

    def save(self, slot: int) -> Saved:
        """Copy one bed's state."""

    def restore(self, slot: int, saved: Saved) -> None:
        """Continue one bed from a copy, in any slot of any holder of the same kind.

        Raises ValueError if the copy does not fit; nothing has changed then.
        """


class SlotArrays(ABC):
    """The protocol `Slotted` for a dict of arrays, without its `reset`.

    state: arrays [slots, ...]; a copy of the whole dict is a copy of all beds.
    ELASTIC: arrays [slots, room] whose room may grow (`widen`), and the side on which it does.
    BESIDE: names that a saved bed may hold beside those of the arrays.
    """

    ELASTIC: ClassVar[dict[str, Side]] = {}
    BESIDE: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, slots: int) -> None:
        self.state: State = self.fresh(slots)
        self._blank: State = {}
        """One new bed, as long as our rows were when it was made: thousands may come at once."""

    @abstractmethod
    def fresh(self, slots: int) -> State:
        """State of `slots` new beds."""

    @property
    def slots(self) -> int:
        """Beds there is room for."""
        return len(next(iter(self.state.values())))

    def grow(self, slots: int) -> None:
        """Make room for `slots` beds; the old ones keep their state."""
        more = slots - self.slots
        if more > 0:
            fresh = self._fitted(self.fresh(more))
            self.state = {name: np.concatenate((old, fresh[name])) for name, old in self.state.items()}

    def clear(self, slots: Index) -> None:
        """Give these slots the state of new beds."""
        self._blank = self._fitted(self._blank or self.fresh(1))
        for name, value in self._blank.items():
            self.state[name][slots] = value

    def widen(self, name: str, room: int) -> None:
        """Make room for at least `room` values in every row of an elastic array; the new ones are 0."""
        if room > self.state[name].shape[1]:
            self.state[name] = resized(self.state[name], room, self.ELASTIC[name])

    def save(self, slot: int) -> Saved:
        """Copy one bed's state."""
        return {name: np.array(values[slot]) for name, values in self.state.items()}

    def restore(self, slot: int, saved: Saved) -> None:
        """Continue one bed from a copy. Raises ValueError if the copy does not fit; nothing has changed then."""
        self.check(saved)
        for name, row in self._fitted({name: saved[name][None] for name in self.state}).items():
            self.state[name][slot] = row[0]

    def check(self, saved: Saved) -> None:
        """Raise ValueError if a copy lacks an array, or holds one of another name, shape or type."""
        missing = [name for name in self.state if name not in saved]
        if missing:
            raise ValueError(f"the saved state of a bed lacks {', '.join(missing)}")
        unknown = saved.keys() - self.state.keys() - self.BESIDE
        if unknown:
            raise ValueError(f"the saved state of a bed holds {', '.join(sorted(unknown))}, which nothing here is")
        for name, ours in self.state.items():
            row, elastic = saved[name][None], name in self.ELASTIC
            same = row.ndim == ours.ndim and (elastic or row.shape[1:] == ours.shape[1:])
            if not same or row.dtype != ours.dtype:
                raise ValueError(
                    f"the saved {name} is {row.dtype} {list(row.shape[1:])}, "
                    f"needed is {ours.dtype} {list(ours.shape[1:])}"
                )

    def _fitted(self, state: State) -> State:
        """Another state with rows as long as ours."""
        rooms = {name: self.state[name].shape[1] for name in self.ELASTIC}
        short = {name: room for name, room in rooms.items() if state[name].shape[1] != room}
        if not short:
            return state
        return state | {name: resized(state[name], room, self.ELASTIC[name]) for name, room in short.items()}


def resized(rows: NDArray[Any], room: int, side: Side) -> NDArray[Any]:
    """Rows with `room` values each: [n, any] -> [n, room]. Zeros are added, or values dropped, on that side."""
    more = room - rows.shape[1]
    if more >= 0:
        return np.pad(rows, ((0, 0), (more, 0) if side == "front" else (0, more)))
    return rows[:, -more:] if side == "front" else rows[:, :room]


def rounds(slots: Index) -> list[Index]:
    """Groups of positions in which every slot stands at most once, each slot's positions in order.

    slots: [m], sorted. The first group holds each slot's first entry, the second its second, and so on.
    """
    if len(slots) == 0:
        return []
    place = np.arange(len(slots))
    same = slots[1:] == slots[:-1]
    if not same.any():
        return [place]
    starts = place.copy()
    starts[1:][same] = 0
    rank = place - np.maximum.accumulate(starts)
    return [np.flatnonzero(rank == number) for number in range(int(rank.max()) + 1)]


def alike_rows(rows: NDArray[Any]) -> list[Index]:
    """Groups of positions whose rows are the same, in order of the rows: [m, values]."""
    if len(rows) == 0:
        return []
    if (rows == rows[0]).all():
        return [np.arange(len(rows))]
    keys, group = np.unique(rows, axis=0, return_inverse=True)
    return [np.flatnonzero(group.reshape(-1) == number) for number in range(len(keys))]
