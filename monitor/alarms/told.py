"""The rules for beats over many beds: as they are written, a machine for each bed, or compiled, all beds in one call.

Both remember the same and say the same; `BedAlarms` is what they are held against.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASSES
from ecg.signal import compiled
from ecg.signal import rule_numbers as r
from ecg.signal.compiled import Kernels
from monitor.alarms import limit_rows, state_rows
from monitor.alarms.bed import BedAlarms
from monitor.alarms.episodes import Episodes
from monitor.alarms.kinds import KINDS
from monitor.alarms.limits import Limits
from monitor.alarms.state import BedState, Change, Evidence, Sign

Index = NDArray[np.int64]
WAITING: Final = 16
"""Signs and R-peaks that the clock has not reached, of one bed, for which there is room at first."""
_WHAT: Final[dict[int, Any]] = {
    r.ONSET: "onset",
    r.AGAIN: "again",
    r.END: "end",
    r.CLEAR: "clear",
    r.HELD: "held",
}


class Heard(NamedTuple):
    """Beats, a bed's in order, int64 [n] each: slot, R-peak, class (its place in CLASSES), the last sample it needs.

    evidence: float64 [n, 4], as the fields of `Evidence`.
    """

    slots: Index
    peaks: Index
    letters: Index
    ready: Index
    evidence: NDArray[np.float64]


_NONE: Final = np.zeros(0, np.int64)
NO_BEATS: Final = Heard(_NONE, _NONE, _NONE, _NONE, np.zeros((0, 4)))
NO_PEAKS: Final = np.zeros((0, 2), np.int64)
Told = tuple[NDArray[np.bool_], list[tuple[int, Change]]]


class Rules(Protocol):
    """Alarms of beds by slot."""

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones stay as they are."""

    def put(self, slot: int, bed: BedAlarms) -> None:
        """The alarms of a slot from now on."""

    def state(self, slot: int) -> BedState:
        """What a slot's alarms remember: to go on from in its place, put back."""

    def drop(self, slot: int) -> None:
        """The slot has no bed any more."""

    def __contains__(self, slot: int) -> bool:
        """Has the slot a bed?."""

    def sign(self, slots: Index, told: Index) -> None:
        """Signs of these beds as numbers in the order of their fields: int64 [n, 15]."""

    def tell(self, detected: Index, heard: Heard, clocks: Index) -> Told:
        """R-peaks of leads that do not lead, int64 [n, 2] (slot, sample); then beats; then clocks, int64 [n, 2].

        Returns which beats come while no lead can be analysed, and what changes, in order.
        """

    def episodes(self, slot: int) -> Episodes:
        """The slot's alarms, to be read."""

    def in_force(self, slot: int) -> Sign:
        """The sign that is true at present."""

    def held(self, slot: int) -> int:
        """How many alarms have been held back."""

    def silenced(self, slot: int, now: int) -> int:
        """Samples until the slot's sound comes back, at sample `now` at least."""


def rules(slots: int) -> Rules:
    """Rules for so many beds, compiled where kernels are ready."""
    fast = compiled.kernels()
    return Written() if fast is None else Compiled(fast, slots)


class Written:
    """The rules as they are written."""

    def __init__(self) -> None:
        self._beds: dict[int, BedAlarms] = {}

    def grow(self, slots: int) -> None:
        """Nothing: a bed's alarms are an object of its own."""

    def put(self, slot: int, bed: BedAlarms) -> None:
        """See `Rules.put`."""
        self._beds[slot] = bed

    def state(self, slot: int) -> BedState:
        """See `Rules.state`: the very object."""
        return self._beds[slot].state

    def drop(self, slot: int) -> None:
        """See `Rules.drop`."""
        self._beds.pop(slot, None)

    def __contains__(self, slot: int) -> bool:
        return slot in self._beds

    def sign(self, slots: Index, told: Index) -> None:
        """See `Rules.sign`."""
        for slot, one in zip(slots.tolist(), told, strict=True):
            self._beds[slot].sign(state_rows.sign_at(one))

    def tell(self, detected: Index, heard: Heard, clocks: Index) -> Told:
        """See `Rules.tell`."""
        beds, noisy, found = self._beds, np.zeros(len(heard.slots), bool), list[tuple[int, Change]]()
        for slot, index in detected.tolist():
            beds[slot].detected(index)
        beats = zip(*(values.tolist() for values in heard), strict=True)
        for number, (slot, index, letter, ready, evidence) in enumerate(beats):
            noisy[number] = beds[slot].sign_at(ready).noisy
            found += [(slot, change) for change in beds[slot].beat(index, CLASSES[letter], Evidence(*evidence))]
        for slot, until in clocks.tolist():
            if until >= beds[slot].next_deadline:
                found += [(slot, change) for change in beds[slot].clock(until)]
        return noisy, found

    def episodes(self, slot: int) -> Episodes:
        """See `Rules.episodes`."""
        return self._beds[slot]

    def in_force(self, slot: int) -> Sign:
        """See `Rules.in_force`."""
        return self._beds[slot].state.sign

    def held(self, slot: int) -> int:
        """See `Rules.held`."""
        return self._beds[slot].state.held

    def silenced(self, slot: int, now: int) -> int:
        """See `Rules.silenced`."""
        state = self._beds[slot].state
        return max(state.silenced_until - max(state.now, now), 0)


class Compiled:
    """The rules compiled (`ecg.signal.kernels.rules`): what they remember are rows of a few arrays."""

    def __init__(self, fast: Kernels, slots: int) -> None:
        self._fast, self._here = fast, np.zeros(slots, bool)
        self._limits: list[Limits] = []
        self._rows: dict[tuple[bytes, ...], int] = {}
        self._whole, self._real = np.zeros((0, r.WHOLE), np.int64), np.zeros((0, r.REAL))
        self._memory: dict[str, NDArray[Any]] = {
            "numbers": np.zeros((slots, r.AT_RR), np.int64),
            "reals": np.zeros((slots, r.AT_ATRIAL)),
            "told": np.zeros((slots, WAITING, r.SIGN), np.int64),
            "coming": np.zeros((slots, WAITING), np.int64),
        }

    def grow(self, slots: int) -> None:
        """See `Rules.grow`."""
        more = slots - len(self._here)
        self._here = np.pad(self._here, (0, more))
        for name, old in self._memory.items():
            self._memory[name] = np.concatenate((old, np.zeros((more, *old.shape[1:]), old.dtype)))

    def put(self, slot: int, bed: BedAlarms) -> None:
        """See `Rules.put`. Raises ValueError where its memory is none of these rules."""
        limits, state = bed.limits, bed.state
        self._widen("numbers", r.AT_RR + 2 * limits.af_beats)
        self._widen("reals", r.AT_ATRIAL + limits.af_beats)
        memory, room = self._memory, self._memory["reals"].shape[1] - r.AT_ATRIAL
        numbers, reals = state_rows.stored(state, self._row(limits), room)
        numbers[r.SLOT], numbers[r.TOLD], numbers[r.COMING] = slot, len(state.told), len(state.coming)
        self._widen("told", len(state.told))
        self._widen("coming", len(state.coming))
        memory["numbers"][slot], memory["reals"][slot] = numbers, reals
        if state.told:
            memory["told"][slot, : len(state.told)] = [state_rows.numbers_of(one) for one in state.told]
        memory["coming"][slot, : len(state.coming)] = state.coming
        self._here[slot] = True

    def state(self, slot: int) -> BedState:
        """See `Rules.state`: a copy."""
        return state_rows.loaded(*(rows[slot] for rows in self._memory.values()))

    def drop(self, slot: int) -> None:
        """See `Rules.drop`."""
        self._here[slot] = False

    def __contains__(self, slot: int) -> bool:
        return bool(self._here[slot])

    def sign(self, slots: Index, told: Index) -> None:
        """See `Rules.sign`."""
        if len(slots):
            self._make_room("told", r.TOLD, slots)
            self._fast.rules.sign(self._memory, slots, told)

    def tell(self, detected: Index, heard: Heard, clocks: Index) -> Told:
        """See `Rules.tell`."""
        if len(detected):
            self._make_room("coming", r.COMING, detected[:, 0])
        noisy, found = self._fast.rules.tell(self._memory, (self._whole, self._real), detected, heard, clocks)
        return noisy, [
            (slot, Change(_WHAT[what], KINDS[kind], index, onset, over, bool(hidden)))
            for slot, what, kind, index, onset, over, hidden in found
        ]

    def episodes(self, slot: int) -> Episodes:
        """See `Rules.episodes`."""
        numbers = self._memory["numbers"][slot]
        state = BedState(now=int(numbers[r.NOW]), deadline=0, quiet_since=0, sign=Sign(0))
        state.episodes, state.why = state_rows.episodes(numbers), state_rows.REASONS[int(numbers[r.WHY])]
        return Episodes(self._limits[int(numbers[r.LIMITS])], state)

    def in_force(self, slot: int) -> Sign:
        """See `Rules.in_force`."""
        return state_rows.sign_at(self._memory["numbers"][slot], r.SIGNED)

    def held(self, slot: int) -> int:
        """See `Rules.held`."""
        return int(self._memory["numbers"][slot, r.HELD_BACK])

    def silenced(self, slot: int, now: int) -> int:
        """See `Rules.silenced`."""
        numbers = self._memory["numbers"][slot]
        return max(int(numbers[r.SILENCED_UNTIL]) - max(int(numbers[r.NOW]), now), 0)

    def _row(self, limits: Limits) -> int:
        """Which row limits have."""
        if self._limits and self._limits[-1] is limits:
            return len(self._limits) - 1
        whole, real = limit_rows.row(limits)
        key = whole.tobytes(), real.tobytes(), "\n".join(limits.texts.values()).encode()
        if key not in self._rows:
            self._rows[key] = len(self._limits)
            self._limits.append(limits)
            self._whole, self._real = np.vstack((self._whole, whole)), np.vstack((self._real, real))
        return self._rows[key]

    def _make_room(self, name: str, length: int, slots: Index) -> None:
        """Room for one more in the list of a bed for each time that it stands in `slots`."""
        most = int(self._memory["numbers"][slots, length].max()) + int(np.bincount(slots).max())
        if most > self._memory[name].shape[1]:
            self._widen(name, 2 * most)

    def _widen(self, name: str, room: int) -> None:
        """Make room for so many values in the rows of an array."""
        old = self._memory[name]
        if room > old.shape[1]:
            new = np.zeros((len(old), room, *old.shape[2:]), old.dtype)
            new[:, : old.shape[1]] = old
            self._memory[name] = new
