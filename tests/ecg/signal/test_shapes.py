"""Beats of one origin are known again, and the usual one is not the early one."""

from __future__ import annotations

import numpy as np
import pytest

from ecg.signal import shapes

WINDOW = 60
CORE = slice(10, 50)
ONE = np.array([0])
TIME = np.arange(WINDOW)
NARROW = np.exp(-(((TIME - 30) / 3) ** 2))
WIDE = -0.8 * np.exp(-(((TIME - 33) / 9) ** 2))
BIPHASIC = np.exp(-(((TIME - 26) / 4) ** 2)) - np.exp(-(((TIME - 36) / 4) ** 2))


def fed(sequence: list[tuple[np.ndarray, float]]) -> tuple[dict[str, np.ndarray], list[shapes.Seen]]:
    """One bed hears beats, each with its relative log RR."""
    rng = np.random.default_rng(0)
    state = shapes.new_state(1, WINDOW)
    seen = []
    for number, (beat, relative) in enumerate(sequence):
        beats = (beat + rng.normal(0, 0.02, WINDOW))[None]
        interval, known = np.array([relative]), np.array([number > 1])
        seen.append(shapes.recognise(state, ONE, beats, CORE, interval, known))
        shapes.learn(state, ONE, seen[-1], beats, interval)
    return state, seen


def test_the_first_beat_is_a_new_shape_and_the_second_like_it_is_the_usual_one() -> None:
    _, (first, second) = fed([(NARROW, 0.0)] * 2)
    assert first.new[0]
    assert not second.new[0]
    assert second.is_usual[0]
    assert second.fit[0] > 0.95


def test_a_beat_of_another_shape_is_new_once_and_known_after() -> None:
    _, seen = fed([(NARROW, 0.0)] * 10 + [(WIDE, -0.4), (NARROW, 0.3)] * 2)
    assert [bool(one.new[0]) for one in seen[10:]] == [True, False, False, False]
    assert not seen[12].is_usual[0]
    assert seen[13].is_usual[0]
    assert seen[12].likeness[0] < 0.5
    assert seen[12].before[0] == pytest.approx(-0.4)
    assert seen[12].after[0] == pytest.approx(0.3)


def test_in_bigeminy_the_usual_shape_is_the_one_that_is_not_early() -> None:
    _, seen = fed([(WIDE, -0.3), (NARROW, 0.2)] * 40)
    assert seen[-1].is_usual[0]
    assert not seen[-2].is_usual[0]
    assert np.corrcoef(seen[-2].average[0], NARROW)[0, 1] > 0.99


def test_with_no_place_left_the_rarest_shape_goes_and_the_usual_one_stays() -> None:
    odd = [np.roll(BIPHASIC, shift) * sign for shift in (-6, 0, 6) for sign in (1, -1)]
    state, seen = fed([(NARROW, 0.0)] * 5 + [(one, 0.0) for one in odd] + [(NARROW, 0.0)])
    assert seen[-1].is_usual[0]
    assert (state["shape_beats"][0] > 0).all()


def test_beds_do_not_hear_one_another() -> None:
    rng = np.random.default_rng(1)
    alone, together = shapes.new_state(1, WINDOW), shapes.new_state(3, WINDOW)
    for number in range(30):
        beats = np.stack([rng.choice((1.0, -1.0)) * NARROW, WIDE, BIPHASIC]) + rng.normal(0, 0.1, (3, WINDOW))
        relative, known = rng.normal(0, 0.2, 3), np.full(3, number > 1)
        for state, rows, which in ((alone, ONE, slice(0, 1)), (together, np.arange(3), slice(0, 3))):
            seen = shapes.recognise(state, rows, beats[which], CORE, relative[which], known[which])
            shapes.learn(state, rows, seen, beats[which], relative[which])
    for name, values in alone.items():
        assert np.array_equal(values[0], together[name][0]), name


def test_likeness_is_a_correlation_and_a_flat_beat_is_like_nothing() -> None:
    assert shapes.likeness(NARROW, 3 * NARROW + 1) == pytest.approx(1)
    assert shapes.likeness(NARROW, -NARROW) == pytest.approx(-1)
    assert shapes.likeness(NARROW, np.full(WINDOW, 2.0)) == pytest.approx(0)
