"""The memory view: what the network remembers of one bed, over the last half minute."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from monitor.screen.desk import Desk
from monitor.screen.draw.line import Line
from monitor.screen.draw.memory import memory_lines
from monitor.screen.draw.palette import pen
from monitor.screen.draw.panels import key_line, top_line
from monitor.screen.draw.plaintext import fit
from monitor.screen.state.history import REVIEW_SECONDS
from monitor.screen.views.base import View
from monitor.screen.widgets.board import Board

DRAWN_PER_SECOND = 5.0


class MemoryView(View):
    """Hidden units, gates and occlusion of the memory that is looked into: the ward's own, or a key's."""

    DEFAULT_CSS = "MemoryView #memory { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("m,escape", "back"), Binding("r,c,i,d,y", "nothing")]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._drawn_s = -1.0
        self._key: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Top bar, the picture, keys."""
        yield Board(id="top")
        yield Board(id="memory")
        yield Board(id="keys")

    def draw(self) -> None:
        """Draw some times a second, and after every key."""
        desk = self.desk
        desk.ask([desk.bed], REVIEW_SECONDS, desk.config.screen.frames_per_second)
        desk.ask_study(looking=True)
        now = desk.clock()
        key = (desk.bed, desk.looked, desk.palette.name, desk.labels.language, self.size)
        if key == self._key and not (desk.told and now - self._drawn_s >= 1 / DRAWN_PER_SECOND):
            return
        self._key, self._drawn_s = key, now
        palette, labels, bed = desk.palette, desk.labels, desk.summary
        width = self.size.width
        badge = f"{labels('memory')}: {self.name_of(desk.looked)}"
        self.query_one("#top", Board).write([top_line(bed, "", badge, width, palette, labels)])
        self.query_one("#keys", Board).write([key_line(self.keys(), width, palette)])
        board = self.query_one("#memory", Board)
        history = desk.ward.shown.get(desk.bed)
        if history is None or not history.rate:
            return
        lead = history.leads.index(bed.lead) if bed is not None and bed.lead in history.leads else 0
        if desk.looked in desk.study.missing:
            words = labels("no_model", model=f"memory-{desk.looked}")
            board.write([Line().add(fit(words, width), pen(palette.priority("medium")))])
            return
        board.write(memory_lines(desk.study, history, lead, width, board.size.height, palette, labels))

    def name_of(self, model: str) -> str:
        """The name of a memory: that of the ward's weights for its own."""
        status = self.desk.ward.status
        return (status.model if status is not None else model) if model == "own" else f"memory-{model}"

    def keys(self) -> list[tuple[str, str, str]]:
        """The keys of this view as (key, text, action)."""
        labels = self.desk.labels
        return [
            ("q", labels("quit"), "app.quit"),
            ("?", labels("show_help"), "app.show_help"),
            ("m", labels("back"), "screen.back"),
            ("1", "RNN", "app.model('rnn')"),
            ("2", "LSTM", "app.model('lstm')"),
            ("3", "GRU", "app.model('gru')"),
            ("n", labels("next_bed"), "app.step_bed(1)"),
        ]

    def action_nothing(self) -> None:
        """Keys of other views mean nothing here."""

    def action_back(self) -> None:
        """Return to the bedside."""
        self.app.pop_screen()
