from __future__ import annotations

import numpy as np
import pytest

from trainer.scoring import calibration


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
