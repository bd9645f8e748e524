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

LANES: Final = 16
"""Outputs that the kernel computes side by side."""

Arrays = NDArray[np.float32]


def able(shape: NetShape) -> bool:
    """Is there a kernel for networks of this shape, compiled? They must be GRUs that carry their memory."""
    return shape.cell == "gru" and shape.carried and compiled.kernels() is not None


class CompiledNet:
    """Weights as the kernel takes them. Only where `able`."""

    def __init__(self, weights: Weights) -> None:
        arrays, kinds, shape = weights.arrays, ("weight_ih", "bias_ih", "weight_hh", "bias_hh"), weights.shape
        first, second = arrays["stem.0.weight"], arrays["stem.2.weight"]
        ways = [{kind: arrays[f"reader.{kind}_l0{way}"] for kind in kinds} for way in ("", "_reverse")]
        memory = {kind: arrays[f"memory.{kind}_l0"] for kind in kinds}
        pooled = (shape.reader, shape.reader)
        self._classes = shape.classes
        self._weights = (
            _matrix(_taps(first), first.shape[2] * (first.shape[1],), full=False),
            _filled(arrays["stem.0.bias"]),
            _matrix(_taps(second), second.shape[2] * (second.shape[1],)),
            _filled(arrays["stem.2.bias"]),
            np.stack([_matrix(way["weight_ih"], (len(second),), 3) for way in ways]),
            np.stack([_filled(way["bias_ih"], 3) for way in ways]),
            np.stack([_matrix(way["weight_hh"], (shape.reader,), 3) for way in ways]),
            np.stack([_filled(way["bias_hh"], 3) for way in ways]),
            _matrix(arrays["squeeze.weight"], pooled),
            _filled(arrays["squeeze.bias"]),
            _matrix(memory["weight_ih"], (), 3),
            _filled(memory["bias_ih"], 3),
            _matrix(memory["weight_hh"], (shape.memory,), 3),
            _filled(memory["bias_hh"], 3),
            _matrix(arrays["head.weight"], (shape.memory,)),
            _filled(arrays["head.bias"]),
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
        return fast.classify(self._weights, windows, features, slots, memory, self._classes)


def _filled(values: Arrays, parts: int = 1) -> Arrays:
    """[..., out] with zeros behind each of so many parts of the outputs, so that they are multiples of LANES."""
    split = values.reshape(*values.shape[:-1], parts, -1)
    wide = np.pad(split, [(0, 0)] * (split.ndim - 1) + [(0, -split.shape[-1] % LANES)])
    return np.ascontiguousarray(wide.reshape(*values.shape[:-1], -1))


def _matrix(values: Arrays, inputs: tuple[int, ...], parts: int = 1, *, full: bool = True) -> Arrays:
    """[out, in] as [in, out], filled up as `_filled`. inputs: how many each of the first groups of inputs has that is
    outputs of such a matrix itself, where `full`, and so has zeros behind it.
    """
    rows, begin = [], 0
    for count in inputs:
        rows.append(np.pad(values.T[begin : begin + count], ((0, -count % LANES if full else 0), (0, 0))))
        begin += count
    return _filled(np.concatenate([*rows, values.T[begin:]]), parts)


def _taps(values: Arrays) -> Arrays:
    """[out, in, taps] as [out, taps * in]."""
    return values.transpose(0, 2, 1).reshape(len(values), -1)
