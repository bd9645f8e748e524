"""What a network's own probabilities are worth: how little an early S is, and which letters are unsure.

Both are chosen on patients held out of the fit and stand on the card of the weights.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from ecg.records.aami import CLASSES

EARLY_SECONDS: Final = 30.0
"""So long a patient is new: what is usual for the bed is hardly known."""
SUPRAVENTRICULAR: Final = CLASSES.index("S")


class Doubt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """unsure_below: a letter of less probability is unsure; 0: none was chosen.

    early_s: what the odds of S are worth in the first EARLY_SECONDS of a bed's memory, as a share of what the network
    says; 1: as it says.
    """

    unsure_below: Annotated[float, Meta(ge=0, le=1)] = 0.0
    early_s: Annotated[float, Meta(gt=0, le=1)] = 1.0

    def weigh(self, probabilities: NDArray[np.float32], seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """The probabilities as they are believed: float32 [n, classes]. seconds: [n], of each beat since its bed's
        memory began.
        """
        early = seconds < EARLY_SECONDS
        if self.early_s == 1 or not early.any():
            return probabilities
        believed = probabilities.copy()
        believed[early, SUPRAVENTRICULAR] *= np.float32(self.early_s)
        believed[early] /= believed[early].sum(axis=1, keepdims=True)
        return believed


NONE: Final = Doubt()
"""Probabilities as they come, and no letter unsure by them."""
