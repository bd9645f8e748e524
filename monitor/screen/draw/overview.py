"""The overview of the review: ten minutes in a few rows, with the beats that are not normal and the stretch on show."""

from __future__ import annotations

from typing import Final

import numpy as np

from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, pen
from monitor.screen.state.history import BedHistory
from monitor.screen.state.rhythm import BLOCKS

OVERVIEW_ROWS: Final = 3


def overview(history: BedHistory, since: int, until: int, width: int, palette: Palette) -> list[Line]:
    """The whole history: RR intervals from left to right, abnormal beats in colour, a bar under the shown stretch."""
    span = max(history.next - history.first, 1)
    worst = np.full(width, -1)
    rr = np.zeros(width)
    for beat in history.beats:
        column = int((beat.index - history.first) * width / span)
        if 0 <= column < width and beat.rr_ms is not None:
            rr[column] = max(rr[column], beat.rr_ms)
            rank = {"N": 0, "Q": 1, "F": 2, "S": 3, "V": 4}.get(beat.cls, 0)
            worst[column] = max(worst[column], rank)
    top = max(float(rr.max(initial=0.0)), 1000.0)
    eighths = np.where(rr > 0, np.maximum(np.rint(rr / top * 8 * OVERVIEW_ROWS), 1), 0).astype(int)
    colours = [palette.classes[cls] for cls in "NQFSV"]
    lines = []
    for row in range(OVERVIEW_ROWS - 1, -1, -1):
        line = Line()
        for column in range(width):
            block = BLOCKS[min(max(int(eighths[column]) - 8 * row, 0), 8)]
            line.add(block, pen(colours[worst[column]] if worst[column] >= 0 else palette.faint))
        lines.append(line)
    left = int((since - history.first) * width / span)
    right = max(int((until - history.first) * width / span), left + 1)
    bar = Line().add("─" * max(left, 0), pen(palette.faint))
    bar.add("━" * (min(right, width) - max(left, 0)), pen(palette.head, bold=True))
    lines.append(bar.add("─" * (width - bar.width), pen(palette.faint)))
    return lines
