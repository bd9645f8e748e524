"""A silent line has no beats: what is lower than an amplifier's noise is none, however long none has come."""

from __future__ import annotations

import numpy as np
import pytest

from ecg.signal import detector
from ecg.signal.detector import LEAST_MV, SHAPE


@pytest.mark.parametrize(("millivolts", "beat"), [(0.9 * LEAST_MV, False), (LEAST_MV, True), (1.0, True)])
def test_a_wave_of_some_microvolts_is_no_beat(millivolts: float, beat: bool) -> None:
    state = {"rate": np.full(1, 360.0), **detector.new_state(1)}
    state["signal"][0], state["noise"][0] = 1e-3, 1e-4  # faded by a long silence
    shape = np.full((1, SHAPE), SHAPE**-0.5)
    found = detector.decide(
        state, np.zeros(1, np.int64), np.array([5000]), np.array([1e-2]), np.array([millivolts]), shape
    )
    assert found.tolist() == [beat]
