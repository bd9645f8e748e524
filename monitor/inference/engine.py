"""The network over all beds, whatever computes it: each bed's memory in a row of its own, and passes over beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecg.model.weights import Weights
from ecg.signal.beats import Beats


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the network says of beats, in their order.

    probabilities: float32 [m, classes]. moved: float32 [m], how far each beat moved its bed's memory (L2).
    """

    probabilities: NDArray[np.float32]
    moved: NDArray[np.float32]


class Engine(Protocol):
    """Carried memory of up to `slots` beds, and the network over whatever beats are ready. One thread at a time.

    device: its name. batch_size: beats in one pass at most.
    """

    device: str
    batch_size: int

    @property
    def weights(self) -> Weights:
        """Of the network."""

    @property
    def slots(self) -> int:
        """Beds there is room for."""

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their memory."""

    def reset(self, slots: NDArray[np.int64]) -> None:
        """Empty the memory of these slots."""

    def save(self, slot: int) -> NDArray[np.float32]:
        """A copy of one bed's memory: float32 [parts, hidden]."""

    def restore(self, slot: int, saved: NDArray[np.float32]) -> None:
        """Put back what `save` gave, in this slot or another one. Raises ValueError where it does not fit."""

    def recall(self, slot: int) -> list[float]:
        """One bed's carried hidden state."""

    def warm_up(self) -> None:
        """Have everything ready, so that no bed's first beat waits for it. It leaves no trace."""

    def infer(self, beats: Beats) -> Verdicts:
        """Classify beats (sorted by slot, each slot's in order) and carry every bed's memory on."""


def checked(saved: NDArray[np.float32], parts: int, hidden: int) -> NDArray[np.float32]:
    """One bed's memory, as `save` gave it. Raises ValueError where it does not fit."""
    if saved.shape != (parts, hidden) or saved.dtype != np.float32 or not np.isfinite(saved).all():
        raise ValueError(f"a memory of {saved.shape} values, not {(parts, hidden)}")
    return saved
