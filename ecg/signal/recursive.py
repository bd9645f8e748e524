"""Recursive filters with a state, by SciPy's own loop in C; their designs as numbers.

Importing `scipy.signal` takes 0.7 s and 76 MiB of a start, and all that is used of it is this one loop. So the
extension module that holds it is loaded by itself, and the designs, which never change, stand here as `butter` gives
them. tests/ecg/signal/test_recursive.py holds both to `scipy.signal`.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Design = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Numerator and denominator."""


def design(numerator: list[float], denominator: list[float]) -> Design:
    """A filter of these coefficients."""
    return np.array(numerator), np.array(denominator)


def band_pass(low: float, high: float, rate: float) -> Design:
    """A Butterworth band-pass of first order, by the bilinear transform: butter(1, (low, high), "bandpass", fs=rate).

    low, high, rate: Hz.
    """
    double = 2 * rate
    below, above = (double * math.tan(math.pi * edge / rate) for edge in (low, high))
    wide, middle, square = double * (above - below), above * below, double * double
    whole = square + wide + middle
    return design(
        [wide / whole, 0.0, -wide / whole], [1.0, 2 * (middle - square) / whole, (square - wide + middle) / whole]
    )


HIGH_PASS: Final = design([0.9851432634357755, -0.9851432634357755], [1.0, -0.970286526871551])
"""butter(1, 0.6, "highpass", fs=125)."""
LOW_PASS: Final = design(
    [0.3503463778554135, 0.700692755710827, 0.3503463778554135], [1.0, 0.22115343752330835, 0.18023207389834575]
)
"""butter(2, 35.0, "lowpass", fs=125)."""
BAND_PASS: Final = design(
    [0.16930815592561374, 0.0, -0.16930815592561374], [1.0, -1.3963326729085632, 0.6613836881487724]
)
"""butter(1, (8.0, 16.0), "bandpass", fs=125)."""


LOOP: Final = "_linear_filter"


def _loop() -> Callable[..., Any]:
    """The loop in SciPy's `lfilter`: (numerator, denominator, signal, axis, state) to (filtered, state after)."""
    scipy = importlib.util.find_spec("scipy")
    for folder in (scipy.submodule_search_locations or []) if scipy else []:
        for suffix in EXTENSION_SUFFIXES:
            file = Path(folder, "signal", f"_sigtools{suffix}")
            spec = importlib.util.spec_from_file_location("scipy.signal._sigtools", file)
            if file.is_file() and spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                found: Callable[..., Any] | None = getattr(module, LOOP, None)
                if found:
                    return found
    from scipy.signal import lfilter  # a SciPy that keeps it elsewhere

    return lambda *arguments: lfilter(*arguments[:3], axis=arguments[3], zi=arguments[4])


_filter = _loop()


def lfilter(made: Design, signal: NDArray[np.float64], state: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Filter rows [n, samples] with their states [n, order]; returns the filtered rows and the states after them."""
    filtered, after = _filter(*made, signal, 1, state)
    return filtered, after
