"""What the heart's beats do to the arteries: a pressure and a pulse oximeter's signal.

The pressure is that of a two-element windkessel (O. Frank 1899): each stroke is a short flow into an artery that runs
empty with one time constant, so the pressure falls when beats fail, and fast or weak beats give little. A small wave of
the closing valve is added. The pulse oximeter's signal is the same without what is steady.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.simulation.vitals import BOUNDS

Singles = NDArray[np.float32]

EMPTY_MMHG: Final = 18.0
"""Where the pressure goes without a beat: the mean filling pressure of the circulation, and a little."""
RUNOFF_SECONDS: Final = 1.6
LENGTH_SECONDS: Final = 8.0
EJECTION_SECONDS: Final = 0.24
DELAY: Final = {"ABP": 0.20, "PLETH": 0.36}
"""s from the R-peak to the beginning of the pulse at the wrist and at the finger."""
STEADY: Final = 1 / (1 - float(np.exp(-0.8 / RUNOFF_SECONDS)))
"""Systolic height over EMPTY_MMHG of beats at 75/min, in units of one stroke."""
FRESHEST: Final = 0.02
"""A smaller stroke moves nothing."""


def mmhg(systolic: float) -> float:
    """Pressure of a normal stroke at rest, where 75 of them a minute give this systolic pressure (mmHg)."""
    return (systolic - EMPTY_MMHG) / STEADY


def perfusion(systolic: float) -> float:
    """Size of a normal pulse at the finger, as a share of that at the usual pressure."""
    usual = BOUNDS["systolic"].usual
    return min(max((systolic - 35) / (usual - 35), 0.05), 1.3)


@lru_cache(maxsize=64)
def pulse(name: str, rate: float) -> Singles:
    """One stroke's pulse from its beginning on: float32 [n], 1 at its highest, 0 at its ends."""
    count = int((LENGTH_SECONDS if name == "ABP" else 1.5) * rate)
    time = np.arange(count) / rate
    flow = np.where(time < EJECTION_SECONDS, np.sin(np.pi * time / EJECTION_SECONDS), 0.0)
    runoff = np.exp(-time / (RUNOFF_SECONDS if name == "ABP" else 0.30))
    pressure = np.convolve(flow, runoff)[:count]
    pressure /= pressure.max()
    dicrotic = 0.40 if name == "ABP" else 0.46
    pressure += (0.06 if name == "ABP" else 0.14) * np.exp(-0.5 * ((time - dicrotic) / 0.045) ** 2)
    pressure *= np.clip((time[-1] - time) / (0.15 * time[-1]), 0, 1)
    return np.ascontiguousarray(pressure / pressure.max(), np.float32)
