"""The trend view: the course of one bed, with an alarm on the value and one on the change side by side."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from monitor.screen.desk import Desk
from monitor.screen.draw.panels import key_line, top_line
from monitor.screen.draw.plaintext import clean
from monitor.screen.draw.trend import trend_lines
from monitor.screen.state.history import REVIEW_SECONDS
from monitor.screen.views.base import View
from monitor.screen.widgets.board import Board


class TrendView(View):
    """Heart rate, its variability and the mean pressure, from the time this was first opened and its history on."""

    DEFAULT_CSS = "TrendView #trend { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y,escape", "back"), Binding("r,c,i,d,m", "nothing")]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._followed = ""

    def compose(self) -> ComposeResult:
        """Top bar, the pictures, keys."""
        yield Board(id="top")
        yield Board(id="trend")
        yield Board(id="keys")

    def draw(self) -> None:
        """Draw what is there; the boards repaint what has changed."""
        desk = self.desk
        desk.ask([desk.bed], REVIEW_SECONDS, desk.config.screen.frames_per_second)
        desk.ask_study()
        if desk.bed != self._followed:
            self._followed = desk.bed
            desk.follow()
        palette, labels = desk.palette, desk.labels
        width = self.size.width
        badge = labels("trend_of")
        self.query_one("#top", Board).write([top_line(desk.summary, "", badge, width, palette, labels)])
        self.query_one("#keys", Board).write([key_line(self.keys(), width, palette)])
        board = self.query_one("#trend", Board)
        history = desk.ward.shown.get(desk.bed)
        leads = range(len(history.leads)) if history is not None else ()
        pressures = [lead for lead in leads if history is not None and history.kind(lead) == "pressure"]
        unit = clean(history.units[pressures[0]], 8) if history is not None and pressures else ""
        board.write(trend_lines(desk.course, desk.config, unit, width, board.size.height, palette, labels))

    def keys(self) -> list[tuple[str, str, str]]:
        """The keys of this view as (key, text, action)."""
        labels = self.desk.labels
        return [
            ("q", labels("quit"), "app.quit"),
            ("?", labels("show_help"), "app.show_help"),
            ("y", labels("back"), "screen.back"),
            ("n", labels("next_bed"), "app.step_bed(1)"),
        ]

    def action_nothing(self) -> None:
        """Keys of other views mean nothing here."""

    def action_back(self) -> None:
        """Return to the bedside."""
        self.app.pop_screen()
