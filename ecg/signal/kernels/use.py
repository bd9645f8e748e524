"""The compiled kernels as signal path, network and alarms call them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import p_waves, pacing, recent
from ecg.signal.chunks import Signals, joined
from ecg.signal.compiled import Rules, Terms
from ecg.signal.detector import REFRACTORY, Peaks
from ecg.signal.kernels import (
    arriving,
    description,
    detection,
    filtering,
    hearing,
    intervals,
    judging,
    looking,
    recurrent,
    splitting,
    stepping,
)
from ecg.signal.kernels.description import Running
from ecg.signal.kernels.detection import Levels
from ecg.signal.kernels.filling import Taken
from ecg.signal.kernels.filtering import Designs, Filters, Rows
from ecg.signal.kernels.judging import Lines, Own, Seen
from ecg.signal.kernels.looking import Blocks
from ecg.signal.kernels.pacing import Spikes
from ecg.signal.kernels.recurrent import Weights
from ecg.signal.kernels.strokes import Kept, Places
from ecg.signal.kernels.use_rules import CompiledRules
from ecg.signal.kernels.waves import Waves
from ecg.signal.recent import HISTORY
from ecg.signal.resampler import Kernel
from ecg.signal.slots import Floats, Index, State
from ecg.signal.windows import CHANNELS, WINDOW


def _part(kind: Callable[..., Any], names: Iterable[str]) -> Callable[[State], Any]:
    """What takes these arrays of a state for a kernel."""
    arrays = itemgetter(*names)
    return lambda state: kind(*arrays(state))


_FILTERS, _LEVELS, _TAKEN, _SPIKES, _RUNNING, _BLOCKS, _OWN, _KEPT, _WAVES = (
    _part(kind, kind._fields) for kind in (Filters, Levels, Taken, Spikes, Running, Blocks, Own, Kept, Waves)
)
_FREE_WAVES = _part(Waves, (p_waves.KEPT + name for name in Waves._fields))


INT16: Final = np.dtype("<i2")


class Compiled:
    """What is compiled. Every method is the one of NumPy's way that has its name, with the same arguments."""

    rules = CompiledRules()
    take = staticmethod(arriving.take)
    gather = staticmethod(arriving.gather)

    def step(
        self,
        state: State,
        designs: tuple[tuple[Floats, ...], ...],
        kern: Kernel,
        slots: Index,
        follows: Index,
        chunks: Signals,
        rate: float,
    ) -> tuple[NDArray[Any], ...]:
        """Leads at one rate, up to windows: see `stepping.step`. designs: low-, high-, band-pass."""
        return tuple(
            stepping.step(
                _FILTERS(state),
                _LEVELS(state),
                _TAKEN(state),
                _SPIKES(state),
                _designs(designs),
                (kern.up, kern.down, kern.half, kern.taps),
                pacing.reach(rate),
                np.ascontiguousarray(slots),
                np.ascontiguousarray(follows),
                np.argsort(slots, kind="stable"),
                *joined(chunks),
                rate,
            )
        )

    def advance(
        self,
        state: State,
        designs: tuple[tuple[Floats, ...], ...],
        kern: Kernel,
        slots: Index,
        signal: NDArray[np.float32],
        count: int,
    ) -> tuple[Floats, Floats, Floats]:
        """New samples through resampler and filters: model, band and envelope [rows, kept + count].

        signal: float32 [rows, n]. count: outputs.
        """
        rows, shape = len(slots), (len(slots), HISTORY + count)
        out = np.empty(shape), np.empty(shape), np.empty(shape)
        for name, wide in zip(recent.NAMES, out, strict=True):
            wide[:, :HISTORY] = recent.history(state, name, slots)
        filtering.advance(
            _FILTERS(state),
            _designs(designs),
            np.ascontiguousarray(slots),
            np.ascontiguousarray(signal).reshape(-1),
            np.arange(rows + 1) * signal.shape[1],
            np.full(rows, count),
            kern.up,
            kern.down,
            kern.half,
            kern.taps,
            Rows(out[0], out[1], out[2], np.arange(rows), np.zeros(rows, np.int64)),
        )
        recent.remember(state, slots, out)
        return out

    def find(
        self, state: State, slots: Index, model: Floats, band: Floats, envelope: Floats, first: Index, count: int
    ) -> Peaks:
        """`ecg.signal.detector.find`."""
        room = len(slots) * (envelope.shape[1] // REFRACTORY + 2)
        out = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
        where, begin = np.arange(len(slots)), np.zeros(len(slots), np.int64)
        lines = [np.ascontiguousarray(values) for values in (model, band, envelope)]
        made = detection.find(
            _LEVELS(state),
            np.ascontiguousarray(slots),
            np.argsort(slots, kind="stable"),
            Rows(lines[0], lines[1], lines[2], where, begin),
            np.ascontiguousarray(first),
            np.full(len(slots), count),
            out,
        )
        return Peaks(*(values[:made] for values in out))

    def describe(
        self, state: State, slots: Index, at: Floats, cuts: Floats, features: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], Floats, Floats]:
        """`ecg.signal.features.describe`. features: how many there are."""
        total = len(slots)
        out = (
            np.empty((total, CHANNELS, WINDOW), np.float32),
            np.empty((total, features), np.float32),
            np.empty(total),
            np.empty(total),
        )
        description.describe(
            _RUNNING(state),
            _WAVES(state),
            _FREE_WAVES(state),
            np.ascontiguousarray(slots),
            np.ascontiguousarray(at),
            np.ascontiguousarray(cuts),
            out,
        )
        return out

    def hear(
        self, messages: Sequence[tuple[Any, ...]], missing: int, tail: int
    ) -> tuple[list[tuple[int, ...]], NDArray[np.float32], Index, Floats, list[int]]:
        """Plan, signals of messages in their units, one behind the other; lines and values after them; for how long
        lines have stood, by message: see `hearing.hear`.

        messages: of each samples, int16 little-endian, columns, terms and leads; more is left alone.
        """
        plan: list[tuple[int, ...]] = []
        begin = first = place = 0
        for samples, columns, terms, leads, *_ in messages:
            plan.append((begin, columns, first, leads, place))
            codes, count = len(samples) // 2, len(terms)
            begin, first, place = begin + codes, first + count, place + codes // columns * count
        plan.append((begin, 0, first, 0, place))
        out = (
            np.empty(place, np.float32),
            np.empty((first, 4), np.int64),
            np.empty(first),
            np.empty(len(messages), np.int64),
        )
        flat = np.frombuffer(b"".join([one[0] for one in messages]), INT16)
        table = messages[0][2] if len(messages) == 1 else np.concatenate([one[2] for one in messages])
        hearing.hear(flat, np.array(plan, np.int64), table, missing, tail, out)
        return plan, out[0], out[1], out[2], out[3].tolist()

    def split(self, data: bytes, known: Index, starts: Index, texts: Any, room: tuple[Any, ...]) -> list[int]:
        """Into `room` the packets of some bytes; returns what `splitting.split` tells."""
        told = np.empty(7, np.int64)
        splitting.split(np.frombuffer(data, np.uint8), known, starts, texts, room, told)
        return told.tolist()

    def looks(
        self, state: State, slots: Index, chunks: Signals, hop: int, length: int
    ) -> tuple[Index, Index, Floats, Floats, Index]:
        """Looks of `monitor.alarms.looks`, sorted by slot and time: slots, index, means, spreads, blocks."""
        flat, edges = joined(chunks)
        room = int((np.diff(edges) // (state["block"][slots] * hop)).sum()) + 2 * len(chunks)
        some, wide = np.empty((3, room), np.int64), np.empty((2, room, length))
        made = looking.advance(
            _BLOCKS(state),
            np.ascontiguousarray(slots),
            np.argsort(slots, kind="stable"),
            flat,
            edges,
            hop,
            (some[0], some[1], wide[0], wide[1], some[2]),
        )
        return some[0, :made], some[1, :made], wide[0, :made], wide[1, :made], some[2, :made]

    def show(
        self, means: Floats, spreads: Floats, rate: Floats, blocks: Index, terms: Terms
    ) -> tuple[NDArray[np.bool_], Floats, Floats, NDArray[np.bool_]]:
        """What looks show: flags, measures, lift and steep places, see `looking.show`."""
        count = len(means)
        out = (
            np.empty((count, 4), bool),
            np.empty((count, 4)),
            np.empty((count, terms.hop)),
            np.empty((count, terms.hop), bool),
        )
        looking.show(
            np.ascontiguousarray(means),
            np.ascontiguousarray(spreads),
            np.ascontiguousarray(rate),
            np.ascontiguousarray(blocks),
            terms,
            out,
        )
        return out

    def shapes(self, means: Floats, rows: Index, centres: Index, before: int, after: int) -> tuple[Floats, Floats]:
        """Shapes [p, 3, before + after] around blocks of windows, and the sizes [p] of the middle ones."""
        out = np.empty((len(rows), 3, before + after)), np.empty(len(rows))
        looking.shapes(
            np.ascontiguousarray(means), np.ascontiguousarray(rows), np.ascontiguousarray(centres), before, after, out
        )
        return out

    def judge(
        self,
        own: State,
        looks: State,
        beats: State,
        gone: NDArray[np.bool_],
        seen: tuple[NDArray[Any], ...],
        places: tuple[NDArray[Any], ...],
        rules: Rules,
    ) -> tuple[Index, Index]:
        """Which looks bring news [n] and what they tell [n, 14]: see `judging.judge`. seen, places: as there."""
        count = len(seen[0])
        news, told = np.empty(count, np.int64), np.empty((count, 14), np.int64)
        made = judging.judge(
            _OWN(own),
            Lines(looks["usual"], looks["rate"], looks["begin"], looks["block"], gone),
            _KEPT(beats),
            Seen(*(np.ascontiguousarray(values) for values in seen)),
            Places(*(np.ascontiguousarray(values) for values in places)),
            rules,
            (news, told),
        )
        return news[:made], told[:made]

    def irregularity(self, rr: Index, lags: int, share: float, fewest: int) -> float:
        """The change of RR intervals that counts: see `intervals.irregularity`."""
        value: float = intervals.irregularity(rr, lags, share, fewest, -1.0)
        return value

    def classify(
        self,
        weights: tuple[NDArray[np.float32], ...],
        windows: NDArray[np.float32],
        features: NDArray[np.float32],
        slots: Index,
        memory: NDArray[np.float32],
        classes: int,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Beats through the network: see `ecg.model.compiled`. weights: in the order of `recurrent.Weights`."""
        out = np.empty((len(slots), classes), np.float32), np.empty(len(slots), np.float32)
        if len(slots) == 0:
            return out
        recurrent.classify(
            Weights(*weights),
            np.ascontiguousarray(windows),
            np.ascontiguousarray(features),
            np.ascontiguousarray(slots),
            memory,
            out,
        )
        return out


def _designs(designs: tuple[tuple[Floats, ...], ...]) -> Designs:
    """Low-, high- and band-pass as a kernel takes them."""
    return Designs(*designs[0], *designs[1], *designs[2])
