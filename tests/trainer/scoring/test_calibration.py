from __future__ import annotations

import numpy as np
import pytest

from trainer.data.streams import Cuts
from trainer.scoring import calibration
from trainer.scoring.evaluation import Named, sureness_of
from trainer.scoring.tables import sureness_line


def said(confidence: float, count: int) -> np.ndarray:
    rest = (1 - confidence) / 4
    return np.tile(np.array([confidence, rest, rest, rest, rest], np.float32), (count, 1))


def test_names_that_are_right_as_often_as_they_claim_have_no_error() -> None:
    classes = np.array([0] * 80 + [1] * 20)
    assert calibration.expected_error(calibration.count(said(0.8, 100), classes)) == pytest.approx(0, abs=1e-6)


def test_the_error_is_the_mean_distance_weighted_by_beats() -> None:
    sure = calibration.count(said(0.99, 300), np.array([0] * 150 + [1] * 150))
    half = calibration.count(said(0.55, 100), np.array([0] * 55 + [1] * 45))
    assert calibration.expected_error(sure + half) == pytest.approx(0.75 * 0.49, abs=1e-3)
    assert [row[0] for row in calibration.rows(sure + half)] == [0.5, 0.9]
    assert calibration.rows(sure)[0][1:] == pytest.approx((1, 0.99, 0.5), abs=1e-6)


def test_beats_without_a_class_do_not_count() -> None:
    bins = calibration.count(said(0.9, 3), np.array([-1, -1, 0]))
    assert bins[:, 0].sum() == 1
    assert np.isnan(calibration.expected_error(np.zeros((calibration.BINS, 3))))


def test_a_letter_is_sure_from_where_enough_are_right_on() -> None:
    parts = ((0.95, 100, 99), (0.75, 100, 80), (0.65, 100, 70), (0.55, 100, 90))
    bins = sum(
        (calibration.count(said(at, n), np.array([0] * right + [1] * (n - right))) for at, n, right in parts),
        calibration.NONE,
    )
    assert calibration.level(bins, 0.75) == pytest.approx(0.7)
    assert calibration.level(bins, 0.9) == pytest.approx(0.8)
    assert calibration.level(bins, 0.5) == 0


def test_how_often_sure_and_unsure_letters_are_right(cuts: Cuts) -> None:
    cut = cuts["detector", "one"]
    known = np.flatnonzero(cut.classes >= 0)
    given = said(0.9, len(cut))
    given[known[::2]] = said(0.6, 1)
    part = sureness_of({"one": Named(cut, given)}, 0.7)
    right = cut.classes[known] == 0
    assert part["unsure"] == pytest.approx(len(known[::2]) / len(known))
    assert part["unsure_right"] == pytest.approx(right[::2].mean())
    assert part["sure_right"] == pytest.approx(right[1::2].mean())
    assert "Unsure, below 70.0 %" in sureness_line(part)
    assert not sureness_line(sureness_of({"one": Named(cut, given)}, 0.0))
