"""The signal path: samples of many leads go in, beats ready for the network come out.

Resample to the model's rate, filter, detect R-peaks, cut windows, describe each beat relative to its patient.
All state is in `SignalPath.state`, a dict of arrays whose first axis is the slot, and every operation works on all
leads with new samples at once. Each number is computed from the same samples in the same order, however they were
cut into chunks and whichever leads are beside it: chunk and batch invariance hold by construction.

A slot is one lead. A lead may follow another lead of its bed: its windows are cut at the R-peaks of the lead it
follows, so that both say something of the same beats; its own detector goes on and is heard as a witness.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import compiled, detector, features, filling, filters, pacing, recent, shapes, windows
from ecg.signal.beats import Beats
from ecg.signal.chunks import Chunks, Signals, longest, some
from ecg.signal.compiled import Kernels
from ecg.signal.detector import DELAY
from ecg.signal.features import FEATURES
from ecg.signal.filters import DESIGNS, kept_inputs
from ecg.signal.found import NOTHING, Found, in_halves, joined
from ecg.signal.resampler import MODEL_RATE, kernel
from ecg.signal.slots import Floats, Index, Mask, Saved, Side, SlotArrays, State, alike_rows
from ecg.signal.windows import CHANNELS, FIDUCIAL_REACH, WINDOW, WINDOW_AFTER

__all__ = [
    "CHANNELS",
    "FEATURES",
    "FIDUCIAL_REACH",
    "MODEL_RATE",
    "WINDOW",
    "Beats",
    "Found",
    "SignalPath",
    "lookahead_seconds",
]

BLOCK: Final = 8192
"""Input samples of one bed taken in one go: a limit on working memory without effect on results."""
GIVEN: Final = "given"
"""Name of the R-peaks given to a bed, in its saved state."""
LARGEST: Final = 1e9
"""No number of the state comes near it."""


@lru_cache(maxsize=64)
def lookahead_seconds(rate: float) -> float:
    """Signal time from an R-peak to the last sample its window needs: the floor of every latency."""
    return WINDOW_AFTER / MODEL_RATE + kernel(rate).half / rate


class SignalPath(SlotArrays):
    """Resampler, filters, detector, cutter and features of `slots` leads.

    Follows the protocol ecg.signal.slots.Slotted. state: dict of arrays [slots, ...].
    """

    ELASTIC: ClassVar[dict[str, Side]] = {"inputs": "front"}
    BESIDE: ClassVar[frozenset[str]] = frozenset({GIVEN})

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self._given: dict[int, Floats] = {}

    def fresh(self, slots: int) -> State:
        """State of `slots` beds that have heard nothing."""
        return {
            **filters.new_state(slots),
            **recent.new_state(slots),
            **pacing.new_state(slots),
            **detector.new_state(slots),
            **filling.new_state(slots),
            **windows.new_state(slots),
            **features.new_state(slots),
        }

    def reset(
        self,
        slots: Index,
        rates: Floats,
        start: Index,
        reference: list[Index] | None = None,
        beside: Index | None = None,
    ) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz.

        reference: R-peaks (samples at the own rate, sorted) to cut at in place of the detector's, one array per
        slot. beside: slot of the other lead of the bed where that goes on meanwhile, else the slot itself: what both
        make from then on keeps pace. Raises ValueError for a rate below 100 Hz.
        """
        slots = np.asarray(slots, np.int64)
        kernels = [kernel(float(rate)) for rate in rates]
        self.widen("inputs", max((kept_inputs(float(rate)) for rate in rates), default=0))
        self.clear(slots)
        begin = np.array([int(k.first(np.asarray(s))) for k, s in zip(kernels, start, strict=True)], np.int64)
        if beside is not None:
            going = beside != slots
            begin[going] = self.state["made"][beside[going]]
        self.state["rate"][slots] = rates
        self.state["seen"][slots] = start
        self.state["made"][slots] = begin
        self.state["begin"][slots] = begin
        for position, slot in enumerate(slots):
            self._given.pop(int(slot), None)
            if reference is not None:
                up, down = kernels[position].up, kernels[position].down
                self._given[int(slot)] = np.asarray(reference[position]) * down / up

    def save(self, slot: int) -> Saved:
        """Copy one bed's state, its given R-peaks among it."""
        given = self._given.get(slot)
        return recent.packed(super().save(slot)) | ({} if given is None else {GIVEN: given.copy()})

    def restore(self, slot: int, saved: Saved) -> None:
        """Continue one bed from a copy. Raises ValueError if the copy does not fit; nothing has changed then."""
        saved = recent.unpacked(saved)
        self.check(saved)
        room = kept_inputs(float(saved["rate"]))
        if len(saved["inputs"]) < room:
            raise ValueError(f"the saved inputs are too few for a rate of {saved['rate']} Hz")
        seen, made, begin = (int(saved[name]) for name in ("seen", "made", "begin"))
        if not 0 <= seen <= 1 << 53 or made != max(begin, int(kernel(float(saved["rate"])).outputs(np.asarray(seen)))):
            raise ValueError(f"the saved bed made {made} samples of {seen}")
        if any(row.dtype.kind == "f" and (np.abs(row) > LARGEST).any() for row in saved.values()):
            raise ValueError("the saved bed holds numbers that no signal makes")
        if not 0 <= int(saved["shape_last"]) < shapes.SHAPES:  # compiled code would not notice
            raise ValueError(f"the saved bed's last beat has shape {saved['shape_last']} of {shapes.SHAPES}")
        given = saved.get(GIVEN)
        if given is not None and (given.ndim != 1 or given.dtype != np.float64):
            raise ValueError(f"the saved R-peaks are {given.dtype} {list(given.shape)}, needed is float64 [n]")
        self.widen("inputs", room)
        super().restore(slot, saved)
        self._given.pop(slot, None)
        if given is not None:
            self._given[slot] = given.copy()

    def step(self, slots: Index, chunks: Signals) -> Beats:
        """Feed each slot its next samples (float32 [n], mV, contiguous with what it had before).

        A slot stands in `slots` at most once. The chunks may have different lengths, and hold no NaN.
        """
        return self.step_leads(slots, chunks).beats

    def step_leads(self, slots: Index, chunks: Signals, follows: Index | None = None) -> Found:
        """`step`, where `follows` [k] is the slot whose beats slot k is cut at: the slot itself where it leads.

        A lead that is followed stands in `slots` too, has the same rate and as long a chunk, and follows none.
        """
        slots = np.asarray(slots, np.int64)
        follows = slots if follows is None else follows
        if (fast := compiled.kernels()) and not self._given:
            return joined(self._compiled(fast, slots, follows, chunks))
        found = []
        while any(map(len, chunks)):
            part, spikes = pacing.cut_short(self.state, slots, follows, [chunk[:BLOCK] for chunk in chunks])
            seen = self.state["seen"][slots] + part
            rates = self.state["rate"][slots]
            made = np.zeros(len(slots), np.int64)
            for of in alike_rows(rates[:, None]):
                rate = float(rates[of[0]])
                made[of] = np.maximum(kernel(rate).outputs(seen[of]) - self.state["made"][slots[of]], 0)
            for members in alike_rows(np.stack((rates, part, made), axis=1)):
                rate, length, count = rates[members[0]], part[members[0]], made[members[0]]
                if length == 0:
                    continue
                signal = np.stack([chunks[i][: int(length)] for i in members])
                found.append(self._advance(slots[members], follows[members], signal, float(rate), int(count)))
            pacing.lift(self.state, slots[spikes >= 0])
            chunks = [chunk[length:] for chunk, length in zip(chunks, part.tolist(), strict=True)]
        return joined(found)

    def _compiled(self, fast: Kernels, slots: Index, follows: Index, chunks: Signals) -> list[Found]:
        """`step_leads` in one call for all leads at one rate, whatever the lengths of their chunks; or in two, of half
        of the beds each, where there is a core for the second.
        """
        found, rates = [], self.state["rate"][slots]
        for of in alike_rows(rates[:, None]):
            rate, alone = float(rates[of[0]]), len(of) == len(slots)
            left, own, lead = (chunks, slots, follows) if alone else (some(chunks, of), slots[of], follows[of])
            while True:
                long = longest(left) > BLOCK
                part = Chunks.of([chunk[:BLOCK] for chunk in left] if long else left)
                found += in_halves(partial(self._found, fast, rate), own, lead, part)
                if not long:
                    break
                rows = np.flatnonzero([len(chunk) > BLOCK for chunk in left])
                left, own, lead = [left[row][BLOCK:] for row in rows.tolist()], own[rows], lead[rows]
        return found

    def _found(self, fast: Kernels, rate: float, slots: Index, follows: Index, chunks: Chunks) -> Found:
        """What these leads' next samples bring."""
        *made, who, heard = fast.step(self.state, DESIGNS, kernel(rate), slots, follows, chunks, rate)
        beats = self._described(*made) if len(made[0]) else Beats.none()
        return Found(beats=beats, witnessed=np.stack((who, heard), axis=1))

    def finish(self, slots: Index, follows: Index | None = None) -> Beats:
        """Beats whose window runs past the end of the signal, as if its last value went on. follows: see `step_leads`.

        The slots must be reset before they hear anything else.
        """
        slots = np.asarray(slots, np.int64)
        heard = self.state["seen"][slots] > 0
        follows = slots[heard] if follows is None else follows[heard]
        slots = slots[heard]
        if len(slots) == 0:
            return Beats.none()
        last = self.state["inputs"][slots, -1] + np.nan_to_num(self.state["origin"][slots])
        ended = self.state["seen"][slots].copy()
        seconds = (WINDOW_AFTER + DELAY + detector.WAIT_AFTER + detector.AWAKE) / MODEL_RATE + 0.1
        hold = [
            np.full(int(seconds * rate), value, np.float32)
            for rate, value in zip(self.state["rate"][slots], last, strict=True)
        ]
        beats = self.step_leads(slots, hold, follows).beats
        limit = np.zeros(self.slots, np.int64)
        limit[slots] = ended
        kept = beats.take(beats.index < limit[beats.slot])
        kept.ready = np.minimum(kept.ready, limit[kept.slot] - 1)
        return kept

    def _advance(self, slots: Index, follows: Index, signal: NDArray[np.float32], rate: float, count: int) -> Found:
        """One group of leads with the same rate, chunk length and number of outputs."""
        state, kern, fast = self.state, kernel(rate), compiled.kernels()
        if fast:
            model, band, envelope = fast.advance(state, DESIGNS, kern, slots, signal, count)
        else:
            model, band, envelope = filters.advance(state, kern, slots, signal, count)
        if count == 0:
            return Found(beats=Beats.none(), witnessed=NOTHING)
        first = state["made"][slots] - model.shape[1]
        given = np.array([int(slot) in self._given for slot in slots], bool)
        found = self._peaks(slots, given, model, band, envelope, first, count)
        leads, witnessed = follows == slots, NOTHING
        if not leads.all():
            own = found.take(~leads[found.row])
            index = np.floor((own.at - DELAY) * (rate / MODEL_RATE) + 0.5).astype(np.int64)
            witnessed = np.stack((slots[own.row], np.maximum(index, 0)), axis=1)
            pairs = filling.pairs_of(slots, follows)
            found = filling.filled(state, slots, leads, pairs, found, envelope, first, given).shared(pairs)
        elif not self._given:
            found = filling.taken(state, slots, found)
        ready = windows.complete(state, slots, found, first + model.shape[1])
        beats = self._beats(slots, model, first, ready, kern.half) if len(ready.row) else Beats.none()
        return Found(beats=beats, witnessed=witnessed)

    def _peaks(
        self, slots: Index, given: Mask, model: Floats, band: Floats, envelope: Floats, first: Index, count: int
    ) -> detector.Peaks:
        """New R-peaks of each lead: the detector's, or those given."""
        if not given.any():
            return detector.find(self.state, slots, model, band, envelope, first, count)
        parts = []
        for rows in (np.flatnonzero(given), np.flatnonzero(~given)):
            if not len(rows):
                continue
            some = slots[rows], envelope[rows], first[rows]
            if given[rows[0]]:
                peaks = detector.align(self.state, some[0], [self._given[int(slot)] for slot in some[0]], *some[1:])
            else:
                peaks = detector.find(self.state, some[0], model[rows], band[rows], *some[1:], count)
            parts.append(peaks._replace(row=rows[peaks.row]))
        return detector.Peaks.join(*parts)

    def _beats(self, slots: Index, model: Floats, first: Index, ready: detector.Peaks, half: int) -> Beats:
        """Cut and describe the beats at these R-peaks. half: inputs that the resampler needs after an output."""
        state, where = self.state, slots[ready.row]
        centre = ready.at - DELAY
        cuts = windows.cut(model, ready.row, centre - first[ready.row])
        to_own = state["rate"][where] / MODEL_RATE
        index = np.floor((centre + windows.fiducial(cuts)) * to_own + 0.5).astype(np.int64)
        needed = np.maximum(centre + WINDOW_AFTER, state["begin"][where] + detector.AWAKE)
        last = np.floor((needed - 1) * to_own).astype(np.int64) + half
        index = np.maximum(index, 0)
        answered = pacing.answers(state, where, index)
        return self._described(where, ready.at, index, last, ready.at + ready.fraction, cuts, answered)

    def _described(
        self, where: Index, peaks: Index, index: Index, ready: Index, at: Floats, cuts: Floats, answered: Mask
    ) -> Beats:
        """Beats of these rows: R-peaks at both rates, last samples needed, places between samples, windows, and whether
        they may answer spikes.
        """
        inputs, values, rr, mean_rr = features.describe(self.state, where, at, cuts)
        return Beats(
            slot=where,
            at=peaks,
            index=index,
            ready=ready,
            windows=inputs,
            features=values,
            rr_ms=(rr / MODEL_RATE * 1000).astype(np.float32),
            heart_rate=(60 * MODEL_RATE / mean_rr).astype(np.float32),
            paced=pacing.paced(answered, rr / MODEL_RATE),
        )
