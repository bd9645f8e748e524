"""The alarm log of one bed: every alarm with its times, filtered by priority and kind; Enter shows its strip."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from monitor.link.protocol import AlarmEntry
from monitor.screen.desk import Desk
from monitor.screen.draw.alarm_log import log_lines
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import pen
from monitor.screen.draw.panels import key_line
from monitor.screen.state.history import REVIEW_SECONDS
from monitor.screen.views.base import View
from monitor.screen.views.review import ReviewView
from monitor.screen.widgets.board import Board

PRIORITIES: Final = ("", "high", "medium", "low")


class AlarmLogView(View):
    """The log of the selected bed, newest first. It goes on while it is open."""

    DEFAULT_CSS = """
    AlarmLogView #log { height: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)"),
        Binding("down", "choose(1)"),
        Binding("pageup", "choose(-10)"),
        Binding("pagedown", "choose(10)"),
        Binding("tab", "priority", priority=True),
        Binding("o", "kind"),
        Binding("enter", "see"),
        Binding("e,escape,r", "back"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.bed = desk.bed
        self.priority = ""
        self.kind = ""
        self.chosen = 0

    def compose(self) -> ComposeResult:
        """Top bar, filter, list, keys."""
        yield Board(id="top")
        yield Board(id="filter")
        yield Board(id="log")
        yield Board(id="keys")

    @property
    def whole(self) -> list[AlarmEntry]:
        """The whole log of the bed."""
        history = self.desk.ward.shown.get(self.bed)
        return history.log if history is not None else []

    @property
    def entries(self) -> list[AlarmEntry]:
        """What passes the filter."""
        return [
            entry for entry in self.whole if self.priority in ("", entry.priority) and self.kind in ("", entry.kind)
        ]

    def draw(self) -> None:
        """Write the lines; they are few."""
        desk = self.desk
        desk.ask([self.bed], REVIEW_SECONDS, desk.config.screen.frames_per_second)
        palette, labels, width = desk.palette, desk.labels, self.size.width
        entries = self.entries
        self.chosen = max(min(self.chosen, len(entries) - 1), 0)
        history = desk.ward.shown.get(self.bed)
        hour = history.last_hour if history is not None else {}
        top = Line().add(" ♥ ", pen(palette.accent, bold=True)).wire(self.bed, pen(palette.text, bold=True))
        top.add("  ", pen(palette.text)).add(f" {labels('log_of')} ", pen("#000000", palette.head, bold=True))
        notice = Line().add(labels("not_clinical") + " ", pen(palette.priority("medium")))
        counts = labels("log_hour", **{name: hour.get(name, 0) for name in PRIORITIES[1:]})
        if top.width + cell_len(counts) + 2 < width - notice.width:
            top.add(f"  {counts}", pen(palette.text))
        top.to(width - notice.width).segments.extend(notice.segments)
        self.query_one("#top", Board).write([top])
        kind = labels.short(self.kind, self.kind) if self.kind else labels("log_every")
        told = labels("log_filter", priority=labels(self.priority or "log_all"), kind=kind)
        line = Line().add(f" {told}  {len(entries)}/{len(self.whole)}", pen(palette.dim))
        if top.width and cell_len(counts) + line.width + 2 <= width and counts not in top.strip(width).text:
            line.add(f"  {counts}", pen(palette.text))
        self.query_one("#filter", Board).write([line])
        board = self.query_one("#log", Board)
        stream = history.stream if history is not None else ""
        local = datetime.fromtimestamp
        lines = log_lines(entries, self.chosen, stream, board.size.height, board.size.width, palette, labels, local)
        board.write(lines)
        self.query_one("#keys", Board).write([key_line(self.keys(), width, palette)])

    def keys(self) -> list[tuple[str, str, str]]:
        """The keys of this view as (key, text, action)."""
        labels = self.desk.labels
        return [
            ("q", labels("quit"), "app.quit"),
            ("e", labels("back"), "screen.back"),
            ("↑↓", labels("choose"), "screen.choose(1)"),
            ("⏎", labels("see_alert"), "screen.see"),
            ("⇥", labels("by_priority"), "screen.priority"),
            ("o", labels("by_kind"), "screen.kind"),
            ("a", labels("acknowledge"), "app.acknowledge"),
        ]

    def action_choose(self, by: int) -> None:
        """Move along the list."""
        self.chosen = max(min(self.chosen + by, len(self.entries) - 1), 0)

    def action_priority(self) -> None:
        """The next priority alone; after the last all of them."""
        self.priority = PRIORITIES[(PRIORITIES.index(self.priority) + 1) % len(PRIORITIES)]

    def action_kind(self) -> None:
        """The next kind alone that the log has; after the last all of them."""
        kinds = ["", *sorted({entry.kind for entry in self.whole})]
        self.kind = kinds[(kinds.index(self.kind) + 1) % len(kinds)] if self.kind in kinds else ""

    def action_see(self) -> None:
        """Open the review at the onset of the chosen alarm."""
        entries = self.entries
        if not entries:
            return
        entry, history = entries[self.chosen], self.desk.ward.shown.get(self.bed)
        if history is None or entry.stream != history.stream or not history.first <= entry.onset < history.next:
            self.notify(self.desk.labels("strip_gone"), markup=False)
            return
        self.app.push_screen(ReviewView(self.desk, history, entry.onset))

    def action_back(self) -> None:
        """Back to the bedside."""
        self.app.pop_screen()
