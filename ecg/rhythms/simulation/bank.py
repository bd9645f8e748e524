"""Waves sampled once: what is drawn often is looked up."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.simulation import leads as projection
from ecg.rhythms.simulation import waves
from ecg.rhythms.simulation.leads import Anatomy, Swap
from ecg.rhythms.simulation.waves import NORMAL_POTASSIUM, Repolarisation

Singles = NDArray[np.float32]

REACH: Final = 4.2
"""Widths of a Gaussian to either side that are drawn: beyond, it is below a 5,000th of its size."""
MOST: Final = 4096
"""Waves kept by one bank."""
QT_STEP: Final = 0.01
ST_STEP: Final = 0.025
POTASSIUM_STEP: Final = 0.25


class Drawn(NamedTuple):
    """A sampled wave: float32 [n, leads], mV; its first sample is `begin` samples from its mark."""

    begin: int
    samples: Singles


class Bank:
    """All waves of one kind of heart at one rate in these ECG leads."""

    def __init__(self, rate: float, leads: tuple[str, ...], swap: Swap, number: int) -> None:
        self._rate = rate
        self._anatomy = Anatomy.drawn(number)
        self.matrix = projection.matrix(leads, swap, self._anatomy)
        self._kept: dict[tuple[str, int, int, str, int], Drawn] = {}

    def wave(self, name: str, qt: float, st: float, territory: waves.Territory, potassium: float) -> Drawn:
        """The wave of that name, with its QT (s), ST (mV) and potassium (mmol/l) rounded to their steps."""
        if name in waves.ATRIAL:
            qt, st = 0.0, 0.0
        key = (name, round(qt / QT_STEP), round(st / ST_STEP), territory, round(potassium / POTASSIUM_STEP))
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            found = self._kept[key] = self._draw(*key)
        return found

    def _draw(self, name: str, qt: int, st: int, territory: waves.Territory, potassium: int) -> Drawn:
        if name in waves.ATRIAL:
            bumps = waves.atrial(name, potassium * POTASSIUM_STEP, self._anatomy.p_size)
        else:
            now = Repolarisation(qt * QT_STEP, st * ST_STEP, territory, potassium * POTASSIUM_STEP)
            bumps = waves.ventricular(name, now, self._anatomy.t_size)
        least = 0.4 / self._rate
        first = min(bump.at - REACH * max(bump.width, least) for bump in bumps)
        last = max(bump.at + REACH * max(bump.width, least) for bump in bumps)
        begin = int(np.floor(first * self._rate))
        count = int(np.ceil(last * self._rate)) - begin + 1
        drawn = waves.dipole(bumps, begin, count, self._rate) @ self.matrix.T
        return Drawn(begin, np.ascontiguousarray(drawn, np.float32))


@lru_cache(maxsize=512)
def bank(rate: float, leads: tuple[str, ...], swap: Swap = "", number: int = 0) -> Bank:
    """The bank that all beds of the same rate, leads, swap and number of anatomy share."""
    return Bank(rate, leads, swap, number)


def plain(rate: float, leads: tuple[str, ...], name: str, qt: float = 0.4) -> Drawn:
    """One wave of the plain heart."""
    return bank(rate, leads).wave(name, qt, 0.0, "inferior", NORMAL_POTASSIUM)
