"""Whether a bed has P waves, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.signal import p_waves, regularity

SAMPLES = 28
ONE = np.array([0])
TIME = np.arange(SAMPLES)
SINUS = 0.15 * np.exp(-(((TIME - 12) / 4) ** 2))
ECTOPIC = -0.12 * np.exp(-(((TIME - 16) / 3) ** 2))
SLOPE = np.linspace(-0.5, 0.3, SAMPLES)
Beat = tuple[NDArray[np.float64], float]


def told(beats: Sequence[Beat], noise: float = 0.02, odd: tuple[int, ...] = ()) -> list[dict[str, float]]:
    """One bed hears beats, each a P wave and an RR interval in samples. odd: those of another shape."""
    rng = np.random.default_rng(0)
    state = p_waves.new_state(1, SAMPLES) | regularity.new_state(1)
    usual = np.zeros(SAMPLES)
    found = []
    for number, (wave, interval) in enumerate(beats):
        heard = wave + SLOPE * rng.normal() + rng.normal(0, noise, SAMPLES)
        alike = np.array([np.corrcoef(heard, usual)[0, 1] if number else 1.0])
        is_usual = np.array([number > 0 and number not in odd])
        regular = regularity.describe(state, ONE, np.log([interval]), np.array([number]))
        features = p_waves.describe(
            state,
            ONE,
            heard[None],
            usual[None],
            np.ones(1),
            is_usual,
            alike,
            log_rr=np.log([interval]),
            to_usual=regular["rr_to_usual"] / 4,
            beats=np.array([number]),
        )
        usual = usual + (heard - usual) / min(number + 1, 16)
        found.append({name: float(value[0]) for name, value in features.items()})
    return found


def test_a_bed_with_p_waves_has_coherent_ones_and_one_in_fibrillation_has_not() -> None:
    sinus = told([(SINUS, 100)] * 60)[-1]
    rng = np.random.default_rng(1)
    waves = [0.1 * np.sin(TIME / 3 + rng.uniform(0, 6)) for _ in range(60)]
    fibrillating = told([(wave, rng.uniform(50, 110)) for wave in waves])[-1]
    assert sinus["p_coherence"] > 0.7
    assert sinus["p_size"] == pytest.approx(5 * 0.15, rel=0.3)
    assert fibrillating["p_coherence"] < 0.3
    assert told([(0 * SINUS, 100)] * 60)[-1]["p_coherence"] < 0.3


def test_another_p_wave_is_a_surprise_and_the_usual_one_is_not() -> None:
    found = told([(SINUS, 100)] * 40 + [(ECTOPIC, 70), (SINUS, 120)])
    assert np.mean([one["p_surprise"] for one in found[20:40]]) < 0.3
    assert found[40]["p_surprise"] > 2
    assert found[41]["p_surprise"] < 1


def test_where_ectopic_beats_lead_the_late_ones_are_told_apart() -> None:
    led = told(([(SINUS, 150)] + [(ECTOPIC, 90)] * 6) * 30)
    assert led[-1]["late_p_apart"] > 1.5
    assert led[-1]["p_nearer_late"] < -1
    assert led[-7]["p_nearer_late"] > 1
    assert led[-7]["p_likeness_to_late"] > 0.6
    assert led[-1]["p_likeness_to_late"] < 0


def test_where_beats_are_dropped_late_ones_are_like_the_others() -> None:
    dropped = told(([(SINUS, 200)] + [(SINUS, 100)] * 6) * 15)
    assert np.mean([one["late_p_apart"] for one in dropped[30:]]) < 0.5
    assert np.abs([one["p_nearer_late"] for one in dropped[30:]]).mean() < 0.5


def test_a_missed_beat_now_and_then_is_no_pause() -> None:
    """The P wave of a quick rhythm stands on the T wave before it; after a missed beat it stands alone."""
    found = told(([(SINUS, 57)] * 20 + [(ECTOPIC, 114)]) * 20)
    quick = [one for number, one in enumerate(found) if number > 60 and number % 21 != 20]
    assert np.mean([one["late_p_apart"] for one in quick]) < 0.5
    assert np.mean([one["p_nearer_late"] for one in quick]) > -0.3
    assert np.mean([one["p_likeness_to_late"] for one in quick]) > 0.8


def test_the_pause_after_a_beat_of_another_shape_is_not_the_sinus_nodes() -> None:
    cycle = [(0 * SINUS, 60), (ECTOPIC, 140), (SINUS, 100), (SINUS, 101)]
    found = told([(SINUS, 100)] * 20 + cycle * 20, odd=tuple(range(20, 100, 4)))
    assert found[-1]["p_likeness_to_late"] > 0.8
    assert found[-3]["p_likeness_to_late"] < 0


def test_nothing_is_claimed_of_the_first_beats() -> None:
    first, second = told([(SINUS, 100)] * 2)
    for one in (first, second):
        assert one["p_coherence"] == one["p_surprise"] == one["late_p_apart"] == one["p_nearer_late"] == 0


def test_beds_do_not_hear_one_another() -> None:
    state = p_waves.new_state(2, SAMPLES)
    before = {name: value.copy() for name, value in state.items()}
    for number in range(5):
        p_waves.describe(
            state,
            ONE,
            SINUS[None],
            SINUS[None],
            np.ones(1),
            np.ones(1, bool),
            np.ones(1),
            log_rr=np.full(1, 4.6),
            to_usual=np.zeros(1),
            beats=np.full(1, number),
        )
    for name, value in state.items():
        assert np.array_equal(value[1], before[name][1])
