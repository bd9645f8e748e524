"""Products of vectors with matrices, and steps of a GRU, compiled: several rows at once, sums held in registers.

Each output adds its inputs one after the other, so what comes out does not depend on what stands beside it.
Exponentials are polynomials, right to 1e-7: a library's would be called value by value. Numbers of outputs are
multiples of LANES (`ecg.model.compiled` fills up with zeros).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from ecg.signal.kernels.vectors import (
    LANES,
    every,
    least,
    load,
    minus,
    most,
    over,
    plus,
    spread,
    store,
    times,
    two_to,
    whole,
)

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
EIGHT: Final = 8
FOUR: Final = 4


@njit(cache=True, nogil=True, error_model="numpy")
def _one(values: Any, at: int, weights: Any, shape: Any, bias: Any, lowest: Any, out: Any, place: int) -> None:
    """One row: its values begin at `at`, its outputs at `place`."""
    inputs, outputs = shape
    for column in range(0, outputs, LANES):
        added, here = load(bias, column), column
        for value in range(inputs):
            added = plus(added, times(spread(values, at + value), load(weights, here)))
            here += outputs
        store(out, place + column, most(added, every(lowest)))


@njit(cache=True, nogil=True, error_model="numpy")
def _eight(
    values: Any, at: int, apart: int, weights: Any, shape: Any, bias: Any, lowest: Any, out: Any, place: int
) -> None:
    """Eight rows, each weight read once for all of them."""
    inputs, outputs = shape
    b, c, d = at + apart, at + 2 * apart, at + 3 * apart
    e, f, g, h = at + 4 * apart, at + 5 * apart, at + 6 * apart, at + 7 * apart
    floor = every(lowest)
    for column in range(0, outputs, LANES):
        a0 = b0 = c0 = d0 = e0 = f0 = g0 = h0 = load(bias, column)
        here = column
        for value in range(inputs):
            weight = load(weights, here)
            a0 = plus(a0, times(spread(values, at + value), weight))
            b0 = plus(b0, times(spread(values, b + value), weight))
            c0 = plus(c0, times(spread(values, c + value), weight))
            d0 = plus(d0, times(spread(values, d + value), weight))
            e0 = plus(e0, times(spread(values, e + value), weight))
            f0 = plus(f0, times(spread(values, f + value), weight))
            g0 = plus(g0, times(spread(values, g + value), weight))
            h0 = plus(h0, times(spread(values, h + value), weight))
            here += outputs
        first = place + column
        store(out, first, most(a0, floor))
        store(out, first + outputs, most(b0, floor))
        store(out, first + 2 * outputs, most(c0, floor))
        store(out, first + 3 * outputs, most(d0, floor))
        store(out, first + 4 * outputs, most(e0, floor))
        store(out, first + 5 * outputs, most(f0, floor))
        store(out, first + 6 * outputs, most(g0, floor))
        store(out, first + 7 * outputs, most(h0, floor))


@njit(cache=True, nogil=True, error_model="numpy")
def rows(values: Any, apart: int, weights: Any, bias: Any, lowest: Any, out: Any) -> None:
    """out[row, m] = bias[m] + values[row, n] weights[n, m], or `lowest` where that is more.

    values: flat; each row begins `apart` behind the last one.
    """
    count, shape = len(out), weights.shape
    matrix, flat = weights.reshape(-1), out.reshape(-1)
    eights = count - count % EIGHT
    for row in range(0, eights, EIGHT):
        _eight(values, row * apart, apart, matrix, shape, bias, lowest, flat, row * shape[1])
    for row in range(eights, count):
        _one(values, row * apart, matrix, shape, bias, lowest, flat, row * shape[1])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _share(value: Any, top: Any) -> Any:
    """What is left of `top` over 1 + exp(value): a sigmoid's way down."""
    value = least(most(value, every(-MOST)), every(MOST))
    octaves = whole(plus(times(value, every(PER_OCTAVE)), every(HALF)))
    rest = minus(value, times(octaves, every(OCTAVE)))
    rest = minus(rest, times(octaves, every(OCTAVE_LESS)))
    near = every(A)
    near = plus(times(near, rest), every(B))
    near = plus(times(near, rest), every(C))
    near = plus(times(near, rest), every(D))
    near = plus(times(near, rest), every(E))
    near = plus(times(near, rest), every(F))
    near = plus(plus(times(near, times(rest, rest)), rest), every(ONE))
    return over(top, plus(every(ONE), times(near, two_to(octaves))))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _moved(given: Any, at: int, size: int, reset: Any, keep: Any, new: Any, before: Any) -> Any:
    """LANES of a hidden state after a step. given: what the inputs give to these lanes' gates, `size` apart."""
    one, two, nothing = every(ONE), every(TWO), every(np.float32(0))
    open_ = _share(minus(nothing, plus(load(given, at), reset)), one)
    kept = _share(minus(nothing, plus(load(given, at + size), keep)), one)
    wanted = plus(load(given, at + 2 * size), times(open_, new))
    fresh = minus(_share(times(minus(nothing, two), wanted), two), one)
    return plus(fresh, times(kept, minus(before, fresh)))


@njit(cache=True, nogil=True, error_model="numpy")
def gru(given: Any, at: Any, carried: Any, bias: Any, before: Any, after: Any, highest: Any) -> None:
    """One step of a GRU in FOUR rows.

    given: flat, what inputs give to the gates reset, keep and new, [3 n] of each row from at[row] on, with biases.
    carried: flat [n, 3 n]. bias: [3 n]. before, after: flat [FOUR, n], hidden. highest: the highest of hidden so far.
    """
    size = len(bias) // 3
    w, x, y, z = at[0], at[1], at[2], at[3]
    for unit in range(0, size, LANES):
        w0 = x0 = y0 = z0 = load(bias, unit)
        w1 = x1 = y1 = z1 = load(bias, unit + size)
        w2 = x2 = y2 = z2 = load(bias, unit + 2 * size)
        here = unit
        for place in range(size):
            reset, keep, new = load(carried, here), load(carried, here + size), load(carried, here + 2 * size)
            value = spread(before, place)
            w0, w1, w2 = plus(w0, times(value, reset)), plus(w1, times(value, keep)), plus(w2, times(value, new))
            value = spread(before, place + size)
            x0, x1, x2 = plus(x0, times(value, reset)), plus(x1, times(value, keep)), plus(x2, times(value, new))
            value = spread(before, place + 2 * size)
            y0, y1, y2 = plus(y0, times(value, reset)), plus(y1, times(value, keep)), plus(y2, times(value, new))
            value = spread(before, place + 3 * size)
            z0, z1, z2 = plus(z0, times(value, reset)), plus(z1, times(value, keep)), plus(z2, times(value, new))
            here += 3 * size
        here = unit
        value = _moved(given, w + unit, size, w0, w1, w2, load(before, here))
        store(after, here, value)
        store(highest, here, most(load(highest, here), value))
        here += size
        value = _moved(given, x + unit, size, x0, x1, x2, load(before, here))
        store(after, here, value)
        store(highest, here, most(load(highest, here), value))
        here += size
        value = _moved(given, y + unit, size, y0, y1, y2, load(before, here))
        store(after, here, value)
        store(highest, here, most(load(highest, here), value))
        here += size
        value = _moved(given, z + unit, size, z0, z1, z2, load(before, here))
        store(after, here, value)
        store(highest, here, most(load(highest, here), value))
