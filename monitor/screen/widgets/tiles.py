"""The central station's wall of tiles in one widget: for each bed a strip, its heart rate and its gravest alarm."""

from __future__ import annotations

from math import ceil, floor
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from monitor.link.protocol import BedSummary
from monitor.screen.desk import Desk
from monitor.screen.draw.alarm_lines import flashes, words
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import MARKS, Palette, letter_pen, pen
from monitor.screen.draw.paper import Paper
from monitor.screen.draw.plaintext import clean, fit, right
from monitor.screen.draw.sweep import SweepPage, runs, styles
from monitor.screen.state.history import BedHistory
from monitor.screen.state.playout import Playout
from monitor.screen.widgets.strip_view import joined

MOST_TILES: Final = 64
LEAST_WIDTH: Final = 24
LEAST_HEIGHT: Final = 5
SHAPE: Final = 5.0
"""Wanted width of a tile over its height, in cells."""
SIMULATED: Final = " SIM"
LETTERS_FROM: Final = 6
"""Least rows of a tile with a lane of beat letters."""


def arrange(count: int, width: int, height: int) -> tuple[int, int]:
    """(columns, rows) of tiles for `count` beds in width x height cells: all beds if they fit, else a full page."""
    most_columns, most_rows = max(width // LEAST_WIDTH, 1), max(height // LEAST_HEIGHT, 1)
    count = max(min(count, most_columns * most_rows, MOST_TILES), 1)
    fits = [(columns, ceil(count / columns)) for columns in range(1, most_columns + 1)]
    fits = [(columns, rows) for columns, rows in fits if rows <= most_rows]
    return min(fits, key=lambda fit: (fit[0] * fit[1] - count, abs(width / fit[0] - SHAPE * (height / fit[1]))))


class Tile:
    """One bed's tile: rows of segments."""

    def __init__(self, width: int, height: int, speed: float, gain: float, aspect: float) -> None:
        self.width, self.height = width, height
        self.lanes = 1 if height >= LETTERS_FROM else 0
        self.page = SweepPage(Paper(width - 1, height - 2 - self.lanes, speed, gain, aspect))
        self.playout = Playout()
        self.rows: list[list[Segment]] = [[] for _ in range(height)]

    def sweep(self, history: BedHistory, now: float, frozen: bool, desk: Desk, chosen: list[Style]) -> set[int]:
        """Draw the strip up to now; returns the changed rows."""
        position = self.playout.at(history, now, frozen)
        changed: set[int] = set()
        self.page.lead = next(iter(history.order(1)), 0)
        if self.page.advance(history, position):
            codes, numbers = self.page.picture()
            for y in range(self.page.paper.rows):
                changed |= self._set(1 + self.lanes + y, runs(codes[y], numbers[y], chosen))
        return changed | (self._letters(history, desk.palette) if self.lanes else set())

    def _letters(self, history: BedHistory, palette: Palette) -> set[int]:
        page = self.page
        per_dot = history.rate / page.paper.dots_per_second
        blank = pen(palette.text)
        row = [(" ", blank)] * page.paper.columns
        for beat in history.beats_between(int((page.head - page.paper.width) * per_dot), history.next):
            dot = floor(beat.index / per_dot)
            if page.shows(dot):
                row[page.cell_of(dot)] = (clean(beat.cls, 1), letter_pen(palette, beat.cls, beat.unsure))
        return self._set(1, joined(row))

    def frame(self, bed: BedSummary, chosen: bool, desk: Desk) -> set[int]:
        """Write the head and the alarm line; returns the changed rows."""
        palette, labels = desk.palette, desk.labels
        alarm = bed.alarms[0] if bed.alarms else None
        front, ground = palette.text, palette.faint if chosen else palette.panel
        words_front, words_ground = palette.dim, "#000000"
        if alarm is not None:
            words_front, words_ground = palette.priorities[alarm.priority]
            if alarm.acknowledged:
                words_front, words_ground = words_ground, "#000000"
            elif flashes(alarm) and not desk.lit:
                words_front, words_ground = palette.flash
        rate = "--" if bed.heart_rate is None else f"{bed.heart_rate:.0f}"
        head = Line().add("▸" if chosen else " ", pen(palette.head, ground, bold=True))
        mark = SIMULATED if bed.simulated else ""
        head.wire(bed.bed, pen(front, ground, bold=True), max(self.width - 8 - len(mark), 1))
        head.add(mark, pen(palette.head, ground, bold=True))
        head.add(right(f"♥{rate}", 6), pen(palette.accent, ground, bold=True)).add(" ", pen(front, ground))
        foot = Line()
        if alarm is not None:
            mark = f" {MARKS[alarm.priority]} "
            text = words(alarm, bed, labels, self.width - 1 - len(mark))
            foot.add(fit(mark + text, self.width - 1), pen(words_front, words_ground, bold=True))
        elif bed.state != "ok":
            colour = palette.priority("low" if bed.state == "learning" else "medium")
            foot.add(fit(" " + labels.known(bed.state, clean(bed.state, 20)), self.width - 1), pen(colour))
        else:
            foot.wire(f" {bed.record}", pen(palette.faint), self.width - 1)
        return self._set(0, head.segments) | self._set(self.height - 1, foot.segments)

    def _set(self, y: int, segments: list[Segment]) -> set[int]:
        if self.rows[y] == segments:
            return set()
        self.rows[y] = segments
        return {y}

    def strip(self, y: int) -> Strip:
        """Row `y`, exactly as wide as the tile."""
        return Strip(self.rows[y]).adjust_cell_length(self.width, pen("#000000"))


class TileWall(Widget):
    """All tiles of a page. The owner calls `draw`."""

    DEFAULT_CSS = "TileWall { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.columns, self.lines = 1, 1
        self.tiles: dict[str, Tile] = {}
        self.order: list[str] = []
        self._styles: list[Style] = []
        self._key: tuple[object, ...] = ()

    def layout_of(self, count: int) -> tuple[int, int]:
        """(columns, rows) of tiles for `count` beds at the present size."""
        return arrange(count, self.size.width, self.size.height)

    def bed_at(self, x: int, y: int) -> str:
        """The bed of the tile at a cell; "" for none."""
        across, down = self.size.width // self.columns, self.size.height // self.lines
        place = min(y // max(down, 1), self.lines - 1) * self.columns + min(x // max(across, 1), self.columns - 1)
        return self.order[place] if place < len(self.order) else ""

    def draw(self, beds: list[BedSummary], chosen: str, desk: Desk, count: int) -> None:
        """Draw the tiles of these beds, in this order. count: beds that the layout is for."""
        self.columns, self.lines = self.layout_of(count)
        across, down = self.size.width // self.columns, self.size.height // self.lines
        if across < LEAST_WIDTH // 2 or down < 3:
            return
        key = (self.size, self.columns, self.lines, desk.paper, desk.palette.name, desk.labels.language)
        order = [bed.bed for bed in beds]
        whole = key != self._key or order != self.order
        if key != self._key:
            self._key, self.tiles = key, {}
            self._styles = styles(desk.palette)
        self.order = order
        self.tiles = {name: self.tiles.get(name) or Tile(across, down, *desk.paper) for name in order}
        now = desk.clock()
        dirty: list[Region] = []
        for place, bed in enumerate(beds):
            tile = self.tiles[bed.bed]
            changed = tile.frame(bed, bed.bed == chosen, desk)
            history = desk.ward.shown.get(bed.bed)
            if history is not None and history.rate > 0:
                changed |= tile.sweep(history, now, desk.frozen, desk, self._styles)
            top, left = place // self.columns * down, place % self.columns * across
            dirty += [Region(left, top + y, across, 1) for y in changed]
        if whole:
            self.refresh()
        elif dirty:
            self.refresh(*dirty)

    def render_line(self, y: int) -> Strip:
        """A row across all tiles, for Textual."""
        down = self.size.height // self.lines
        row = y // max(down, 1)
        names = self.order[row * self.columns : (row + 1) * self.columns] if row < self.lines else []
        joined_tiles = Strip.join([self.tiles[name].strip(y % down) for name in names if name in self.tiles])
        return joined_tiles.adjust_cell_length(self.size.width, pen("#000000"))
