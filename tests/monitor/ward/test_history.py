"""The signal a bed keeps for the screen: what was added comes out again, in mV, missing samples as NaN."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.records.record import MISSING
from monitor.ward.history import LONGEST_GAP, SEGMENT, Recent
from monitor.ward.pieces import Block


def block(index: int, samples: np.ndarray, gain: float = 200.0, baseline: float = 10.0) -> Block:
    leads = samples.shape[1]
    return Block(index, samples.tobytes(), [gain] * leads, [baseline] * leads, 0, 0)


def signal(recent: Recent, since: int = 0) -> dict[int, np.ndarray]:
    """Sample index to mV of all leads."""
    return {index + offset: row for index, samples in recent.strips(since) for offset, row in enumerate(samples)}


@given(
    st.lists(st.tuples(st.integers(0, 700), st.integers(1, 5000), st.sampled_from([200.0, 100.0])), max_size=12),
    st.integers(0, 40_000),
    st.integers(0, 40_000),
)
@settings(max_examples=80, deadline=None)
def test_what_was_added_comes_out_again(parts: list[tuple[int, int, float]], before: int, since: int) -> None:
    rng = np.random.default_rng(0)
    recent, expected, index = Recent(), {}, 0
    for gap, count, gain in parts:
        index += gap
        samples = rng.integers(-2000, 2000, (count, 2)).astype(np.int16)
        samples[::7, 1] = MISSING
        recent.add(block(index, samples, gain))
        for offset, row in enumerate(samples):
            expected[index + offset] = [np.nan if value == MISSING else (value - 10) / gain for value in row]
        index += count
    recent.trim(before)
    found = signal(recent, since)
    kept = {at: row for at, row in expected.items() if at >= max(since, recent.first)}
    assert recent.next == index or not parts
    assert recent.first <= max(before, next(iter(expected), 0)), "only what is too old is forgotten"
    for at, row in found.items():
        assert np.allclose(row, kept.pop(at) if at in kept else [np.nan, np.nan], atol=1e-5, equal_nan=True)
    assert not kept


def test_old_pieces_are_given_back() -> None:
    recent = Recent()
    for number in range(100):
        recent.add(block(number * 1000, np.zeros((1000, 2), np.int16)))
        recent.trim(number * 1000 - 5000)
        assert recent.next - recent.first <= 6000 + SEGMENT


def test_after_a_very_long_gap_it_begins_anew() -> None:
    recent = Recent()
    recent.add(block(0, np.zeros((100, 2), np.int16)))
    recent.add(block(LONGEST_GAP + 200, np.ones((50, 2), np.int16)))
    assert (recent.first, recent.next) == (LONGEST_GAP + 200, LONGEST_GAP + 250)
