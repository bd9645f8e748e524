"""The compiled kernels as the signal path calls them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import p_waves
from ecg.signal.detector import REFRACTORY, SHAPE, Peaks
from ecg.signal.kernels import description, detection, filtering, recurrent
from ecg.signal.kernels.description import Running
from ecg.signal.kernels.detection import Levels
from ecg.signal.kernels.filtering import Designs, Filters
from ecg.signal.kernels.recurrent import Weights
from ecg.signal.kernels.waves import Waves
from ecg.signal.resampler import MODEL_RATE, Kernel, kernel
from ecg.signal.slots import Floats, Index, State
from ecg.signal.windows import CHANNELS, WINDOW

RATE: Final = 360.0


class Compiled:
    """What is compiled. Every method is the one of NumPy's way that has its name, with the same arguments."""

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

        designs: low-pass, high-pass, band-pass. signal: float32 [rows, n]. count: outputs.
        """
        shape = len(slots), state["model"].shape[1] + count
        out = np.empty(shape), np.empty(shape), np.empty(shape)
        filtering.advance(
            Filters(*(state[name] for name in Filters._fields)),
            Designs(*(np.ascontiguousarray(part) for design in designs for part in design)),
            np.ascontiguousarray(slots),
            np.ascontiguousarray(signal),
            kern.up,
            kern.down,
            kern.half,
            kern.taps,
            out,
        )
        return out

    def find(
        self, state: State, slots: Index, model: Floats, band: Floats, envelope: Floats, first: Index, count: int
    ) -> Peaks:
        """`ecg.signal.detector.find`."""
        room = len(slots) * (envelope.shape[1] // REFRACTORY + 2)
        out = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
        made = detection.find(
            Levels(*(state[name] for name in Levels._fields)),
            np.ascontiguousarray(slots),
            np.argsort(slots, kind="stable"),
            np.ascontiguousarray(model),
            np.ascontiguousarray(band),
            np.ascontiguousarray(envelope),
            np.ascontiguousarray(first),
            count,
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
        free = p_waves.free_state(state)
        description.describe(
            Running(*(state[name] for name in Running._fields)),
            Waves(*(state[name] for name in Waves._fields)),
            Waves(*(free[name] for name in Waves._fields)),
            np.ascontiguousarray(slots),
            np.ascontiguousarray(at),
            np.ascontiguousarray(cuts),
            out,
        )
        return out

    def classify(
        self,
        weights: tuple[NDArray[np.float32], ...],
        windows: NDArray[np.float32],
        features: NDArray[np.float32],
        slots: Index,
        memory: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Few beats through the network: see `ecg.model.few`. weights: in the order of `recurrent.Weights`."""
        given = Weights(*weights)
        out = np.empty((len(slots), given.head.shape[1]), np.float32), np.empty(len(slots), np.float32)
        recurrent.classify(
            given,
            np.ascontiguousarray(windows),
            np.ascontiguousarray(features),
            np.ascontiguousarray(slots),
            memory,
            out,
        )
        return out

    def warm_up(self) -> None:
        """Call every kernel once, so that it is loaded, or compiled where it is not yet."""
        from ecg.signal import features  # it asks for kernels itself
        from ecg.signal.path import DESIGNS, SignalPath

        state, slots = SignalPath(1).state, np.zeros(1, np.int64)
        self.advance(state, DESIGNS, kernel(RATE), slots, np.zeros((1, 64), np.float32), 1)
        length = state["model"].shape[1] + 1
        flat = np.zeros((1, length))
        self.find(state, slots, flat, flat, flat, slots, 1)
        cuts = np.sin(np.arange(WINDOW))[None]
        self.describe(state, slots, np.full(1, float(MODEL_RATE)), cuts, len(features.FEATURES))
        assert state["shape"].shape[1] == SHAPE
        sizes = "5,2,4 4 3,4,4 4 2,4,6 2,6 2,2,6 2,6 4,3 3 5,6 6 2,6 6 7,5 5"
        weights = [np.zeros([int(part) for part in size.split(",")], np.float32) for size in sizes.split()]
        room = np.zeros((1, 2), np.float32)
        self.classify(tuple(weights), np.zeros((1, 2, WINDOW), np.float32), room, slots, room)
