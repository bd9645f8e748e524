"""A beat through convolutions, a GRU in both directions and one GRU step of its memory: plain arrays, beat by beat.

Each beat's numbers are the same whatever stands beside it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal.kernels.dense import gru, linear

TAPS = 7, 5
"""Of the two convolutions, as `ecg.model.network.BeatNet` has them."""


class Weights(NamedTuple):
    """Weights, float32, inputs first: [taps * in, out] of convolutions, [in, out] of all others; biases [out].

    first, second: convolutions of stride 2, perhaps with rows of zeros behind the others. ways: [2, in, 3 * size],
    forwards and backwards; gates in the order reset, keep, new. squeeze, head: linear. memory: of the GRU over beats.
    """

    first: Any
    first_bias: Any
    second: Any
    second_bias: Any
    ways: Any
    ways_bias: Any
    ways_carried: Any
    ways_carried_bias: Any
    squeeze: Any
    squeeze_bias: Any
    memory: Any
    memory_bias: Any
    memory_carried: Any
    memory_carried_bias: Any
    head: Any
    head_bias: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _convolve(steps: Any, weights: Any, bias: Any, out: Any) -> None:
    """Stride 2 and ReLU. steps: [time, in], with zeros before the first and enough of them behind the last step."""
    taken, width = weights.shape[0], steps.shape[1]
    flat = steps.reshape(-1)
    for time in range(out.shape[0]):
        row = out[time]
        linear(flat[2 * time * width : 2 * time * width + taken], weights, bias, row)
        for column in range(len(row)):
            row[column] = max(row[column], np.float32(0))


@njit(cache=True, nogil=True, error_model="numpy")
def _shares(logits: Any, out: Any) -> None:
    """Probabilities of logits."""
    highest, total = logits.max(), np.float32(0)
    for place in range(len(logits)):
        logits[place] = np.exp(logits[place] - highest)
        total += logits[place]
    for place in range(len(logits)):
        out[place] = logits[place] / total


@njit(cache=True, nogil=True, error_model="numpy")
def classify(weights: Weights, windows: Any, features: Any, slots: Any, memory: Any, out: Any) -> None:
    """Beats, each slot's in order. memory: float32 [slots, hidden], carried on. out: probabilities [m, classes] and how
    far each beat moved its memory [m].
    """
    probabilities, moved = out
    channels, length = windows.shape[1], windows.shape[2]
    size, kept = weights.ways_carried.shape[1], memory.shape[1]
    before = TAPS[0] // 2
    steps = np.zeros((length + weights.first.shape[0] // channels + 1, channels), np.float32)
    count, width = (length + 1) // 2, weights.first.shape[1]
    around = TAPS[1] // 2
    first = np.zeros((count + weights.second.shape[0] // width + 1, width), np.float32)
    second = np.empty(((count + 1) // 2, weights.second.shape[1]), np.float32)
    wide = 3 * max(size, kept)
    gates, work, bits = np.empty(wide, np.float32), np.empty((2, wide), np.float32), np.empty(wide, np.int32)
    hidden, pooled = np.empty(size, np.float32), np.empty(2 * size, np.float32)
    narrow, told = weights.squeeze.shape[1], weights.memory.shape[0]
    inputs, both, highest = np.empty(told, np.float32), np.empty(kept + told, np.float32), np.zeros(kept, np.float32)
    logits = np.empty(weights.head.shape[1], np.float32)
    for beat in range(len(slots)):
        for channel in range(channels):
            for time in range(length):
                steps[before + time, channel] = windows[beat, channel, time]
        _convolve(steps, weights.first, weights.first_bias, first[around : around + count])
        _convolve(first, weights.second, weights.second_bias, second)
        for way in range(2):
            hidden[:] = 0
            most = pooled[way * size : (way + 1) * size]
            most[:] = -np.inf
            for step in range(second.shape[0]):
                time = step if way == 0 else second.shape[0] - 1 - step
                linear(second[time], weights.ways[way], weights.ways_bias[way], gates)
                gru(gates, hidden, most, weights.ways_carried[way], weights.ways_carried_bias[way], work, bits)
        linear(pooled, weights.squeeze, weights.squeeze_bias, inputs[:narrow])
        for place in range(narrow):
            inputs[place] = np.tanh(inputs[place])
        inputs[narrow:] = features[beat]

        row = memory[slots[beat]]
        both[:kept] = row
        linear(inputs, weights.memory, weights.memory_bias, gates)
        gru(gates, row, highest, weights.memory_carried, weights.memory_carried_bias, work, bits)
        change = np.float32(0)
        for place in range(kept):
            change += (row[place] - both[place]) * (row[place] - both[place])
        moved[beat] = np.sqrt(change)
        both[:kept] = row
        both[kept:] = inputs
        linear(both, weights.head, weights.head_bias, logits)
        _shares(logits, probabilities[beat])
