"""The signal path: samples of many beds in, beats ready for the network out.

Resample to the model's rate, filter, detect R-peaks, cut windows, describe each beat relative to its patient.
All state is in `SignalPath.state`, a dict of arrays whose first axis is the slot, and every operation works on all
beds with new samples at once. Each number is computed from the same samples in the same order however they were
cut into chunks, and in whatever company: chunk and batch invariance hold by construction.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from ecg.signal import detector
from ecg.signal import windows as cutter
from ecg.signal.beats import Beats
from ecg.signal.detector import DELAY
from ecg.signal.resampler import MODEL_RATE, kernel, resample
from ecg.signal.windows import CHANNELS, FEATURES, WINDOW, WINDOW_AFTER, WINDOW_BEFORE

__all__ = ["CHANNELS", "FEATURES", "MODEL_RATE", "WINDOW", "Beats", "SignalPath", "lookahead_seconds"]

HIGH_PASS: Final = butter(1, 0.6, "highpass", fs=MODEL_RATE)
LOW_PASS: Final = butter(2, 35.0, "lowpass", fs=MODEL_RATE)
MEAN: Final = (np.full(detector.AVERAGE, 1 / detector.AVERAGE), np.ones(1))
HISTORY: Final = 400
"""Samples kept per bed at the model's rate: the learning phase plus a window."""
PENDING: Final = 8
BLOCK: Final = 8192
"""Input samples of one bed taken in one go: bounds memory, changes nothing else."""
FIDUCIAL_REACH: Final = 8
LARGEST: Final = 1e9
"""No number of the state comes near it."""
SEARCH: Final = 10

Slots = NDArray[np.int64]


def lookahead_seconds(rate: float) -> float:
    """Signal time from an R-peak to the last sample its window needs: the floor of every latency."""
    return WINDOW_AFTER / MODEL_RATE + kernel(rate).half / rate


class SignalPath:
    """Resampler, filters, detector, cutter and features of `slots` beds.

    state: dict of arrays [slots, ...]; copy it to save all beds, put it back to go on as if nothing had happened.
    """

    def __init__(self, slots: int) -> None:
        self.state: dict[str, NDArray[Any]] = _new_state(slots)
        self.slots = slots
        self._reference: dict[int, NDArray[np.float64]] = {}

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their state."""
        if slots <= self.slots:
            return
        fresh = _new_state(slots - self.slots)
        tail = self.state["inputs"].shape[1]
        fresh["inputs"] = np.zeros((slots - self.slots, tail), np.float32)
        self.state = {name: np.concatenate((old, fresh[name])) for name, old in self.state.items()}
        self.slots = slots

    def reset(
        self,
        slots: NDArray[np.int64],
        rates: NDArray[np.float64],
        start: NDArray[np.int64],
        reference: list[NDArray[np.int64]] | None = None,
    ) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz.

        reference: R-peaks (samples at the own rate, sorted) to cut at in place of the detector's, one array per
        slot. Raises ValueError for a rate below 100 Hz.
        """
        slots = np.asarray(slots, np.int64)
        kernels = [kernel(float(rate)) for rate in rates]
        fresh = _new_state(len(slots))
        room = 2 * max((k.half for k in kernels), default=0)
        if room > self.state["inputs"].shape[1]:
            wider = np.zeros((self.slots, room), np.float32)
            old = self.state["inputs"]
            wider[:, room - old.shape[1] :] = old
            self.state["inputs"] = wider
        for name, value in fresh.items():
            if name != "inputs":
                self.state[name][slots] = value
        self.state["inputs"][slots] = 0
        begin = np.array([int(k.first(np.asarray(s))) for k, s in zip(kernels, start, strict=True)], np.int64)
        self.state["rate"][slots] = rates
        self.state["seen"][slots] = start
        self.state["made"][slots] = begin
        self.state["begin"][slots] = begin
        self.state["origin"][slots] = np.nan
        for position, slot in enumerate(slots):
            self._reference.pop(int(slot), None)
            if reference is not None:
                up, down = kernels[position].up, kernels[position].down
                self._reference[int(slot)] = np.asarray(reference[position]) * down / up

    def save(self, slot: int) -> dict[str, NDArray[Any]]:
        """A copy of all that is remembered of one bed; of its last inputs, as many as its rate needs."""
        saved = {name: np.array(rows[slot]) for name, rows in self.state.items()}
        saved["inputs"] = saved["inputs"][-2 * kernel(float(saved["rate"])).half :]
        return saved

    def restore(self, slot: int, saved: dict[str, NDArray[Any]]) -> None:
        """Put back what `save` gave, in this slot or another one, here or in another process.

        Raises ValueError where it is not the state of a bed of this signal path.
        """
        rate = float(saved["rate"]) if "rate" in saved else 0.0
        if not 100 <= rate <= 10_000:
            raise ValueError(f"a rate of {rate:g} Hz")
        self.reset(np.array([slot]), np.array([rate]), np.zeros(1, np.int64))
        wanted = {name: (rows.dtype, rows.shape[1:]) for name, rows in self.state.items()}
        wanted["inputs"] = (wanted["inputs"][0], (2 * kernel(rate).half,))
        if {name: (row.dtype, row.shape) for name, row in saved.items()} != wanted:
            raise ValueError("a signal path of other parts")
        seen, made, begin = (int(saved[name]) for name in ("seen", "made", "begin"))
        if not 0 <= seen <= 1 << 53 or made != max(begin, int(kernel(rate).outputs(np.asarray(seen)))):
            raise ValueError(f"{made} samples made of {seen}")
        if any(row.dtype.kind == "f" and (np.abs(row) > LARGEST).any() for row in saved.values()):
            raise ValueError("numbers that no signal makes")
        for name, row in saved.items():
            self.state[name][slot, ...] = 0 if name == "inputs" else row
        self.state["inputs"][slot, -2 * kernel(rate).half :] = saved["inputs"]

    def step(self, slots: NDArray[np.int64], chunks: list[NDArray[np.float32]]) -> Beats:
        """Feed each slot its next samples (float32 [n], mV, contiguous with what it had before).

        A slot stands in `slots` at most once. The chunks may have different lengths, and hold no NaN.
        """
        slots = np.asarray(slots, np.int64)
        lengths = np.array([len(chunk) for chunk in chunks], np.int64)
        found = []
        for offset in range(0, int(lengths.max(initial=0)), BLOCK):
            part = np.clip(lengths - offset, 0, BLOCK)
            seen = self.state["seen"][slots] + part
            rates = self.state["rate"][slots]
            made = np.zeros(len(slots), np.int64)
            for rate in np.unique(rates):
                of = rates == rate
                made[of] = np.maximum(kernel(rate).outputs(seen[of]) - self.state["made"][slots[of]], 0)
            alike = np.stack((rates, part, made), axis=1)
            keys, group = np.unique(alike, axis=0, return_inverse=True)
            group = group.reshape(-1)
            for number, (rate, length, count) in enumerate(keys):
                if length == 0:
                    continue
                members = np.flatnonzero(group == number)
                signal = np.stack([chunks[i][offset : offset + int(length)] for i in members])
                found.append(self._advance(slots[members], signal, float(rate), int(count)))
        return Beats.join(found)

    def finish(self, slots: NDArray[np.int64]) -> Beats:
        """Beats whose window runs past the end of the signal, as if its last value went on.

        The slots must be reset before they hear anything else.
        """
        slots = np.asarray([s for s in slots if self.state["seen"][s] > 0], np.int64)
        if len(slots) == 0:
            return Beats.none()
        last = self.state["inputs"][slots, -1] + np.nan_to_num(self.state["origin"][slots])
        ended = self.state["seen"][slots].copy()
        seconds = (WINDOW_AFTER + DELAY + detector.WAIT_AFTER + detector.LEARNING) / MODEL_RATE + 0.1
        hold = [
            np.full(int(seconds * rate), value, np.float32)
            for rate, value in zip(self.state["rate"][slots], last, strict=True)
        ]
        beats = self.step(slots, hold)
        limit = np.zeros(self.slots, np.int64)
        limit[slots] = ended
        kept = beats.take(beats.index < limit[beats.slot])
        kept.ready = np.minimum(kept.ready, limit[kept.slot] - 1)
        return kept

    def _advance(self, slots: Slots, signal: NDArray[np.float32], rate: float, count: int) -> Beats:
        """One group of beds with the same rate, chunk length and number of outputs."""
        state = self.state
        kern = kernel(rate)
        new = np.isnan(state["origin"][slots])
        state["origin"][slots] = np.where(new, signal[:, 0], state["origin"][slots])
        signal = signal - state["origin"][slots, None].astype(np.float32)
        joined = np.concatenate((state["inputs"][slots], signal), axis=1)
        kept = state["inputs"].shape[1]
        state["inputs"][slots] = joined[:, -kept:]
        origin = state["seen"][slots] - kept
        state["seen"][slots] += signal.shape[1]
        if count == 0:
            return Beats.none()
        made = resample(kern, joined, origin, state["made"][slots], count).astype(np.float64)
        state["made"][slots] += count

        low = self._filter("low", LOW_PASS, slots, made)
        model = self._filter("high", HIGH_PASS, slots, low)
        band = self._filter("band", detector.BAND, slots, made)
        slope = np.abs(np.diff(band, axis=1, prepend=state["band_last"][slots, None]))
        state["band_last"][slots] = band[:, -1]
        envelope = self._filter("mean", MEAN, slots, slope)

        model = self._remember("model", slots, model)
        band = self._remember("band_signal", slots, band)
        envelope = self._remember("envelope", slots, envelope)
        first = state["made"][slots] - model.shape[1]
        rows, at, part = self._find(slots, model, band, envelope, first, count)
        return self._cut(slots, model, first, rows, at, part, kern.half)

    def _filter(
        self, name: str, design: tuple[NDArray[np.float64], ...], slots: Slots, signal: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Run an IIR filter on, its state kept under `name`."""
        memory = self.state[f"{name}_filter"]
        filtered, after = lfilter(*design, signal, axis=1, zi=memory[slots])
        after[np.abs(after) < 1e-30] = 0
        memory[slots] = after
        return np.asarray(filtered)

    def _remember(self, name: str, slots: Slots, new: NDArray[np.float64]) -> NDArray[np.float64]:
        """The bed's last HISTORY samples followed by the new ones; the newest are kept."""
        joined = np.concatenate((self.state[name][slots], new), axis=1)
        self.state[name][slots] = joined[:, -HISTORY:]
        return joined

    def _find(
        self,
        slots: Slots,
        model: NDArray[np.float64],
        band: NDArray[np.float64],
        envelope: NDArray[np.float64],
        first: NDArray[np.int64],
        count: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """New beats: row in the group, position of the envelope's maximum, and its sub-sample part."""
        state = self.state
        begin = state["begin"][slots]
        total = envelope.shape[1]
        end = first + total
        forced = np.array([int(slot) in self._reference for slot in slots])
        if forced.any():
            return self._forced(slots, envelope, first)
        awake = end >= begin + detector.LEARNING
        waking = awake & (end - count < begin + detector.LEARNING)
        for row in np.flatnonzero(waking):
            heard = envelope[row, begin[row] - first[row] :][: detector.LEARNING]
            state["signal"][slots[row]] = 0.6 * heard.max()
            state["noise"][slots[row]] = 0.12 * heard.max()
        rows, columns = detector.maxima(envelope, total - count - detector.WAIT_AFTER)
        keep = awake[rows] & ~waking[rows]
        rows, columns = rows[keep], columns[keep]
        for row in np.flatnonzero(waking):
            _, late = detector.maxima(envelope[row : row + 1], int(begin[row] - first[row]))
            rows, columns = np.r_[rows, np.full(len(late), row)], np.r_[columns, late]
        keep = columns + first[rows] >= begin[rows] + detector.SKIP
        rows, columns = rows[keep], columns[keep]
        order = np.lexsort((columns, slots[rows]))
        rows, columns = rows[order], columns[order]

        middle = columns - detector.AVERAGE // 2
        around = middle[:, None] + np.arange(-detector.HALF_SHAPE, detector.HALF_SHAPE + 1)
        around = np.clip(around, 0, total - 1)
        shape = band[rows[:, None], around]
        shape /= np.sqrt((shape * shape).sum(axis=1, keepdims=True)) + 1e-9
        local = model[rows[:, None], around]
        yes = detector.decide(
            state,
            slots[rows],
            columns + first[rows],
            envelope[rows, columns],
            local.max(axis=1) - local.min(axis=1),
            shape,
        )
        rows, columns = rows[yes], columns[yes]
        return rows, columns + first[rows], _parabola(envelope, rows, columns)

    def _forced(
        self, slots: Slots, envelope: NDArray[np.float64], first: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Beats at given R-peaks, aligned to the envelope as the detector's own are."""
        total = envelope.shape[1]
        rows, columns = [], []
        for row, slot in enumerate(slots):
            peaks = self._reference[int(slot)]
            taken = int(self.state["taken"][slot])
            ready = int(np.searchsorted(peaks, first[row] + total - 1 - DELAY - SEARCH))
            for peak in peaks[taken:ready]:
                middle = round(float(peak)) + DELAY - int(first[row])
                low = max(middle - SEARCH, 1)
                rows.append(row)
                columns.append(low + int(envelope[row, low : middle + SEARCH].argmax()))
            self.state["taken"][slot] = max(ready, taken)
        where, at = np.array(rows, np.int64), np.array(columns, np.int64)
        return where, at + first[where], _parabola(envelope, where, at)

    def _cut(
        self,
        slots: Slots,
        model: NDArray[np.float64],
        first: NDArray[np.int64],
        rows: NDArray[np.int64],
        at: NDArray[np.int64],
        part: NDArray[np.float64],
        half: int,
    ) -> Beats:
        """Windows that are complete by now; the rest waits in the state."""
        state = self.state
        waiting, place = np.nonzero(state["wait_at"][slots] >= 0)
        rows = np.r_[waiting, rows]
        at = np.r_[state["wait_at"][slots][waiting, place], at]
        part = np.r_[state["wait_part"][slots][waiting, place], part]
        order = np.lexsort((np.arange(len(rows)), slots[rows]))
        rows, at, part = rows[order], at[order], part[order]
        centre = at - DELAY
        done = centre + WINDOW_AFTER <= first[rows] + model.shape[1]

        state["wait_at"][slots] = -1
        later = rows[~done]
        if len(later):
            starts = np.r_[True, later[1:] != later[:-1]]
            place = np.arange(len(later)) - np.maximum.accumulate(np.where(starts, np.arange(len(later)), 0))
            state["wait_at"][slots[later], place] = at[~done]
            state["wait_part"][slots[later], place] = part[~done]
        rows, at, part, centre = rows[done], at[done], part[done], centre[done]
        if len(rows) == 0:
            return Beats.none()
        column = centre - first[rows]
        cuts = model[rows[:, None], np.clip(column[:, None] + np.arange(-WINDOW_BEFORE, WINDOW_AFTER), 0, None)]
        near = slice(WINDOW_BEFORE - FIDUCIAL_REACH, WINDOW_BEFORE + FIDUCIAL_REACH + 1)
        taper = 1 - 0.04 * np.abs(np.arange(-FIDUCIAL_REACH, FIDUCIAL_REACH + 1))
        peak = centre + (np.abs(cuts[:, near]) * taper).argmax(axis=1) - FIDUCIAL_REACH
        where = slots[rows]
        windows, features, rr, mean_rr = cutter.describe(state, where, at + part, cuts)
        rate = state["rate"][where]
        to_own = rate / MODEL_RATE
        index = np.floor(peak * to_own + 0.5).astype(np.int64)
        needed = np.maximum(centre + WINDOW_AFTER, state["begin"][where] + detector.LEARNING)
        ready = np.floor((needed - 1) * to_own).astype(np.int64) + half
        return Beats(
            slot=where,
            index=np.maximum(index, 0),
            ready=ready,
            windows=windows,
            features=features,
            rr_ms=(rr / MODEL_RATE * 1000).astype(np.float32),
            heart_rate=(60 * MODEL_RATE / mean_rr).astype(np.float32),
        )


def _parabola(
    envelope: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sub-sample offset (-0.5 to 0.5) of maxima, from a parabola through three samples."""
    inside = np.clip(columns, 1, envelope.shape[1] - 2)
    before, here, after = (envelope[rows, inside + step] for step in (-1, 0, 1))
    bend = before - 2 * here + after
    offset = 0.5 * (before - after) / np.where(bend < 0, bend, -np.inf)
    return np.clip(offset, -0.5, 0.5)


def _new_state(slots: int) -> dict[str, NDArray[Any]]:
    """State of `slots` beds that have heard nothing."""
    return {
        "rate": np.full(slots, 360.0),
        "seen": np.zeros(slots, np.int64),
        "made": np.zeros(slots, np.int64),
        "begin": np.zeros(slots, np.int64),
        "taken": np.zeros(slots, np.int64),
        "origin": np.full(slots, np.nan),
        "inputs": np.zeros((slots, 2 * kernel(360.0).half), np.float32),
        "low_filter": np.zeros((slots, 2)),
        "high_filter": np.zeros((slots, 1)),
        "band_filter": np.zeros((slots, 2)),
        "band_last": np.zeros(slots),
        "mean_filter": np.zeros((slots, detector.AVERAGE - 1)),
        "model": np.zeros((slots, HISTORY)),
        "band_signal": np.zeros((slots, HISTORY)),
        "envelope": np.zeros((slots, HISTORY)),
        "wait_at": np.full((slots, PENDING), -1, np.int64),
        "wait_part": np.zeros((slots, PENDING)),
        **detector.new_state(slots),
        **cutter.new_state(slots),
    }
