"""The network on a CPU, compiled, without the library that it was fitted with: NumPy arrays in and out.

In the kernel (`ecg.signal.kernels.recurrent`) a beat's numbers do not depend on those beside it; they differ from the
library's by rounding, less than 1e-5 in any probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.model.shape import NetShape
from ecg.model.weights import Weights
from ecg.signal import compiled

AT_A_TIME: Final = 8
"""Inputs that the kernel takes together."""

Arrays = NDArray[np.float32]


def able(shape: NetShape) -> bool:
    """Is there a kernel for networks of this shape, compiled? They must be GRUs that carry their memory."""
    return shape.cell == "gru" and shape.carried and compiled.kernels() is not None


class CompiledNet:
    """Weights as the kernel takes them. Only where `able`."""

    def __init__(self, weights: Weights) -> None:
        arrays, kinds = weights.arrays, ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        self._weights = (
            _taps(arrays["stem.0.weight"]),
            arrays["stem.0.bias"],
            _taps(arrays["stem.2.weight"]),
            arrays["stem.2.bias"],
            *(
                np.stack([_inputs_first(arrays[f"reader.{kind}_l0{way}"]) for way in ("", "_reverse")])
                for kind in kinds
            ),
            _inputs_first(arrays["squeeze.weight"]),
            arrays["squeeze.bias"],
            *(_inputs_first(arrays[f"memory.{kind}_l0"]) for kind in kinds),
            _inputs_first(arrays["head.weight"]),
            arrays["head.bias"],
        )

    def classify(
        self, windows: Arrays, features: Arrays, slots: NDArray[np.int64], memory: Arrays
    ) -> tuple[Arrays, Arrays]:
        """Probabilities [m, classes] of beats, and how far each moved its bed's memory [m].

        windows: [m, channels, window]. features: [m, features]. slots: [m], each one's beats in order. memory:
        [slots, hidden], carried on in place.
        """
        fast = compiled.kernels()
        assert fast is not None
        return fast.classify(self._weights, windows, features, slots, memory)


def _inputs_first(values: Arrays) -> Arrays:
    """[out, in] as [in, out]; [out] as it is."""
    return np.ascontiguousarray(values.T)


def _taps(values: Arrays) -> Arrays:
    """[out, in, taps] as [taps * in, out], with rows of zeros up to a multiple of the inputs taken at a time."""
    rows = values.transpose(2, 1, 0).reshape(-1, len(values))
    return np.pad(rows, ((0, -len(rows) % AT_A_TIME), (0, 0)))
