"""One verdict on a beat from two leads: the weighted mean of the log-probabilities that the network gives each lead."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SECOND_WEIGHT: Final = 0.4
"""Weight of the lead that does not lead; chosen on SVDB and DS1 by patient (docs/training/journal-patients.md)."""
LEAST: Final = 1e-9


def fused(
    leading: NDArray[np.float32], second: NDArray[np.float32], weight: float = SECOND_WEIGHT
) -> NDArray[np.float32]:
    """Probabilities of beats from those of their two leads: float32 [m, classes] each. weight: of the second."""
    logits = (1 - weight) * np.log(np.maximum(leading, LEAST)) + weight * np.log(np.maximum(second, LEAST))
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    made: NDArray[np.float32] = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return made
