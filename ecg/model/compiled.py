"""The network over few beats on a CPU, compiled: a library's calls cost more than their arithmetic.

The kernel (`ecg.signal.kernels.recurrent`) takes beat by beat: a beat's numbers do not depend on those beside it, and
differ from the library's by rounding, less than 1e-5 in any probability.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ecg.model.network import BeatNet
from ecg.signal import compiled

FEW: Final = 192
"""Beats up to which the kernel is taken: with more the library's calls cost little beside their arithmetic."""

AT_A_TIME: Final = 8
"""Inputs that the kernel takes together."""

Arrays = NDArray[np.float32]


def able(net: BeatNet) -> bool:
    """Is there a kernel for this network, compiled? It must be a GRU on a CPU that carries its memory."""
    on_cpu = net.squeeze.weight.device.type == "cpu"
    return on_cpu and net.shape.cell == "gru" and net.shape.carried and compiled.kernels() is not None


class CompiledNet:
    """A network's weights as the kernel takes them, at the time of construction. Only where `able`."""

    def __init__(self, net: BeatNet) -> None:
        stem: tuple[Any, ...] = tuple(net.stem)
        first, second = stem[0], stem[2]
        ways = ("", "_reverse")
        self._weights = (
            _taps(first.weight),
            _array(first.bias),
            _taps(second.weight),
            _array(second.bias),
            *(
                np.stack([_inputs_first(getattr(net.reader, f"{name}_l0{way}")) for way in ways])
                for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
            ),
            _inputs_first(net.squeeze.weight),
            _array(net.squeeze.bias),
            *(
                _inputs_first(getattr(net.memory, f"{name}_l0"))
                for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
            ),
            _inputs_first(net.head.weight),
            _array(net.head.bias),
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


def _array(values: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(values.detach().numpy().astype(np.float32))


def _inputs_first(values: Tensor) -> NDArray[Any]:
    """[out, in] as [in, out]; [out] as it is."""
    return np.ascontiguousarray(_array(values).T)


def _taps(values: Tensor) -> NDArray[Any]:
    """[out, in, taps] as [taps * in, out], with rows of zeros up to a multiple of the inputs taken at a time."""
    rows = _array(values).transpose(2, 1, 0).reshape(-1, len(values))
    return np.pad(rows, ((0, -len(rows) % AT_A_TIME), (0, 0)))
