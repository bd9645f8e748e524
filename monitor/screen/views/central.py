"""The central station: 4 to 64 beds as tiles, the most urgent first or by name."""

from __future__ import annotations

from math import ceil
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click

from monitor.link.protocol import BedSummary
from monitor.screen.desk import EAGER, Desk, natural
from monitor.screen.draw.alarm_lines import banner, urgency
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import pen
from monitor.screen.draw.panels import key_line, status_line
from monitor.screen.views.base import View
from monitor.screen.widgets.board import Board
from monitor.screen.widgets.tiles import TileWall

HISTORY_SECONDS: Final = 12.0
SORT_SECONDS: Final = 3.0
"""Least time between two sortings of the beds."""
RATES: Final = ((4, 30.0), (16, 15.0), (64, 10.0))
"""(most tiles, frames per second)."""


class CentralView(View):
    """All beds as tiles, page by page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "move(1,0)"),
        Binding("left", "move(-1,0)"),
        Binding("down", "move(0,1)"),
        Binding("up", "move(0,-1)"),
        Binding("enter", "open_bed"),
        Binding("o", "sort"),
        Binding("n,pagedown", "page(1)"),
        Binding("p,pageup", "page(-1)"),
        Binding("c,escape", "back"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.number = 0
        self.order: list[str] = []
        self._sorted_s = -SORT_SECONDS
        self._drawn_s = -1.0

    def compose(self) -> ComposeResult:
        """Top bar, banner, tiles, status, keys."""
        yield Board(id="top")
        yield Board(id="banner")
        yield TileWall(id="wall")
        yield Board(id="status")
        yield Board(id="keys")

    @property
    def wall(self) -> TileWall:
        """The tiles."""
        return self.query_one(TileWall)

    @property
    def per_page(self) -> int:
        """Beds on one page."""
        columns, rows = self.wall.layout_of(len(self.desk.ward.beds))
        return columns * rows

    @property
    def pages(self) -> int:
        """Number of pages."""
        return max(ceil(len(self.desk.ward.beds) / self.per_page), 1)

    def draw(self) -> None:
        """Draw the page; the more tiles, the fewer frames a second."""
        desk = self.desk
        now = desk.clock()
        self._sort(now)
        self.number = min(self.number, self.pages - 1)
        names = self._page()
        rate = next((rate for most, rate in RATES if len(names) <= most), RATES[-1][1])
        call_seconds = EAGER / desk.config.screen.frames_per_second
        if 0 <= now - self._drawn_s < 1 / rate - call_seconds / 2:
            return
        self._drawn_s = now
        desk.ask(sorted(names), HISTORY_SECONDS, rate)
        if desk.bed not in desk.ward.beds and names:
            desk.bed = names[0]
        beds = [desk.ward.beds[name] for name in names]
        self.wall.draw(beds, desk.bed, desk, len(desk.ward.beds))
        self._lines(len(names))

    def _page(self) -> list[str]:
        start = self.number * self.per_page
        return self.order[start : start + self.per_page]

    def _sort(self, now: float) -> None:
        beds = self.desk.ward.beds
        if now - self._sorted_s < SORT_SECONDS and len(self.order) == len(beds) and set(self.order) == set(beds):
            return
        self._sorted_s = now

        def key(bed: BedSummary) -> tuple[object, ...]:
            return (0.0 if self.desk.by_name else -urgency(bed), natural(bed.bed))

        self.order = [bed.bed for bed in sorted(beds.values(), key=key)]

    def _lines(self, shown: int) -> None:
        desk = self.desk
        palette, labels, width = desk.palette, desk.labels, self.size.width
        top = Line().add(" ♥ ", pen(palette.accent, bold=True)).add(labels("central"), pen(palette.text, bold=True))
        notice = Line().add(labels("not_clinical") + " ", pen(palette.priority("medium")))
        if desk.frozen:
            top.add("  ", pen(palette.text)).add(f" {labels('frozen')} ", pen("#000000", palette.head, bold=True))
        for told in (
            labels("page", a=self.number + 1, b=self.pages),
            f"{shown}/{len(desk.ward.beds)} {labels('beds')}",
            labels("by_name" if desk.by_name else "by_urgency"),
        ):
            if top.width + cell_len(told) + 3 <= width - notice.width:
                top.add(f"  {told}", pen(palette.dim))
        top.to(width - notice.width).segments.extend(notice.segments)
        self.query_one("#top", Board).write([top])
        gravest = max(desk.ward.beds.values(), key=urgency, default=None)
        alarm = banner(gravest, [], width, desk.lit, palette, labels, named=True)
        self.query_one("#banner", Board).write([alarm])
        self.query_one("#status", Board).write([status_line(desk.ward.status, width, palette, labels)])
        self.query_one("#keys", Board).write([key_line(self.keys(), width, palette)])

    def keys(self) -> list[tuple[str, str, str]]:
        """The keys of this view as (key, text, action)."""
        labels = self.desk.labels
        return [
            ("q", labels("quit"), "app.quit"),
            ("?", labels("show_help"), "app.show_help"),
            ("⏎", labels("open_bed"), "screen.open_bed"),
            ("c", labels("back"), "screen.back"),
            ("o", labels("sort"), "screen.sort"),
            ("n", labels("next_page"), "screen.page(1)"),
            ("p", labels("previous_page"), "screen.page(-1)"),
            ("a", labels("acknowledge"), "app.acknowledge"),
            ("z", labels("silence"), "app.silence"),
            ("f", labels("freeze"), "app.freeze"),
            ("+-", labels("gain"), "app.gain(1)"),
        ]

    def on_click(self, event: Click) -> None:
        """A click on a tile selects its bed, a second click opens it."""
        if event.widget is not self.wall:
            return
        bed = self.wall.bed_at(*event.get_content_offset_capture(self.wall))
        if bed and bed == self.desk.bed:
            self.action_open_bed()
        elif bed:
            self.desk.bed = bed

    def action_move(self, across: int, down: int) -> None:
        """Select a neighbouring tile; past the end of a page comes the next page."""
        if not self.order:
            return
        at = self.order.index(self.desk.bed) if self.desk.bed in self.order else 0
        at = min(max(at + across + down * self.wall.columns, 0), len(self.order) - 1)
        self.desk.bed = self.order[at]
        self.number = at // self.per_page

    def action_page(self, by: int) -> None:
        """Turn the page."""
        self.number = (self.number + by) % self.pages
        names = self._page()
        if names:
            self.desk.bed = names[0]

    def action_sort(self) -> None:
        """Sort by urgency, or by name."""
        self.desk.by_name = not self.desk.by_name
        self._sorted_s = -SORT_SECONDS
        self.order = []

    def action_open_bed(self) -> None:
        """Open the bedside view of the selected bed."""
        self.app.pop_screen()

    def action_back(self) -> None:
        """Back to the bedside."""
        self.app.pop_screen()
