"""A look into a rhythm memory: its gates at a beat, and which past beat the present verdict rests on."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecg.model.network import BeatNet
from ecg.model.shape import Cell

GATES: Final[dict[Cell, tuple[str, ...]]] = {
    "rnn": (),
    "gru": ("reset", "update"),
    "lstm": ("input", "forget", "output"),
}
"""Names of the gates that `gates_of` gives, in that order. A plain RNN has none."""
PLACES: Final[dict[Cell, tuple[int, ...]]] = {"rnn": (), "gru": (0, 1), "lstm": (0, 1, 3)}
"""Where torch keeps their weights, in blocks of the hidden size."""


@torch.inference_mode()
def gates_of(net: BeatNet, inputs: Tensor, memory: Tensor) -> list[float]:
    """The mean of each gate over all units, 0 (shut) to 1 (open), while the memory reads one beat.

    inputs: float32 [bottleneck + features]. memory: float32 [parts, hidden], before that beat.
    """
    cell, size = net.shape.cell, net.shape.memory
    layer = net.memory
    driven = layer.weight_ih_l0 @ inputs + layer.bias_ih_l0 + layer.weight_hh_l0 @ memory[0] + layer.bias_hh_l0
    return [float(torch.sigmoid(driven[size * place : size * (place + 1)]).mean()) for place in PLACES[cell]]


@torch.inference_mode()
def occluded(net: BeatNet, inputs: Tensor, memory: Tensor) -> tuple[int, float, NDArray[np.float32]]:
    """The verdict on the last of some beats, and what it loses where the memory never read one of those before.

    inputs: float32 [beats, bottleneck + features], in order. memory: float32 [parts, hidden], before the first of them.
    Returns the class number, its probability, and float32 [beats - 1]: probability with the beat less that without it.
    A beat is left out of the memory alone: what it changed in the features of later beats stays.
    """
    count = len(inputs)
    whole = torch.softmax(net.remember(inputs[None], memory[:, None])[0][0, -1], dim=-1)
    cls = int(whole.argmax())
    if count < 2:
        return cls, float(whole[cls]), np.zeros(0, np.float32)
    places = torch.arange(count)
    others = torch.stack([places[places != one] for one in range(count - 1)])
    begun = memory[:, None].expand(-1, count - 1, -1).contiguous()
    without = torch.softmax(net.remember(inputs[others], begun)[0][:, -1], dim=-1)[:, cls]
    lost: NDArray[np.float32] = (whole[cls] - without).numpy()
    return cls, float(whole[cls]), lost
