"""The recursive filters are SciPy's, bit by bit, without scipy.signal."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import signal as scipy_signal

from ecg.signal import recursive
from ecg.signal.recursive import Design, lfilter
from ecg.signal.resampler import MODEL_RATE

DESIGNS = [
    (recursive.HIGH_PASS, (1, 0.6, "highpass")),
    (recursive.LOW_PASS, (2, 35.0, "lowpass")),
    (recursive.BAND_PASS, (1, (8.0, 16.0), "bandpass")),
]


@pytest.mark.parametrize(("made", "asked"), DESIGNS)
def test_the_designs_are_butterworth_s(made: Design, asked: tuple[int, float, str]) -> None:
    for own, theirs in zip(made, scipy_signal.butter(*asked, fs=MODEL_RATE), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rate", [100.0, 125.0, 360.0, 1000.0])
def test_a_band_pass_of_any_rate_is_butterworth_s(rate: float) -> None:
    theirs = scipy_signal.butter(1, (0.7, 9.0), "bandpass", fs=rate)
    for own, one in zip(recursive.band_pass(0.7, 9.0, rate), theirs, strict=True):
        np.testing.assert_allclose(own, one, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("made", [made for made, _ in DESIGNS])
@pytest.mark.parametrize(("rows", "samples"), [(1, 1), (7, 500), (3, 0)])
def test_filtering_is_scipy_s_bit_by_bit(made: Design, rows: int, samples: int) -> None:
    rng = np.random.default_rng(rows)
    signal, state = rng.normal(size=(rows, samples)), rng.normal(size=(rows, len(made[0]) - 1))
    before = state.copy()
    own, after = lfilter(made, signal, state)
    np.testing.assert_array_equal(state, before)
    if samples:
        theirs, theirs_after = scipy_signal.lfilter(*made, signal, axis=1, zi=state)
        np.testing.assert_array_equal(own, theirs)
        np.testing.assert_array_equal(after, theirs_after)
    assert own.shape == signal.shape


def test_scipy_signal_can_still_be_imported_after_its_loop() -> None:
    work = "import ecg.signal.recursive, sys; assert 'scipy.signal' not in sys.modules; import scipy.signal as s; "
    work += "print(s.lfilter([1.0, 1.0], [1.0, 0.5], [1.0, 0.0])[1], s.resample_poly([1.0] * 8, 2, 1).size)"
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["0.5", "16"]
