"""The highest sample within reach, beside scipy.ndimage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from ecg.signal.highest import highest_within


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 7, 8, 54, 200])
@pytest.mark.parametrize(("rows", "samples"), [(1, 1), (3, 90), (2, 500)])
def test_it_is_that_of_ndimage(reach: int, rows: int, samples: int) -> None:
    signal = np.random.default_rng(reach).normal(size=(rows, samples)).round(1)
    np.testing.assert_array_equal(highest_within(signal, reach), maximum_filter1d(signal, 2 * reach + 1, axis=1))
