"""Chunks of the signal of many leads, one behind the other, as compiled code takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOTHING = np.zeros(0, np.float32)

Joined = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Chunks one behind the other, float32; and where each begins and the last ends."""


class Chunks(list[NDArray[np.float32]]):
    """Chunks that do not change any more once somebody has asked for them joined: that is done once for all."""

    _joined: Joined | None = None

    def joined(self) -> Joined:
        """All of them, one behind the other."""
        if self._joined is None:
            self._joined = joined(self)
        return self._joined


def joined(chunks: list[NDArray[np.float32]]) -> Joined:
    """Chunks one behind the other."""
    edges = np.zeros(len(chunks) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, chunks), np.int64, len(chunks)), out=edges[1:])
    return np.concatenate([NOTHING, *chunks], dtype=np.float32, casting="same_kind"), edges
