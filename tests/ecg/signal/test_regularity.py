"""The usual interval, and what stays regular under ectopic beats."""

from __future__ import annotations

import numpy as np
import pytest

from ecg.signal import regularity

ONE = np.array([0])


def told(intervals: list[float]) -> list[dict[str, float]]:
    """One bed's features after each of these intervals, in samples."""
    state = regularity.new_state(1)
    found = []
    for number, interval in enumerate([0.0, *intervals]):
        log_rr = np.log([max(interval, 1.0)])
        features = regularity.describe(state, ONE, log_rr, np.array([number]))
        found.append({name: float(value[0]) for name, value in features.items()})
    return found


def test_the_usual_interval_does_not_drift_towards_early_beats() -> None:
    bigeminy = told([100.0] * 20 + [60.0, 130.0] * 100)
    early, pause = bigeminy[-2], bigeminy[-1]
    assert early["rr_to_usual"] == pytest.approx(4 * np.log(0.6), abs=0.6)
    assert pause["rr_to_usual"] > 0.5
    assert pause["last_rr_to_usual"] == early["rr_to_usual"]
    assert early["early_share"] == pytest.approx(2.5, abs=0.2)


def test_the_usual_interval_follows_a_heart_that_quickens_for_good() -> None:
    assert abs(told([100.0] * 50 + [60.0] * 400)[-1]["rr_to_usual"]) < 0.1
    assert abs(told([100.0 - k / 4 for k in range(160)])[-1]["rr_to_usual"]) < 0.3


def test_fibrillation_is_irregular_at_every_lag_and_bigeminy_at_none_of_the_even_ones() -> None:
    rng = np.random.default_rng(0)
    fibrillation = told(list(100 * np.exp(rng.normal(0, 0.2, 200))))[-1]
    bigeminy = told([60.0, 130.0] * 100)[-1]
    single = told(([100.0] * 7 + [60.0, 140.0]) * 20)[-1]
    for regular in (bigeminy, single):
        assert regular["least_quarter_change"] < 0.05
    assert bigeminy["quarter_change"] > 2
    assert fibrillation["least_quarter_change"] > 0.3
    assert fibrillation["least_median_change"] > 1


def test_a_new_bed_is_known_after_some_beats_and_nothing_is_claimed_before() -> None:
    found = told([100.0] * 80)
    assert found[0]["newness"] == 1
    assert found[0]["rr_to_usual"] == found[0]["early_share"] == found[0]["quarter_change"] == 0
    assert found[1]["rr_to_usual"] == 0
    assert found[-1]["newness"] < 0.05
