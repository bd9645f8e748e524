"""The paper a trace is drawn on: how millimetres, seconds and millivolts become dots of a terminal.

A cell holds 2 x 4 braille dots. One millimetre is as many dots across as down (corrected for cells that are not twice
as high as wide), so that 25 mm/s and 10 mm/mV keep the proportions of paper; how many depends on the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

BIG_SQUARE_MM: Final = 5.0
"""The grid: 0.2 s at 25 mm/s, 0.5 mV at 10 mm/mV."""
SCALES: Final = (2.4, 2.0, 1.6, 1.2, 0.8)
"""Dots per millimetre across; with each scale a big square is a whole number of cells wide."""
HEIGHT_MM: Final = 30.0
"""Height that the paper should show."""
WIDTHS_MM: Final = (120.0, 80.0)
"""Width that the paper should show, and the least it accepts."""
ZERO: Final = 0.64
"""Place of 0 mV, as a share of the height from the top: QRS complexes mostly point up."""
SPREAD: Final = (1, 99)
FILLED: Final = 0.8
"""Percentiles of a signal without a scale of its own that lie on the paper, and the share of its height they fill."""
WEIGHTS: Final = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], np.uint16)
"""Bit of each dot of a braille cell (Unicode 2800-28FF)."""


@dataclass(frozen=True)
class Paper:
    """Paper of columns x rows cells. speed: mm/s. gain: mm/mV. aspect: height of a cell over its width."""

    columns: int
    rows: int
    speed: float = 25.0
    gain: float = 10.0
    aspect: float = 2.0

    @cached_property
    def dots_per_mm(self) -> float:
        """Dots per millimetre across."""
        for width in WIDTHS_MM:
            for scale in SCALES[:-1]:
                if self.rows * 4 / self._down(scale) >= HEIGHT_MM and self.columns * 2 / scale >= width:
                    return scale
        return SCALES[-1]

    def _down(self, across: float) -> float:
        """Dots per millimetre down, given dots per millimetre across: a dot is aspect/2 times as high as wide."""
        return across * 2 / self.aspect

    @property
    def dots_per_second(self) -> float:
        """Dots per second of signal."""
        return self.dots_per_mm * self.speed

    @property
    def dots_per_mv(self) -> float:
        """Dots per millivolt."""
        return self._down(self.dots_per_mm) * self.gain

    @property
    def width(self) -> int:
        """Dots across."""
        return 2 * self.columns

    @property
    def height(self) -> int:
        """Dots down."""
        return 4 * self.rows

    @property
    def seconds(self) -> float:
        """Seconds of signal across."""
        return self.width / self.dots_per_second

    @cached_property
    def zero(self) -> int:
        """Dot row of the baseline, counted from the top."""
        return round(self.height * ZERO)

    @cached_property
    def grid(self) -> NDArray[np.uint16]:
        """Braille bits of the grid's lines: uint16 [rows, columns]; all 0 at the smallest scale."""
        dots = np.zeros((self.height, self.width), bool)
        if self.dots_per_mm > SCALES[-1]:
            down = BIG_SQUARE_MM * self._down(self.dots_per_mm)
            reach = int(self.height / down) + 1
            levels = np.rint(self.zero + down * np.arange(-reach, reach + 1)).astype(int)
            levels = levels[(levels >= 0) & (levels < self.height)]
            dots[levels, ::2] = True
            across = np.rint(np.arange(0, self.width, BIG_SQUARE_MM * self.dots_per_mm)).astype(int)
            dots[::2, across[across < self.width]] = True
        return bits(dots)

    def rows_of(self, millivolts: NDArray[np.float32], baseline: float) -> NDArray[np.int64]:
        """Dot rows of amplitudes in mV; values outside the paper lie at its edge. NaN gives -1."""
        places = np.rint(self.zero - (millivolts - baseline) * self.dots_per_mv)
        inside = np.clip(places, 0, self.height - 1)
        return np.where(np.isnan(places), -1, inside).astype(np.int64)

    def fitted(self, samples: NDArray[np.float32], least: float = 0.0) -> tuple[float, float]:
        """(scale, baseline) with which these samples, in whatever unit, fill the paper: `rows_of` of scale times them.

        least: the least range that fills it.
        """
        heard = samples[~np.isnan(samples)]
        low, high = np.percentile(heard, SPREAD).tolist() if len(heard) else (0.0, 1.0)
        share = FILLED * self.height / self.dots_per_mv
        low -= max(least - (high - low), 0) / 2
        high = max(high, low + least)
        scale = share / (high - low) if high > low else 1.0
        foot = (1 + FILLED) / 2 * self.height
        return scale, low * scale - (self.zero - foot) / self.dots_per_mv


def bits(dots: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Braille bits of a picture: bool [4 rows, 2 columns] in, uint16 [rows, columns] out."""
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    made: NDArray[np.uint16] = np.einsum("aibj,ij->ab", dots.reshape(rows, 4, columns, 2).astype(np.uint16), WEIGHTS)
    return made


def span_bits(top: NDArray[np.int64], bottom: NDArray[np.int64], rows: int) -> NDArray[np.uint16]:
    """Braille bits of vertical spans: int64 [2 columns] each, dot rows from the top, -1 where there is nothing."""
    row = np.arange(4 * rows)[:, None]
    return bits((row >= top) & (row <= bottom) & (top >= 0))
