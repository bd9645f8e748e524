"""Signs of the signal itself: fibrillation or flutter, an unsteady baseline; and a lead that is off, as it is told.

Ventricular fibrillation and flutter show no beats to count, so they are looked for in the waveform: every half
second the last four, brought down to about 60 Hz and freed of their baseline, are described by

- how much of the window lies away from the baseline (threshold crossing: Arafat, Chowdhury & Hasan, Signal Image
  Video Process 5:329-337, 2011): an ECG with QRS complexes rests on it most of the time;
- what is left when the window is added to itself half a mean period later (the VF filter leakage of Kuo & Dillman,
  Computers in Cardiology 1978:347-349): a sine-like wave cancels itself;
- how peaked its slopes are (kurtosis) and how much of it has no slope: a QRS is a short steep piece;
- that mean period, and the amplitude.

All of them must agree in two looks running. Constants were chosen on DS1 records (207 has flutter): the first
lead's windows for what flutter is, both leads' for what it is not.

Everything is computed per bed from samples counted since its reset: results do not depend on chunks or company.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.alarms.state import Sign

LOOK_RATE: Final = 60.0
"""Hz, about: samples are averaged in blocks of a whole number."""
WINDOW: Final = 240
"""Block means in one look (4 s)."""
HOP: Final = 30
"""Block means between two looks."""
BASELINE: Final = 30
"""The baseline is the mean over so many block means to either side."""
AWAY: Final = 0.2
"""Share of the largest deviation beyond which a sample is away from the baseline."""
LEAST_AWAY: Final = 0.45
MOST_LEAKAGE: Final = 0.6
MOST_PEAKED: Final = 6.0
NO_SLOPE: Final = 0.05
"""Share of the steepest slope below which a sample has none."""
MOST_STILL: Final = 0.35
HERTZ: Final = (2.3, 9.0)
LEAST_MV: Final = 0.2
LOOKS_ON: Final = 2
LOOKS_OFF: Final = 6
KNOWN_AFTER: Final = 3.0
"""s, about, from the first flutter wave to the look that makes it sure."""
UNSTEADY_MV: Final = 0.8
"""Range of the baseline in one look above which beats may be missed."""

Floats = NDArray[np.float64]
Slots = NDArray[np.int64]


class SignalSigns:
    """Signs of the signals of `slots` beds.

    state: dict of arrays [slots, ...]; copy it to save all beds, put it back to go on as if nothing had happened.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.state: dict[str, NDArray[Any]] = _new_state(slots, _block(360.0) - 1)

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their state."""
        if slots > self.slots:
            fresh = _new_state(slots - self.slots, self.state["rest"].shape[1])
            self.state = {name: np.concatenate((old, fresh[name])) for name, old in self.state.items()}
            self.slots = slots

    def reset(self, slots: Slots, rates: Floats, start: NDArray[np.int64]) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz."""
        slots = np.asarray(slots, np.int64)
        blocks = np.array([_block(float(rate)) for rate in rates], np.int64)
        missing = int(blocks.max(initial=1)) - 1 - self.state["rest"].shape[1]
        if missing > 0:
            self.state["rest"] = np.pad(self.state["rest"], ((0, 0), (0, missing)))
        for name, value in _new_state(len(slots), self.state["rest"].shape[1]).items():
            self.state[name][slots] = value
        self.state["block"][slots] = blocks
        self.state["rate"][slots] = rates
        for name in ("begin", "seen", "ended"):
            self.state[name][slots] = start

    def step(
        self, slots: Slots, chunks: list[NDArray[np.float32]], off: NDArray[np.bool_] | None = None
    ) -> list[tuple[int, Sign]]:
        """What becomes true with each slot's next samples (float32 [n], mV, contiguous with what it had before).

        A slot stands in `slots` at most once. The chunks may have different lengths, and hold no NaN (hold the
        last value in its place). off: bool [beds], a chunk whose lead is off all along (monitor/ward/lead_off.py);
        None where all are on. Returns (slot, sign), each slot's in order.
        """
        slots = np.asarray(slots, np.int64)
        off = np.zeros(len(slots), bool) if off is None else off
        lengths = np.array([len(chunk) for chunk in chunks], np.int64)
        rates, seen = self.state["rate"][slots], self.state["seen"][slots] - self.state["begin"][slots]
        alike = np.stack((rates, lengths, seen % self.state["block"][slots]), axis=1)
        keys, group = np.unique(alike, axis=0, return_inverse=True)
        found: list[tuple[int, Sign]] = []
        for number in range(len(keys)):
            members = np.flatnonzero(group.reshape(-1) == number)
            if lengths[members[0]]:
                self._advance(slots[members], np.stack([chunks[i] for i in members]), off[members], found)
        return found

    def _advance(
        self, slots: Slots, signal: NDArray[np.float32], off: NDArray[np.bool_], found: list[tuple[int, Sign]]
    ) -> None:
        """Beds with the same rate and chunk length, at the same place within a block."""
        state = self.state
        first = state["seen"][slots]
        turned = np.flatnonzero(off != state["lead_off"][slots])
        looks = self._looks(slots, signal, first)
        state["seen"][slots] += signal.shape[1]
        changes: dict[int, dict[int, dict[str, bool]]] = {}
        for row in turned.tolist():
            changes[row] = {int(first[row]): {"lead_off": bool(off[row])}}
        for row, index, fibrillation, unsteady in looks:
            at = changes.setdefault(row, {}).setdefault(index, {})
            at.update(fibrillation=fibrillation, unsteady=unsteady)
        for row in sorted(changes):
            slot = int(slots[row])
            found.extend((slot, self._become(slot, index, changes[row][index])) for index in sorted(changes[row]))

    def _become(self, slot: int, index: int, news: dict[str, bool]) -> Sign:
        """What is true of a slot from sample `index` on. news: those of its signs that change there."""
        state = self.state
        heard = news.get("fibrillation", False)
        if heard and not state["fibrillation"][slot]:
            early = index - round(KNOWN_AFTER * state["rate"][slot])
            state["onset"][slot] = max(early, state["ended"][slot])
        elif state["fibrillation"][slot] and not heard and "fibrillation" in news:
            state["ended"][slot] = index
        for name, value in news.items():
            state[name][slot] = value
        fibrillation, unsteady, lead_off = (
            bool(state[name][slot]) for name in ("fibrillation", "unsteady", "lead_off")
        )
        return Sign(index, fibrillation, unsteady, lead_off, int(state["onset"][slot]) if fibrillation else -1)

    def _looks(
        self, slots: Slots, signal: NDArray[np.float32], first: NDArray[np.int64]
    ) -> list[tuple[int, int, bool, bool]]:
        """(row, sample, fibrillation, unsteady) wherever one of the two changes."""
        state = self.state
        rate, begin, block = float(state["rate"][slots[0]]), state["begin"][slots], int(state["block"][slots[0]])
        over = int((first[0] - begin[0]) % block)
        done = (first - begin) // block
        joined = np.concatenate((state["rest"][slots, :over], signal), axis=1)
        count = joined.shape[1] // block
        state["rest"][slots, : joined.shape[1] - count * block] = joined[:, count * block :]
        if count == 0:
            return []
        pieces = joined[:, : count * block].reshape(len(slots), count, block)
        means = np.zeros((len(slots), count))
        for place in range(block):
            means += pieces[:, :, place]
        means = np.concatenate((state["means"][slots], means / block), axis=1)
        state["means"][slots] = means[:, -WINDOW:]
        events: list[tuple[int, int, bool, bool]] = []
        ends = HOP - done % HOP
        while True:
            rows = np.flatnonzero(ends <= count)
            if len(rows) == 0:
                break
            where, end = slots[rows], ends[rows]
            ends = ends + HOP
            full = done[rows] + end >= WINDOW
            hit, unsteady = look(means[rows[:, None], end[:, None] + np.arange(WINDOW)], rate / block)
            hit, unsteady = hit & full, (unsteady | hit) & full  # the first look alone must hold asystole back
            state["hits"][where] = np.where(hit, state["hits"][where] + 1, 0)
            state["misses"][where] = np.where(hit, 0, state["misses"][where] + 1)
            was_fibrillation, was_unsteady = state["heard"][where], state["moving"][where]
            going_on = state["misses"][where] < LOOKS_OFF
            fibrillation = np.where(was_fibrillation, going_on, state["hits"][where] >= LOOKS_ON)
            state["heard"][where], state["moving"][where] = fibrillation, unsteady
            index = begin[rows] + (done[rows] + end) * block - 1
            events.extend(
                (int(rows[k]), int(index[k]), bool(fibrillation[k]), bool(unsteady[k]))
                for k in np.flatnonzero((fibrillation != was_fibrillation) | (unsteady != was_unsteady))
            )
        return events


def look(windows: Floats, rate: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which windows show fibrillation or flutter, and which an unsteady baseline.

    windows: [n, WINDOW], mV. rate: Hz.
    """
    place = np.arange(WINDOW)
    low, high = np.maximum(place - BASELINE, 0), np.minimum(place + BASELINE + 1, WINDOW)
    sums = np.cumsum(np.pad(windows, ((0, 0), (1, 0))), axis=1)
    baseline = (sums[:, high] - sums[:, low]) / (high - low)
    unsteady = np.ptp(baseline, axis=1) > UNSTEADY_MV
    wave = windows - baseline
    size = np.abs(wave)
    slope = np.diff(wave, axis=1)
    steep = np.abs(slope)
    tall, steepest = size.max(axis=1), steep.max(axis=1)
    hit = (size > AWAY * tall[:, None]).mean(axis=1) > LEAST_AWAY
    hit &= np.ptp(wave, axis=1) > LEAST_MV
    hit &= (steep < NO_SLOPE * steepest[:, None]).mean(axis=1) < MOST_STILL
    rows = np.flatnonzero(hit)
    square = slope[rows] ** 2
    peaked = (square * square).mean(axis=1) / np.maximum(square.mean(axis=1) ** 2, 1e-30)
    half = np.floor(np.pi * size[rows].sum(axis=1) / np.maximum(steep[rows].sum(axis=1), 1e-30) + 0.5)
    half = np.clip(half, 1, WINDOW // 2).astype(np.int64)
    hertz = rate / (2 * half)
    fits = (peaked < MOST_PEAKED) & (hertz >= HERTZ[0]) & (hertz <= HERTZ[1])
    hit[rows[~fits]] = False
    for row, shift in zip(rows[fits], half[fits], strict=True):
        one, other = wave[row, shift:], wave[row, :-shift]
        hit[row] = np.abs(one + other).sum() < MOST_LEAKAGE * (np.abs(one) + np.abs(other)).sum()
    return hit, unsteady


def _block(rate: float) -> int:
    """Samples averaged into one."""
    return max(round(rate / LOOK_RATE), 1)


def _new_state(slots: int, room: int) -> dict[str, NDArray[Any]]:
    """State of `slots` beds that have heard nothing. room: samples of an unfinished block."""
    return {
        "rate": np.full(slots, 360.0),
        "block": np.full(slots, _block(360.0)),
        "begin": np.zeros(slots, np.int64),
        "seen": np.zeros(slots, np.int64),
        "rest": np.zeros((slots, room), np.float32),
        "means": np.zeros((slots, WINDOW)),
        "hits": np.zeros(slots, np.int64),
        "misses": np.zeros(slots, np.int64),
        "heard": np.zeros(slots, bool),
        "moving": np.zeros(slots, bool),
        "fibrillation": np.zeros(slots, bool),
        "unsteady": np.zeros(slots, bool),
        "lead_off": np.zeros(slots, bool),
        "onset": np.full(slots, -1, np.int64),
        "ended": np.zeros(slots, np.int64),
    }
