"""The bedside's strips: a sweep for each lead, beat letters above, calibration pulse and scale beside it."""

from __future__ import annotations

from math import floor

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ecg.records.leads import Kind
from monitor.link.protocol import Foretold
from monitor.screen.draw.continuation import Ahead
from monitor.screen.draw.palette import Palette, letter_pen, pen
from monitor.screen.draw.paper import Paper, span_bits
from monitor.screen.draw.plaintext import clean, fit
from monitor.screen.draw.sweep import SweepPage, paint, runs, styles
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory
from monitor.screen.widgets.lanes import Lane, Other, lanes_of
from monitor.screen.widgets.made import made_up

MARGIN = 6
"""Cells left of the sweep, for the calibration pulse."""
MOST_LEADS = 3
"""Strips of one bed: two ECG leads and a pulse."""
LEAST_ROWS = 6
"""Least rows of a strip; where they are fewer, fewer strips are drawn."""
PRESSURE_SECONDS = 4.0
RHYTHM_CELLS = 24
"""Longest words of a rhythm."""


class StripView(Widget):
    """The sweeping strips of one bed."""

    DEFAULT_CSS = "StripView { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.pages: list[SweepPage] = []
        self._key: tuple[object, ...] = ()
        self._rows: list[list[Segment]] = []
        self._lanes: dict[int, tuple[object, ...]] = {}
        self._styles: dict[Kind, list[Style]] = {}
        self._margin: list[str] = []
        self._ahead = Ahead()

    def draw(
        self,
        history: BedHistory,
        position: float,
        *,
        paper: tuple[float, float, float],
        palette: Palette,
        labels: Labels,
        truth: bool = False,
        analysed: str = "",
        other: Other | None = None,
        foretold: Foretold | None = None,
    ) -> None:
        """Draw up to sample `position`. paper: (mm/s, mm/mV, height of a cell over its width).

        other: letters of another network. foretold: the second to come, of the lead that is analysed.
        """
        width, height = self.size
        columns = width - MARGIN
        mark = self._made(history, position, paper, columns)
        lanes = 1 + truth + (other is not None) + mark
        shown = history.order(max(min(MOST_LEADS, height // (LEAST_ROWS + lanes)), 1))
        count = max(len(shown), 1)
        each = height // count
        rows = each - lanes - 1
        signals = (*history.leads, *history.units)
        key = (width, height, count, lanes, paper, palette.name, labels.language, signals, history.bed)
        whole = key != self._key
        if columns < 8 or rows < 2:
            return
        if whole:
            self._key = key
            speed, gain, aspect = paper
            sheet = Paper(columns, rows, speed, gain, aspect)
            self.pages = [SweepPage(sheet, lead, history.kind(lead)) for lead in shown]
            self._styles = {page.kind: styles(palette, page.kind) for page in self.pages}
            self._margin = _calibration(sheet)
            self._rows = [[] for _ in range(height)]
            self._lanes = {}
        if not history.rate:
            self._rows = [[] for _ in range(height)]
            self.refresh()
            return
        regions: list[Region] = []
        for number, page in enumerate(self.pages):
            top = number * each
            ahead = foretold if analysed in ("", history.leads[page.lead]) and page.kind == "ecg" else None
            spans = page.advance(history, position)
            for start, end in spans + self._ahead.turn(page, ahead, history.rate):
                regions.append(Region(MARGIN + start, top + lanes, end - start, rows))
            if regions or whole:
                self._paint(page, top + lanes, palette)
            written = self._letter(history, page, top + mark, palette, labels, analysed, truth, other)
            written += self._mark(history, page, top, palette) if mark else []
            regions += [Region(0, y, width, 1) for y in written]
            if whole:
                self._foot(page, top + lanes + rows, number, count, palette)
        if whole:
            self.refresh()
        elif regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """A row, for Textual."""
        row = self._rows[y] if y < len(self._rows) else []
        return Strip(row).adjust_cell_length(self.size.width, pen("#000000"))

    def _paint(self, page: SweepPage, top: int, palette: Palette) -> None:
        codes, numbers = page.picture()
        self._ahead.lay(page, codes, numbers)
        for y in range(page.paper.rows):
            self._rows[top + y] = [
                Segment(self._margin[y] if page.kind == "ecg" else " " * MARGIN, pen(palette.dim)),
                *runs(codes[y], numbers[y], self._styles[page.kind]),
            ]

    def _letter(
        self,
        history: BedHistory,
        page: SweepPage,
        top: int,
        palette: Palette,
        labels: Labels,
        analysed: str,
        truth: bool,
        other: Other | None,
    ) -> list[int]:
        """Write the lanes of letters; returns the rows that changed."""
        per_dot = history.rate / page.paper.dots_per_second
        since, until = int((page.head - page.paper.width) * per_dot), int((page.head + 1) * per_dot) + 1
        name = clean(history.leads[page.lead], 5)
        if history.leads[page.lead] == analysed and len(history.leads) > 1:
            name = name[:4] + "*"
        if page.kind == "ecg":
            lanes = lanes_of(history, since, until, name, labels, truth=truth, other=other)
        else:
            lanes = [Lane(name, []), *(Lane("", []) for _ in range(truth + (other is not None)))]
        changed = []
        for lane, its in enumerate(lanes):
            shown = []
            for index, letter, wrong, unsure in its.marks:
                dot = floor(index / per_dot)
                if page.shows(dot):
                    shown.append((page.cell_of(dot), letter, wrong, unsure))
            rhythms = [note for note in its.notes if page.shows(floor(note.index / per_dot))]
            words = pressures(history, page) if lane == 0 and page.kind == "pressure" else ""
            state = (its.title, tuple(shown), tuple(n.index for n in rhythms), words)
            if self._lanes.get(top + lane) == state:
                continue
            self._lanes[top + lane] = state
            row = [(" ", pen(palette.text))] * page.paper.columns
            taken = {cell for cell, *_ in shown}
            if words:
                lay(row, taken, 0, words, pen(palette.pressure))
            for note in rhythms:
                at = page.cell_of(floor(note.index / per_dot))
                lay(row, taken, at, clean(labels.rhythm(note.rhythm), RHYTHM_CELLS), pen(palette.dim))
            for cell, letter, wrong, unsure in shown:
                row[cell] = (letter, letter_pen(palette, letter, unsure, wrong))
            colour = {"pressure": palette.pressure, "pulse": palette.pulse}.get(page.kind, palette.accent)
            style = pen(colour if lane == 0 else palette.dim, bold=lane == 0)
            title = Strip([Segment(its.title, style)]).adjust_cell_length(MARGIN, pen("#000000"))
            self._rows[top + lane] = [*title, *joined(row)]
            changed.append(top + lane)
        return changed

    @staticmethod
    def _made(history: BedHistory, position: float, paper: tuple[float, float, float], columns: int) -> bool:
        """Is some of what is on the page simulated in the record's place?."""
        page_seconds = Paper(columns, LEAST_ROWS, *paper).seconds if columns >= 8 else 0.0
        return bool(history.made_between(int(position - page_seconds * history.rate), int(position) + 1))

    def _mark(self, history: BedHistory, page: SweepPage, top: int, palette: Palette) -> list[int]:
        """Write the lane above the letters; returns its row where that has changed."""
        per_dot = history.rate / page.paper.dots_per_second
        since, until = int((page.head - page.paper.width) * per_dot), int((page.head + 1) * per_dot) + 1
        signs = made_up(history, page, since, until) if page.kind == "ecg" else {}
        state = tuple(signs.items())
        if self._lanes.get(top) == state:
            return []
        self._lanes[top] = state
        row = [(signs.get(cell, " "), pen(palette.head)) for cell in range(page.paper.columns)]
        self._rows[top] = [Segment(" " * MARGIN, pen("#000000")), *joined(row)]
        return [top]

    def _foot(self, page: SweepPage, y: int, number: int, count: int, palette: Palette) -> None:
        """The scale, under the last strip."""
        text = ""
        if number == count - 1:
            paper = page.paper
            text = f"{paper.speed:g} mm/s   {paper.gain:g} mm/mV   {paper.seconds:.1f} s"
        self._rows[y] = [Segment(" " * MARGIN, pen("#000000")), Segment(text, pen(palette.dim))]


def pressures(history: BedHistory, page: SweepPage) -> str:
    """Highest and lowest pressure of the last seconds, for example "118/72 mmHg"."""
    head = int((page.head + 1) * history.rate / page.paper.dots_per_second)
    samples = history.samples(page.lead, int(head - PRESSURE_SECONDS * history.rate), head)[1]
    heard = samples[~np.isnan(samples)]
    unit = clean(history.units[page.lead], 6) if page.lead < len(history.units) else ""
    return f"{heard.max():.0f}/{heard.min():.0f} {unit}" if len(heard) else ""


def _calibration(paper: Paper) -> list[str]:
    """The pulse of 1 mV over 0.2 s, one string of MARGIN cells a row."""
    width = 2 * MARGIN
    high = paper.zero - round(paper.dots_per_mv)
    top = np.full(width, -1, np.int64)
    bottom = np.full(width, -1, np.int64)
    pulse = min(round(5 * paper.dots_per_mm), width - 6)
    start = (width - pulse) // 2 - 1
    top[1:start], bottom[1:start] = paper.zero, paper.zero
    top[start], bottom[start] = max(high, 0), paper.zero
    top[start + 1 : start + pulse] = bottom[start + 1 : start + pulse] = high if high >= 0 else -1
    top[start + pulse], bottom[start + pulse] = max(high, 0), paper.zero
    top[start + pulse + 1 : width - 1] = bottom[start + pulse + 1 : width - 1] = paper.zero
    picture = span_bits(top, bottom, paper.rows)
    codes, _ = paint(picture, np.zeros(MARGIN, np.int8), np.zeros_like(picture))
    return ["".join(chr(code) for code in row) for row in codes.tolist()]


def lay(row: list[tuple[str, Style]], taken: set[int], at: int, words: str, style: Style) -> None:
    """Write words between the letters of a lane: in the first gap from cell `at` on that holds them, else cut to it.

    taken: cells of letters. The cell after a sign of two cells becomes "", so that the row keeps its width.
    """
    width = cell_len(words)
    starts = [at, *(cell + 1 for cell in sorted(taken) if at <= cell < at + width)]
    for start in starts:
        end = min((cell for cell in taken if cell >= start), default=len(row))
        if min(end, len(row)) - start >= width:
            break
    else:
        start, end = max(
            ((start, min((cell for cell in taken if cell >= start), default=len(row))) for start in starts),
            key=lambda gap: min(gap[1], len(row)) - gap[0],
        )
        words = fit(words, min(end, len(row)) - start)
    for sign in words:
        row[start] = (sign, style)
        if cell_len(sign) == 2:
            row[start + 1] = ("", style)
        start += cell_len(sign)
    taken.update(range(at, start))


def joined(row: list[tuple[str, Style]]) -> list[Segment]:
    """A row as segments: neighbours of the same style are joined."""
    made: list[Segment] = []
    text, style = "", row[0][1] if row else Style.null()
    for sign, its in row:
        if its is not style:
            made.append(Segment(text, style))
            text, style = "", its
        text += sign
    return [*made, Segment(text, style)] if text else made
