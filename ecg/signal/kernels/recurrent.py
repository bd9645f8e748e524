"""A beat through convolutions, a GRU in both directions and one GRU step of its memory: plain arrays, beat by beat.

For few beats: a library's call costs more than their arithmetic. Inner loops run over outputs, so that they are
vectors without sums being reordered; each beat's numbers are the same whatever stands beside it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit


class Weights(NamedTuple):
    """Weights, float32, inputs first: [taps, in, out] of convolutions, [in, out] of all others; biases [out].

    first, second: convolutions of stride 2. ways: [2, in, 3 * size], forwards and backwards; gates in the order reset,
    keep, new. squeeze, head: linear. memory: of the GRU over beats.
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


ONE = np.float32(1)
TWO = np.float32(2)


@njit(cache=True, nogil=True, error_model="numpy")
def _linear(values: Any, weights: Any, bias: Any, out: Any) -> None:
    out[:] = bias
    for place in range(weights.shape[0]):
        value = values[place]
        for column in range(weights.shape[1]):
            out[column] += value * weights[place, column]


@njit(cache=True, nogil=True, error_model="numpy")
def _convolve(steps: Any, weights: Any, bias: Any, out: Any) -> None:
    """Stride 2, as many zeros before the first step as half of the taps, and ReLU. steps: [time, in]."""
    taps, before = weights.shape[0], weights.shape[0] // 2
    for time in range(out.shape[0]):
        row = out[time]
        row[:] = bias
        for tap in range(taps):
            place = 2 * time + tap - before
            if 0 <= place < steps.shape[0]:
                for channel in range(weights.shape[1]):
                    value = steps[place, channel]
                    for column in range(weights.shape[2]):
                        row[column] += value * weights[tap, channel, column]
        for column in range(weights.shape[2]):
            row[column] = max(row[column], np.float32(0))


@njit(cache=True, nogil=True, error_model="numpy")
def _gru(inputs: Any, hidden: Any, carried: Any, bias: Any, work: Any) -> None:
    """One step of a GRU. inputs: what the inputs give to the gates, biases included. hidden: before and after it."""
    size = len(hidden)
    _linear(hidden, carried, bias, work)
    for place in range(2 * size):
        work[place] = ONE / (ONE + np.exp(-(inputs[place] + work[place])))
    for place in range(size):
        new = inputs[2 * size + place] + work[place] * work[2 * size + place]
        new = ONE - TWO / (np.exp(TWO * new) + ONE)
        hidden[place] = new + work[size + place] * (hidden[place] - new)


@njit(cache=True, nogil=True, error_model="numpy")
def classify(weights: Weights, windows: Any, features: Any, slots: Any, memory: Any, out: Any) -> None:
    """Beats, each slot's in order. memory: float32 [slots, hidden], carried on. out: probabilities [m, classes] and how
    far each beat moved its memory [m].
    """
    probabilities, moved = out
    length, size = windows.shape[2], weights.ways_carried.shape[1]
    steps = np.empty((length, windows.shape[1]), np.float32)
    first = np.empty(((length + 1) // 2, weights.first.shape[2]), np.float32)
    second = np.empty(((first.shape[0] + 1) // 2, weights.second.shape[2]), np.float32)
    gates, work = np.empty(3 * size, np.float32), np.empty(3 * size, np.float32)
    hidden, pooled = np.empty(size, np.float32), np.empty(2 * size, np.float32)
    narrow, told = weights.squeeze.shape[1], weights.memory.shape[0]
    kept = memory.shape[1]
    inputs, both = np.empty(told, np.float32), np.empty(kept + told, np.float32)
    memory_gates, memory_work = np.empty(3 * kept, np.float32), np.empty(3 * kept, np.float32)
    logits = np.empty(weights.head.shape[1], np.float32)
    for beat in range(len(slots)):
        for channel in range(windows.shape[1]):
            for time in range(length):
                steps[time, channel] = windows[beat, channel, time]
        _convolve(steps, weights.first, weights.first_bias, first)
        _convolve(first, weights.second, weights.second_bias, second)
        for way in range(2):
            hidden[:] = 0
            most = pooled[way * size : (way + 1) * size]
            most[:] = -np.inf
            for step in range(second.shape[0]):
                time = step if way == 0 else second.shape[0] - 1 - step
                _linear(second[time], weights.ways[way], weights.ways_bias[way], gates)
                _gru(gates, hidden, weights.ways_carried[way], weights.ways_carried_bias[way], work)
                for place in range(size):
                    most[place] = max(most[place], hidden[place])
        _linear(pooled, weights.squeeze, weights.squeeze_bias, inputs[:narrow])
        for place in range(narrow):
            inputs[place] = np.tanh(inputs[place])
        inputs[narrow:] = features[beat]

        row = memory[slots[beat]]
        both[:kept] = row
        _linear(inputs, weights.memory, weights.memory_bias, memory_gates)
        _gru(memory_gates, row, weights.memory_carried, weights.memory_carried_bias, memory_work)
        change = np.float32(0)
        for place in range(kept):
            change += (row[place] - both[place]) * (row[place] - both[place])
        moved[beat] = np.sqrt(change)
        both[:kept] = row
        both[kept:] = inputs
        _linear(both, weights.head, weights.head_bias, logits)
        highest = logits.max()
        total = np.float32(0)
        for place in range(len(logits)):
            logits[place] = np.exp(logits[place] - highest)
            total += logits[place]
        for place in range(len(logits)):
            probabilities[beat, place] = logits[place] / total
