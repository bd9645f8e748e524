"""Beats that one lead misses are taken from the other one, where both have seen nearly all of late."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecg.records import library
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath

RATE = 360.0
SIGNAL = library.read("excerpt").millivolts(0)[: round(80 * RATE)]
BOTH = np.array([0, 1])
LEADER = np.zeros(2, np.int64)

Signal = NDArray[np.float32]


def weak(begin: float, end: float, share: float = 0.08) -> Signal:
    """The excerpt with these seconds at a share of their size."""
    made = SIGNAL.copy()
    made[round(begin * RATE) : round(end * RATE)] *= share
    return made


def read(first: Signal, second: Signal, cuts: list[int] | None = None, saved_at: int = -1) -> Beats:
    """Beats of the leading lead. cuts: where the chunks end. saved_at: the chunk after which all goes on elsewhere."""
    path = SignalPath(2)
    path.reset(BOTH, np.full(2, RATE), np.zeros(2, np.int64))
    parts = []
    edges = sorted({0, len(first), *(cut for cut in cuts or [] if cut < len(first))})
    for number, (begin, end) in enumerate(pairwise(edges)):
        parts.append(path.step_leads(BOTH, [first[begin:end], second[begin:end]], LEADER).beats)
        if number == saved_at:
            other = SignalPath(2)
            for slot in BOTH.tolist():
                other.restore(slot, path.save(slot))
            path = other
    found = Beats.join(parts)
    return found.take(found.slot == 0)


def alone(signal: Signal) -> Beats:
    path = SignalPath(1)
    path.reset(LEADER[:1], np.full(1, RATE), LEADER[:1])
    return path.step(LEADER[:1], [signal])


def test_a_lead_that_sees_all_is_not_changed_by_the_other() -> None:
    assert np.array_equal(read(SIGNAL, weak(40, 46)).index, alone(SIGNAL).index)


def test_beats_that_the_leading_lead_misses_are_filled_in_where_they_are() -> None:
    whole, missed = alone(SIGNAL).index, alone(weak(40, 46)).index
    filled = read(weak(40, 46), SIGNAL).index
    lost = [at for at in whole if np.abs(missed - at).min() > 18]
    still = [at for at in whole if np.abs(filled - at).min() > 18]
    assert len(lost) >= 5 and len(still) <= len(lost) / 3
    new = [at for at in filled if np.abs(missed - at).min() > 18]
    assert new and all(np.abs(whole - at).min() <= 36 for at in new)  # none where there is no beat


def test_a_lead_that_does_not_know_the_beats_fills_nothing_in() -> None:
    noise = np.random.default_rng(1).normal(0, 0.4, len(SIGNAL)).astype(np.float32)
    signal = weak(40, 46)
    assert np.array_equal(read(signal, noise).index, alone(signal).index)


@given(st.lists(st.integers(1, len(SIGNAL) - 1), max_size=15), st.integers(-1, 15))
@settings(max_examples=12, deadline=None)
def test_cuts_and_restarts_change_nothing(cuts: list[int], saved_at: int) -> None:
    first = weak(40, 46)
    expected, found = read(first, SIGNAL), read(first, SIGNAL, cuts, saved_at)
    assert np.array_equal(found.index, expected.index)
    assert found.features == pytest.approx(expected.features, abs=1e-6)
