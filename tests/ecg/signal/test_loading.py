"""Kernels are loaded without their compiler, and one that has to be compiled later finds it whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ecg.signal import compiled

pytestmark = pytest.mark.usefixtures("kernels_built")

PROGRAM = """
import sys
import numpy as np
from ecg.signal import compiled

kernels = compiled.kernels()
before = {"numba.core.compiler", "numba.typed.typeddict", "scipy.linalg", "cffi"} & {*sys.modules}
rr = np.array([300, 310, 500, 200, 300] * 10)
known, anew = (kernels.irregularity(values, 3, 0.5, 5) for values in (rr, rr.astype(np.int16)))
print(sorted(before), known == anew, "numba.typed.typeddict" in sys.modules, None in sys.modules.values())
"""


def test_the_compiler_stays_out_until_something_must_be_compiled() -> None:
    place = compiled.folder()
    assert place is not None
    assert (place / compiled.LIGHT).exists()
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "['numba.core.compiler'] True True False\n"
