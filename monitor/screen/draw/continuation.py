"""The second to come as it was foretold: a dim continuation of the sweep, over its erase bar and what lies behind."""

from __future__ import annotations

from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.link.protocol import Foretold
from monitor.screen.draw.paper import span_bits
from monitor.screen.draw.sweep import OLD, Span, SweepPage

MOST_SHARE: Final = 0.4
"""Of a page: a continuation must leave most of the past on it."""
BRAILLE: Final = 0x2800


class Ahead:
    """The continuation on each page, and the columns that it covered last."""

    def __init__(self) -> None:
        self._drawn: dict[int, tuple[NDArray[np.int64], NDArray[np.uint16]]] = {}
        self._covered: dict[int, list[Span]] = {}

    def turn(self, page: SweepPage, foretold: Foretold | None, rate: float) -> list[Span]:
        """Take what is foretold now; returns the columns that changed. rate: of the bed, Hz."""
        before = self._covered.pop(page.lead, [])
        self._drawn.pop(page.lead, None)
        found = None if foretold is None or page.head < 0 else continuation(page, foretold, rate)
        if found is None:
            return before
        self._drawn[page.lead] = found
        columns = found[0]
        cut = np.flatnonzero(np.diff(columns) != 1) + 1
        spans = [(int(part[0]), int(part[-1]) + 1) for part in np.split(columns, cut)]
        self._covered[page.lead] = spans
        return before + spans

    def lay(self, page: SweepPage, codes: NDArray[np.uint32], numbers: NDArray[np.int8]) -> None:
        """Put it into the picture of a page, in place."""
        if page.lead not in self._drawn:
            return
        columns, trace = self._drawn[page.lead]
        codes[:, columns] = np.where(trace > 0, trace.astype(np.uint32) + BRAILLE, 0x20)
        numbers[:, columns] = np.where(trace > 0, OLD, -1)


def continuation(
    page: SweepPage, foretold: Foretold, rate: float
) -> tuple[NDArray[np.int64], NDArray[np.uint16]] | None:
    """Columns of cells right of the head, and their braille bits: int64 [n], uint16 [rows, n]; None where none is left.

    The forecast is of the waves around the baseline, so it is drawn around the page's own.
    """
    paper = page.paper
    per_dot = rate / paper.dots_per_second
    times = foretold.index + (np.arange(len(foretold.values)) + 1) * rate / foretold.rate
    first, last = page.head + 1, min(floor(times[-1] / per_dot), page.head + int(MOST_SHARE * paper.width))
    first += first % 2  # whole cells: the one with the head in it is the trace's
    count = (last + 1 - first) // 2 * 2
    if count < 2:
        return None
    dots = np.arange(first, first + count)
    values = np.interp((dots + 0.5) * per_dot, times, np.array(foretold.values))
    rows = paper.rows_of((values + page.level).astype(np.float32), page.level)
    after = np.append(rows[1:], rows[-1])
    trace = span_bits(np.minimum(rows, after), np.maximum(rows, after), paper.rows)
    columns = dots[::2] % paper.width // 2
    return columns.astype(np.int64), trace
