"""A still strip: any stretch of a history, with letters and two measuring cursors."""

from __future__ import annotations

from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from monitor.screen.draw.envelope import envelope
from monitor.screen.draw.palette import Palette, letter_pen, pen
from monitor.screen.draw.paper import Paper, span_bits
from monitor.screen.draw.plaintext import clean
from monitor.screen.draw.sweep import BEAT_SECONDS, NORMAL, baseline, paint, runs, styles, tint_of
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory
from monitor.screen.widgets.lanes import SETTLED_SECONDS, Mark, letters
from monitor.screen.widgets.made import MADE_SIGN, badge
from monitor.screen.widgets.strip_view import LEAST_ROWS, MARGIN, MOST_LEADS, joined

CURSORS: Final = ("A", "B")
CURSOR_SIGN: Final = ord("│")


def still(history: BedHistory, lead: int, first: int, paper: Paper) -> tuple[NDArray[np.uint16], NDArray[np.int8]]:
    """One lead across the paper, from dot `first` on, counted from the stream's first sample.

    Returns braille bits uint16 [rows, columns] and style numbers int8 [columns].
    """
    per_dot = history.rate / paper.dots_per_second
    last = first + paper.width
    start, samples = history.samples(lead, floor(first * per_dot) - 2, floor(last * per_dot) + 2)
    kind = history.kind(lead)
    scale, level = (1.0, baseline(samples)) if kind == "ecg" else paper.fitted(samples)
    low, high = envelope(samples * np.float32(scale), start, first, last, per_dot)
    trace = span_bits(paper.rows_of(high, level), paper.rows_of(low, level), paper.rows)
    tint = np.full(paper.columns, NORMAL, np.int8)
    before, after = (seconds * history.rate for seconds in BEAT_SECONDS)
    marked = history.beats_between(int(first * per_dot - after), int(last * per_dot + before))
    for beat in marked if kind == "ecg" else []:
        if tint_of(beat.cls) != NORMAL:
            left, right = (floor(at / per_dot) - first for at in (beat.index - before, beat.index + after))
            tint[max(left // 2, 0) : max(right // 2 + 1, 0)] = tint_of(beat.cls)
    return trace, tint


class StillView(Widget):
    """Up to two ECG leads of one bed and its pulse, still."""

    DEFAULT_CSS = "StillView { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rows: list[list[Segment]] = []

    def sheet(self, leads: int, paper: tuple[float, float, float]) -> Paper:
        """The paper of one lead at the present size. paper: (mm/s, mm/mV, height of a cell over its width)."""
        width, height = self.size
        count = max(min(leads, MOST_LEADS, height // (LEAST_ROWS + 2)), 1)
        return Paper(max(width - MARGIN, 8), max(height // count - 2, 2), *paper)

    def draw(
        self,
        history: BedHistory,
        first: int,
        cursors: tuple[int, int],
        active: int,
        paper: tuple[float, float, float],
        palette: Palette,
        labels: Labels,
    ) -> None:
        """Draw from dot `first` on. cursors: sample indices. active: number of the cursor that keys move."""
        sheet = self.sheet(len(history.order(MOST_LEADS)), paper)
        count = self.size.height // (sheet.rows + 2)
        per_dot = history.rate / sheet.dots_per_second
        since, until = int(first * per_dot), int((first + sheet.width) * per_dot)
        cells = [(floor(at / per_dot) - first) // 2 for at in cursors]
        marked = len(styles(palette))
        pens = [pen(palette.head if n == active else palette.dim, bold=n == active) for n in (0, 1)]
        notes = history.truth_between(since, until)
        ours, theirs = letters(
            history.beats_between(since, until), notes, history.rate, history.next - int(SETTLED_SECONDS * history.rate)
        )
        made: dict[int, str] = {}
        for one in history.made_between(since, until):
            made |= badge(one, list(range(*((floor(at / per_dot) - first) // 2 for at in (one.begin, one.end)))))
        rows: list[list[Segment]] = []
        for lead in history.order(count):
            kind = history.kind(lead)
            chosen = [*styles(palette, kind), *pens]
            trace, tint = still(history, lead, first, sheet)
            codes, numbers = paint(trace, tint, sheet.grid)
            for place in (1 - active, active):
                cell = cells[place]
                if 0 <= cell < sheet.columns:
                    codes[:, cell] = np.where(trace[:, cell] > 0, codes[:, cell], CURSOR_SIGN)
                    numbers[:, cell] = marked + place
            name = Strip([Segment(clean(history.leads[lead], MARGIN - 1), pen(palette.accent, bold=True))])
            head = name.adjust_cell_length(MARGIN, pen("#000000"))
            ecg = kind == "ecg"
            line = dict.fromkeys(made if ecg else (), MADE_SIGN)
            rows.append([*head, *self._lane(ours if ecg else [], first, per_dot, sheet.columns, palette, line)])
            margin = Segment(" " * MARGIN, pen("#000000"))
            rows += [[margin, *runs(codes[y], numbers[y], chosen)] for y in range(sheet.rows)]
            if theirs and kind == "ecg":
                head = Strip([Segment(labels("truth"), pen(palette.dim))]).adjust_cell_length(MARGIN, pen("#000000"))
                rows.append([*head, *self._lane(theirs, first, per_dot, sheet.columns, palette, {})])
            else:
                said = self._lane([], first, per_dot, sheet.columns, palette, made if ecg else {})
                rows.append([margin, *said])
        self._rows = rows
        self.refresh()

    def _lane(
        self, marks: list[Mark], first: int, per_dot: float, columns: int, palette: Palette, made: dict[int, str]
    ) -> list[Segment]:
        """One lane. made: signs of the cells over what is simulated in a record's place."""
        row: list[tuple[str, Style]] = [(" ", pen(palette.text))] * columns
        for cell, sign in made.items():
            if 0 <= cell < columns:
                row[cell] = (sign, pen(palette.head))
        for index, letter, wrong, unsure in marks:
            cell = (floor(index / per_dot) - first) // 2
            if 0 <= cell < columns:
                row[cell] = (letter, letter_pen(palette, letter, unsure, wrong))
        return joined(row)

    def render_line(self, y: int) -> Strip:
        """A row, for Textual."""
        row = self._rows[y] if y < len(self._rows) else []
        return Strip(row).adjust_cell_length(self.size.width, pen("#000000"))
