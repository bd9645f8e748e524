"""Beats found by the signal path, as a struct of arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ecg.signal.features import FEATURES, columns
from ecg.signal.windows import CHANNELS, WINDOW


@dataclass(slots=True, kw_only=True)
class Beats:
    """Beats found in one step, sorted by slot, in order of their R-peaks within each.

    slot: int64 [m], the lead's row. at: int64 [m], where the detector saw it, samples at the model's rate: leads of
    one bed have their rows of one beat in common there. index: int64 [m], R-peak, samples at the bed's own rate.
    ready: int64 [m], the last sample (own rate) that the beat's window needed.
    windows: float32 [m, CHANNELS, WINDOW]. features: float32 [m, len(FEATURES)].
    rr_ms, heart_rate: float32 [m], NaN for a bed's first beat; heart_rate in 1/min over up to 8 beats.
    paced: bool [m], whether it answers a pacemaker's spike.
    """

    slot: NDArray[np.int64]
    at: NDArray[np.int64]
    index: NDArray[np.int64]
    ready: NDArray[np.int64]
    windows: NDArray[np.float32]
    features: NDArray[np.float32]
    rr_ms: NDArray[np.float32]
    heart_rate: NDArray[np.float32]
    paced: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.slot)

    def feature(self, name: str) -> NDArray[np.float32]:
        """One feature by name: float32 [m]. Raises ValueError for an unknown name."""
        return self.features[:, columns([name])[0]]

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Beats:
        """The chosen beats, by position or mask."""
        return Beats(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @staticmethod
    def join(parts: list[Beats]) -> Beats:
        """All beats of several steps or groups, sorted by slot, each slot's in the order given."""
        if not parts:
            return Beats.none()
        if len(parts) == 1:
            return parts[0]
        whole = Beats(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Beats)})
        return whole.take(np.argsort(whole.slot, kind="stable"))

    @staticmethod
    def none() -> Beats:
        """No beats."""
        whole = np.zeros(0, np.int64)
        real = np.zeros(0, np.float32)
        return Beats(
            slot=whole,
            at=whole,
            index=whole,
            ready=whole,
            windows=np.zeros((0, CHANNELS, WINDOW), np.float32),
            features=np.zeros((0, len(FEATURES)), np.float32),
            rr_ms=real,
            heart_rate=real,
            paced=np.zeros(0, bool),
        )
