"""Which engine computes a network here: the compiled kernel's, or the library's where it must be."""

from __future__ import annotations

from ecg.errors import UserError
from ecg.model.compiled import able
from ecg.model.weights import Weights
from monitor.inference.arrays import DEVICE, ArrayEngine
from monitor.inference.engine import Engine


def engine(
    weights: Weights,
    device: str,
    slots: int,
    batch_size: int = 256,
    *,
    graphs: bool = True,
    bfloat16: bool = False,
) -> Engine:
    """The quickest engine for these weights on this device, a name as `ecg.model.device.device_name` gives it.

    Torch is imported here, and nowhere else in a monitor that nobody studies a bed with: for a GPU, for other cells
    than GRUs, and where kernels are not compiled. graphs, bfloat16: `cuda_graphs` and `bfloat16` of [model]. Raises
    UserError where bfloat16 is wanted and not to be had.
    """
    staged = graphs and device.startswith("cuda")
    if bfloat16 and not staged:
        raise UserError("[model] bfloat16 needs a CUDA device and cuda_graphs = true; set it to false")
    if device == DEVICE and able(weights.shape):
        return ArrayEngine(weights, slots, batch_size)
    from monitor.inference.tensors import TensorEngine

    return TensorEngine.of(weights, device, slots, batch_size, staged=staged, bfloat16=bfloat16)
