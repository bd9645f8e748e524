"""Products of vectors with matrices, and steps of a GRU, compiled: loops that become vector instructions.

Inner loops run over outputs and each output adds its inputs one after the other, so what comes out does not depend on
what stands beside it. Exponentials are polynomials, right to 1e-7: a library's would be called value by value.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

ONE: Final = np.float32(1)
TWO: Final = np.float32(2)
HALF: Final = np.float32(0.5)
MOST: Final = np.float32(87)
"""The exponential of more, or of less than its negative, is no float32."""
PER_OCTAVE: Final = np.float32(1.4426950408889634)
OCTAVE: Final = np.float32(0.693359375)
OCTAVE_LESS: Final = np.float32(-2.12194440e-4)
"""ln 2 in two parts: the first has few digits, so that whole multiples of it are exact."""
A, B, C, D, E, F = (
    np.float32(value)
    for value in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
)
"""exp(r) = 1 + r + r^2 (F + E r + ...) for |r| up to ln(2) / 2: Cephes' polynomial (Moshier 1989)."""
ZERO_EXPONENT: Final = np.int32(127)
MANTISSA: Final = np.int32(23)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def linear(values: Any, weights: Any, bias: Any, out: Any) -> None:
    """out[m] = bias[m] + values[n] weights[n, m]: eight inputs at a time."""
    inputs, outputs = weights.shape
    for column in range(outputs):
        out[column] = bias[column]
    whole = inputs - inputs % 8
    for at in range(0, whole, 8):
        a, b, c, d = values[at], values[at + 1], values[at + 2], values[at + 3]
        e, f, g, h = values[at + 4], values[at + 5], values[at + 6], values[at + 7]
        for column in range(outputs):
            added = out[column] + a * weights[at, column]
            added += b * weights[at + 1, column]
            added += c * weights[at + 2, column]
            added += d * weights[at + 3, column]
            added += e * weights[at + 4, column]
            added += f * weights[at + 5, column]
            added += g * weights[at + 6, column]
            out[column] = added + h * weights[at + 7, column]
    for at in range(whole, inputs):
        value = values[at]
        for column in range(outputs):
            out[column] += value * weights[at, column]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _four(values: Any, weights: Any, bias: Any, out: Any) -> None:
    """`linear` of four rows, each weight read once for all of them; every output adds in the order of `linear`."""
    inputs, outputs = weights.shape
    v0, v1, v2, v3 = values
    o0, o1, o2, o3 = out
    for column in range(outputs):
        o0[column] = bias[column]
        o1[column] = bias[column]
        o2[column] = bias[column]
        o3[column] = bias[column]
    whole = inputs - inputs % 4
    for at in range(0, whole, 4):
        a0, a1, a2, a3 = v0[at], v0[at + 1], v0[at + 2], v0[at + 3]
        b0, b1, b2, b3 = v1[at], v1[at + 1], v1[at + 2], v1[at + 3]
        c0, c1, c2, c3 = v2[at], v2[at + 1], v2[at + 2], v2[at + 3]
        d0, d1, d2, d3 = v3[at], v3[at + 1], v3[at + 2], v3[at + 3]
        for column in range(outputs):
            w0, w1 = weights[at, column], weights[at + 1, column]
            w2, w3 = weights[at + 2, column], weights[at + 3, column]
            o0[column] = (((o0[column] + a0 * w0) + a1 * w1) + a2 * w2) + a3 * w3
            o1[column] = (((o1[column] + b0 * w0) + b1 * w1) + b2 * w2) + b3 * w3
            o2[column] = (((o2[column] + c0 * w0) + c1 * w1) + c2 * w2) + c3 * w3
            o3[column] = (((o3[column] + d0 * w0) + d1 * w1) + d2 * w2) + d3 * w3
    for at in range(whole, inputs):
        for column in range(outputs):
            weight = weights[at, column]
            o0[column] += v0[at] * weight
            o1[column] += v1[at] * weight
            o2[column] += v2[at] * weight
            o3[column] += v3[at] * weight


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def rows(values: Any, apart: int, weights: Any, bias: Any, out: Any) -> None:
    """`linear` of rows, four at a time, to the same bits. values: flat; each row begins `apart` behind the last one."""
    count, width = len(out), weights.shape[0]
    whole = count - count % 4
    for row in range(0, whole, 4):
        at = row * apart
        _four(
            (
                values[at : at + width],
                values[at + apart : at + apart + width],
                values[at + 2 * apart : at + 2 * apart + width],
                values[at + 3 * apart : at + 3 * apart + width],
            ),
            weights,
            bias,
            (out[row], out[row + 1], out[row + 2], out[row + 3]),
        )
    for row in range(whole, count):
        linear(values[row * apart : row * apart + width], weights, bias, out[row])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def _power(value: Any) -> tuple[Any, Any]:
    """exp(value) as 2^n and what it must be multiplied with: n + 127 in the place of a float's exponent, and that."""
    value = min(max(value, -MOST), MOST)
    octaves = np.floor(value * PER_OCTAVE + HALF)
    rest = value - octaves * OCTAVE
    rest = rest - octaves * OCTAVE_LESS
    near = A
    near = near * rest + B
    near = near * rest + C
    near = near * rest + D
    near = near * rest + E
    near = near * rest + F
    return (np.int32(octaves) + ZERO_EXPONENT) << MANTISSA, near * (rest * rest) + rest + ONE


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def gru(inputs: Any, told: Any, hidden: Any, highest: Any, gates: Any, bits: Any) -> None:
    """One step of a GRU. inputs, told: [3 n], what its inputs and `hidden` give to the gates reset, keep and new, with
    biases; told is used up. hidden: [n], before and after it. highest: [n], the highest of hidden so far.

    gates: float32 [2 n], bits: int32 [2 n], for its use.
    """
    size, scale = len(hidden), bits.view(np.float32)
    for place in range(2 * size):
        bits[place], gates[place] = _power(-(inputs[place] + told[place]))
    for place in range(2 * size):
        gates[place] = ONE / (ONE + gates[place] * scale[place])
    new, given, keep = told[2 * size :], inputs[2 * size :], gates[size:]
    for place in range(size):
        bits[place], new[place] = _power(-TWO * (given[place] + gates[place] * new[place]))
    for place in range(size):
        fresh = TWO / (ONE + new[place] * scale[place]) - ONE
        value = fresh + keep[place] * (hidden[place] - fresh)
        hidden[place] = value
        highest[place] = max(highest[place], value)
