"""Features have names: found, added and left out by them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sleepecg

from ecg.model import weights
from ecg.signal import features
from ecg.signal.features import FEATURES, TABLE, columns, vector
from ecg.signal.path import SignalPath

RATE = 360.0
EXCERPT = sleepecg.get_toy_ecg()[0][: int(40 * RATE)].astype(np.float32)


def test_the_shipped_weights_hear_features_of_the_table_in_its_order() -> None:
    for name in weights.shipped():
        card = json.loads((weights.SHIPPED / f"{name}.json").read_text())
        assert [feature for feature in FEATURES if feature in card["features"]] == card["features"]


def test_every_feature_has_a_meaning_and_is_computed_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[set[str]] = []
    whole = features.vector

    def listening(values: dict[str, np.ndarray]) -> np.ndarray:
        made.append(set(values))
        return whole(values)

    monkeypatch.setattr(features, "vector", listening)
    path = SignalPath(1)
    path.reset(np.zeros(1, np.int64), np.array([RATE]), np.zeros(1, np.int64))
    assert len(path.step(np.zeros(1, np.int64), [EXCERPT])) > 20
    assert all(names == set(TABLE) for names in made)
    assert all(TABLE.values())


def test_a_feature_is_found_by_its_name() -> None:
    path = SignalPath(1)
    path.reset(np.zeros(1, np.int64), np.array([RATE]), np.zeros(1, np.int64))
    beats = path.step(np.zeros(1, np.int64), [EXCERPT])
    log_rr = np.log(beats.rr_ms[3:].astype(np.float64))
    steps = 4 * np.clip(np.diff(log_rr), -1.5, 1.5)
    assert beats.feature("rr_to_last")[4:] == pytest.approx(steps, abs=1e-3)
    with pytest.raises(ValueError, match="there is no feature moon_phase"):
        beats.feature("moon_phase")


def test_a_feature_left_out_by_name_leaves_the_others_as_they_are() -> None:
    values = {name: np.arange(3) + 10.0 * number for number, name in enumerate(TABLE)}
    without = [name for name in FEATURES if name != "size"]
    left, all_of_them = vector(values, without), vector(values)
    assert left.shape == (3, len(FEATURES) - 1)
    assert np.array_equal(left, all_of_them[:, columns(without)])
    assert columns(["size"]) == [FEATURES.index("size")]
