"""The engine without the library: memory in a NumPy array, passes in the compiled kernel."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.model.compiled import CompiledNet
from ecg.model.weights import Weights
from ecg.signal.beats import Beats
from monitor.inference.engine import Verdicts, checked

DEVICE: Final = "cpu"
"""Where its kernel computes."""


class ArrayEngine:
    """See `monitor.inference.engine.Engine`. Only for shapes for which `ecg.model.compiled.able` holds.

    memory: float32 [parts, slots, hidden]; a bed's row is its slot. batch_size means nothing here: the kernel takes a
    few beats after the others.
    """

    def __init__(self, weights: Weights, slots: int, batch_size: int = 256) -> None:
        self.weights, self.batch_size, self.device = weights, batch_size, DEVICE
        self.memory = np.zeros((weights.shape.parts, slots, weights.shape.memory), np.float32)
        self._net = CompiledNet(weights)

    @property
    def slots(self) -> int:
        """Beds there is room for."""
        return self.memory.shape[1]

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their memory."""
        more = slots - self.slots
        if more > 0:
            self.memory = np.pad(self.memory, ((0, 0), (0, more), (0, 0)))

    def reset(self, slots: NDArray[np.int64]) -> None:
        """Empty the memory of these slots."""
        self.memory[:, slots] = 0

    def save(self, slot: int) -> NDArray[np.float32]:
        """A copy of one bed's memory: float32 [parts, hidden]."""
        return self.memory[:, slot].copy()

    def restore(self, slot: int, saved: NDArray[np.float32]) -> None:
        """Put back what `save` gave, in this slot or another one. Raises ValueError where it does not fit."""
        self.memory[:, slot] = checked(saved, self.memory.shape[0], self.memory.shape[2])

    def recall(self, slot: int) -> list[float]:
        """One bed's carried hidden state."""
        values: list[float] = self.memory[0, slot].tolist()
        return values

    def warm_up(self) -> None:
        """Nothing waits: the kernel is loaded."""

    def infer(self, beats: Beats) -> Verdicts:
        """Classify beats (each slot's in order) and carry every bed's memory on."""
        return Verdicts(*self._net.classify(beats.windows, beats.features, beats.slot, self.memory[0]))
