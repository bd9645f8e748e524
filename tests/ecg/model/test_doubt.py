from __future__ import annotations

import numpy as np
import pytest

from ecg.model.doubt import EARLY_SECONDS, NONE, Doubt

SAID = np.array([[0.25, 0.75, 0, 0, 0], [0.1, 0.9, 0, 0, 0], [0.9, 0.1, 0, 0, 0]], np.float32)
NEW, KNOWN = np.zeros(3), np.full(3, EARLY_SECONDS)


def test_an_early_s_is_worth_less_than_a_later_one() -> None:
    doubt = Doubt(early_s=0.25)
    believed = doubt.weigh(SAID, NEW)
    assert believed.argmax(axis=1).tolist() == [0, 1, 0]
    assert believed.sum(axis=1) == pytest.approx(1)
    odds = believed[:, 1] / believed[:, 0]
    assert odds == pytest.approx(0.25 * SAID[:, 1] / SAID[:, 0], rel=1e-5)
    assert np.array_equal(doubt.weigh(SAID, KNOWN), SAID)
    assert SAID[0, 1] == 0.75, "what was said is left as it was"


def test_without_a_share_probabilities_stay_as_they_come() -> None:
    assert NONE.weigh(SAID, NEW) is SAID
