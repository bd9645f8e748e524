"""Beats through convolutions, a GRU in both directions and a step of their memories' GRU: plain arrays, no library.

Each beat's numbers are the same whatever stands beside it: several are taken together so that a weight is read once for
all of them, and each adds in the same order as alone.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from ecg.signal.kernels.dense import FOUR, gru, rows

TOGETHER: Final = 32
"""Beats whose memories take a step together."""
NONE: Final = np.float32(-np.inf)
TAPS = 7, 5
"""Of the two convolutions, as `ecg.model.network.BeatNet` has them."""


class Weights(NamedTuple):
    """Weights, float32, inputs first: [taps * in, out] of convolutions, [in, out] of all others; biases [out].

    first, second: convolutions of stride 2. ways: [2, in, 3 * size], forwards and backwards; gates in the order reset,
    keep, new. squeeze, head: linear. memory: of the GRU over beats. Outputs are filled up with zeros to multiples of
    `vectors.LANES` (those of GRUs gate by gate), and with them the inputs that they are.
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
def _shares(logits: Any, out: Any) -> None:
    """Probabilities of logits."""
    highest, total = logits.max(), np.float32(0)
    for place in range(len(logits)):
        logits[place] = np.exp(logits[place] - highest)
        total += logits[place]
    for place in range(len(logits)):
        out[place] = logits[place] / total


@njit(cache=True, nogil=True, error_model="numpy")
def _read(weights: Weights, windows: Any, pooled: Any) -> None:
    """The highest of what both ways make of windows: [n, channels, window] -> [n, 2 * size]."""
    total, channels, length = windows.shape
    size, width = weights.ways_carried.shape[1], weights.first.shape[1]
    before, around = TAPS[0] // 2, TAPS[1] // 2
    count = (length + 1) // 2
    steps = np.zeros((length + TAPS[0] + 1, channels), np.float32)
    first = np.zeros((count + TAPS[1] + 1, width), np.float32)
    second = np.empty(((count + 1) // 2, weights.second.shape[1]), np.float32)
    given = np.empty((2, FOUR, len(second), 3 * size), np.float32)
    hidden, highest = np.empty((2, FOUR * size), np.float32), np.empty(FOUR * size, np.float32)
    flat, at, nothing = given.reshape(-1), np.empty(FOUR, np.int64), np.float32(0)
    for begin in range(0, total, FOUR):
        some = min(FOUR, total - begin)
        for beat in range(some):
            for channel in range(channels):
                for time in range(length):
                    steps[before + time, channel] = windows[begin + beat, channel, time]
            rows(
                steps.reshape(-1),
                2 * channels,
                weights.first,
                weights.first_bias,
                nothing,
                first[around : around + count],
            )
            rows(first.reshape(-1), 2 * width, weights.second, weights.second_bias, nothing, second)
            for way in range(2):
                rows(
                    second.reshape(-1),
                    second.shape[1],
                    weights.ways[way],
                    weights.ways_bias[way],
                    NONE,
                    given[way, beat],
                )
        for way in range(2):
            carried, bias = weights.ways_carried[way].reshape(-1), weights.ways_carried_bias[way]
            hidden[0], highest[:] = 0, NONE
            for step in range(len(second)):
                time = step if way == 0 else len(second) - 1 - step
                for beat in range(FOUR):  # where there are fewer beats, the first again
                    at[beat] = ((way * FOUR + (beat if beat < some else 0)) * len(second) + time) * 3 * size
                gru(flat, at, carried, bias, hidden[step % 2], hidden[(step + 1) % 2], highest)
            for beat in range(some):
                pooled[begin + beat, way * size : (way + 1) * size] = highest[beat * size : (beat + 1) * size]


@njit(cache=True, nogil=True, error_model="numpy")
def _turns(slots: Any, beds: int) -> tuple[Any, Any]:
    """Beats in an order in which every slot's first ones stand before the second ones of all, and where those begin."""
    seen, rank = np.zeros(beds, np.int64), np.empty(len(slots), np.int64)
    for beat in range(len(slots)):
        rank[beat] = seen[slots[beat]]
        seen[slots[beat]] += 1
    edges = np.zeros(seen.max() + 1, np.int64)
    for beat in range(len(slots)):
        edges[rank[beat] + 1] += 1
    edges = np.cumsum(edges)
    order, place = np.empty(len(slots), np.int64), edges.copy()
    for beat in range(len(slots)):
        order[place[rank[beat]]] = beat
        place[rank[beat]] += 1
    return order, edges


@njit(cache=True, nogil=True, error_model="numpy")
def _remember(weights: Weights, inputs: Any, slots: Any, beats: Any, memory: Any, work: tuple[Any, ...]) -> None:
    """A step of the memories of these beats, no two of one slot. inputs: of the memory, [m, in]. work: as there."""
    given, before, after, highest, both, logits, moved = work
    count, size, kept = len(beats), len(weights.memory_carried_bias) // 3, memory.shape[1]
    told, at = both[:count, size:], np.empty(FOUR, np.int64)
    for place in range(count):
        told[place] = inputs[beats[place]]
    rows(both.reshape(-1)[size:], both.shape[1], weights.memory, weights.memory_bias, NONE, given[:count])
    flat, carried = given.reshape(-1), weights.memory_carried.reshape(-1)
    for begin in range(0, count, FOUR):
        some = min(FOUR, count - begin)
        for beat in range(some):
            before[beat * size : beat * size + kept] = memory[slots[beats[begin + beat]]]
            at[beat] = (begin + beat) * 3 * size
        at[some:] = at[0]
        gru(flat, at, carried, weights.memory_carried_bias, before, after, highest)
        for beat in range(some):
            row, number = memory[slots[beats[begin + beat]]], beats[begin + beat]
            fresh, change = after[beat * size : (beat + 1) * size], np.float32(0)
            for place in range(kept):
                change += (fresh[place] - row[place]) * (fresh[place] - row[place])
                row[place] = fresh[place]
            moved[number] = np.sqrt(change)
            both[begin + beat, :size] = fresh
    rows(both.reshape(-1), both.shape[1], weights.head, weights.head_bias, NONE, logits[:count])


@njit(cache=True, nogil=True, error_model="numpy")
def classify(weights: Weights, windows: Any, features: Any, slots: Any, memory: Any, out: Any) -> None:
    """Beats, each slot's in order. memory: float32 [slots, hidden], carried on. out: probabilities [m, classes] and how
    far each beat moved its memory [m].
    """
    probabilities, moved = out
    total, classes, size = len(slots), probabilities.shape[1], len(weights.memory_carried_bias) // 3
    narrow = weights.memory.shape[0] - features.shape[1]
    pooled = np.empty((total, weights.squeeze.shape[0]), np.float32)
    _read(weights, windows, pooled)
    squeezed = np.empty((total, weights.squeeze.shape[1]), np.float32)
    rows(pooled.reshape(-1), pooled.shape[1], weights.squeeze, weights.squeeze_bias, NONE, squeezed)
    inputs = np.empty((total, weights.memory.shape[0]), np.float32)
    for beat in range(total):
        for place in range(narrow):
            inputs[beat, place] = np.tanh(squeezed[beat, place])
        inputs[beat, narrow:] = features[beat]
    room = min(TOGETHER, total)
    logits = np.empty((room, weights.head.shape[1]), np.float32)
    work = (
        np.empty((room, 3 * size), np.float32),
        np.zeros(FOUR * size, np.float32),
        np.empty(FOUR * size, np.float32),
        np.zeros(FOUR * size, np.float32),
        np.empty((room, weights.head.shape[0]), np.float32),
        logits,
        moved,
    )
    order, edges = _turns(slots, len(memory))
    for turn in range(len(edges) - 1):
        for begin in range(edges[turn], edges[turn + 1], TOGETHER):
            beats = order[begin : min(begin + TOGETHER, edges[turn + 1])]
            _remember(weights, inputs, slots, beats, memory, work)
            for place in range(len(beats)):
                _shares(logits[place, :classes], probabilities[beats[place]])
