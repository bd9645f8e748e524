"""Beats through convolutions, a GRU in both directions and a step of their memories' GRU: plain arrays, no library.

Each beat's numbers are the same whatever stands beside it: several are taken together so that a weight is read once for
all of them, and each adds in the same order as alone.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from ecg.signal.kernels.dense import gru, linear, rows

TOGETHER: Final = 4
"""Beats taken together."""
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
    rows(steps.reshape(-1), 2 * steps.shape[1], weights, bias, out)
    for time in range(out.shape[0]):
        row = out[time]
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
def _read(weights: Weights, windows: Any, out: Any) -> None:
    """What the memories get of windows: [n, channels, window] -> [n, squeeze], TOGETHER at a time."""
    total, channels, length = windows.shape
    size, width = weights.ways_carried.shape[1], weights.first.shape[1]
    before, around = TAPS[0] // 2, TAPS[1] // 2
    count = (length + 1) // 2
    steps = np.zeros((length + weights.first.shape[0] // channels + 1, channels), np.float32)
    first = np.zeros((count + weights.second.shape[0] // width + 1, width), np.float32)
    second = np.empty(((count + 1) // 2, weights.second.shape[1]), np.float32)
    given = np.empty((2, TOGETHER, len(second), 3 * size), np.float32)
    told, hidden = np.empty((TOGETHER, 3 * size), np.float32), np.empty((TOGETHER, size), np.float32)
    pooled = np.empty((TOGETHER, 2 * size), np.float32)
    gates, bits = np.empty(2 * size, np.float32), np.empty(2 * size, np.int32)
    for begin in range(0, total, TOGETHER):
        some = min(TOGETHER, total - begin)
        for beat in range(some):
            for channel in range(channels):
                for time in range(length):
                    steps[before + time, channel] = windows[begin + beat, channel, time]
            _convolve(steps, weights.first, weights.first_bias, first[around : around + count])
            _convolve(first, weights.second, weights.second_bias, second)
            for way in range(2):
                rows(second.reshape(-1), second.shape[1], weights.ways[way], weights.ways_bias[way], given[way, beat])
        pooled[:] = -np.inf
        for way in range(2):
            carried, bias = weights.ways_carried[way], weights.ways_carried_bias[way]
            hidden[:] = 0
            for step in range(len(second)):
                time = step if way == 0 else len(second) - 1 - step
                rows(hidden.reshape(-1), size, carried, bias, told[:some])
                for beat in range(some):
                    most = pooled[beat, way * size : (way + 1) * size]
                    gru(given[way, beat, time], told[beat], hidden[beat], most, gates, bits)
        rows(pooled.reshape(-1), 2 * size, weights.squeeze, weights.squeeze_bias, out[begin : begin + some])
        for beat in range(begin, begin + some):
            for place in range(out.shape[1]):
                out[beat, place] = np.tanh(out[beat, place])


@njit(cache=True, nogil=True, error_model="numpy")
def classify(weights: Weights, windows: Any, features: Any, slots: Any, memory: Any, out: Any) -> None:
    """Beats, each slot's in order. memory: float32 [slots, hidden], carried on. out: probabilities [m, classes] and how
    far each beat moved its memory [m].
    """
    probabilities, moved = out
    total, kept, narrow = len(slots), memory.shape[1], weights.squeeze.shape[1]
    read = np.empty((total, narrow), np.float32)
    _read(weights, windows, read)
    given = np.empty((TOGETHER, 3 * kept), np.float32)
    told, before = np.empty((TOGETHER, 3 * kept), np.float32), np.empty((TOGETHER, kept), np.float32)
    inputs, highest = np.empty((TOGETHER, weights.memory.shape[0]), np.float32), np.zeros(kept, np.float32)
    gates, bits = np.empty(2 * kept, np.float32), np.empty(2 * kept, np.int32)
    both, logits = np.empty(weights.head.shape[0], np.float32), np.empty(weights.head.shape[1], np.float32)
    for begin in range(0, total, TOGETHER):
        some = min(TOGETHER, total - begin)
        for beat in range(some):
            inputs[beat, :narrow] = read[begin + beat]
            inputs[beat, narrow:] = features[begin + beat]
            before[beat] = memory[slots[begin + beat]]
        rows(inputs.reshape(-1), inputs.shape[1], weights.memory, weights.memory_bias, given[:some])
        apart = True
        for beat in range(begin + 1, begin + some):
            for earlier in range(begin, beat):
                apart &= slots[beat] != slots[earlier]
        if apart:
            rows(before.reshape(-1), kept, weights.memory_carried, weights.memory_carried_bias, told[:some])
        for beat in range(some):
            row = memory[slots[begin + beat]]
            if not apart:  # a beat before it may have moved this memory
                before[beat] = row
                linear(row, weights.memory_carried, weights.memory_carried_bias, told[beat])
            gru(given[beat], told[beat], row, highest, gates, bits)
            change = np.float32(0)
            for place in range(kept):
                change += (row[place] - before[beat, place]) * (row[place] - before[beat, place])
            moved[begin + beat] = np.sqrt(change)
            both[:kept] = row
            both[kept:] = inputs[beat]
            linear(both, weights.head, weights.head_bias, logits)
            _shares(logits, probabilities[begin + beat])
