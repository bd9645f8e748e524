"""Dialogs over a view: the help, and the sentence for a terminal that is too small."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click, Key
from textual.screen import ModalScreen

from monitor.screen.desk import Desk
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import pen
from monitor.screen.draw.plaintext import clean, fit
from monitor.screen.labels import Labels
from monitor.screen.widgets.board import Board

LEAST_WIDTH, LEAST_HEIGHT = 80, 24
GAP = 1
"""Cells between two columns of the help, at least."""
Keys = list[tuple[str, str]]


class HelpScreen(ModalScreen[None]):
    """The keys of all views, side by side; any key closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: #000000 60%; }
    HelpScreen Board { width: 78; height: 24; border: round #4f9a4a; padding: 0 1; background: #000000; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        """One board."""
        yield Board(id="help")

    def on_mount(self) -> None:
        """Write it once there is room."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        palette, labels = self.desk.palette, self.desk.labels
        columns = self._columns()
        lines = [Line().add(labels("help"), pen(palette.text, bold=True))]
        spans = spread([column_width(title, keys, labels) for title, keys in columns], self.query_one(Board).size.width)
        for row in range(max(len(keys) for _, keys in columns) + 1):
            line = Line()
            for (title, keys), span in zip(columns, spans, strict=True):
                end = line.width + span
                if row == 0:
                    line.add(fit(title, span - GAP), pen(palette.accent, bold=True))
                elif row <= len(keys):
                    key, what = keys[row - 1]
                    wide = key_width(keys)
                    line.add(fit(key, wide), pen(palette.head, bold=True))
                    line.add(fit(labels(what), span - GAP - wide), pen(palette.text))
                line.to(end)
            lines.append(line)
        lines.append(Line().add(labels("dim_letters"), pen(palette.dim)))
        closing = f"{labels('mouse')}; {labels('close')}"
        lines.append(Line().add(fit(closing, self.query_one(Board).size.width), pen(palette.dim)))
        status = self.desk.ward.status
        if status is not None and status.about:
            about = labels("fitted_on", about=clean(status.about))
            lines.append(Line().add(fit(about, self.query_one(Board).size.width), pen(palette.dim)))
        lines.append(Line().add(labels("not_clinical"), pen(palette.priority("medium"))))
        self.query_one(Board).write(lines)

    def _columns(self) -> list[tuple[str, Keys]]:
        labels = self.desk.labels
        bedside = [
            ("q", "quit"),
            ("n p", "next_bed"),
            ("a", "acknowledge"),
            ("m", "silence"),
            ("f", "freeze"),
            ("+ -", "gain"),
            ("s", "sweep"),
            ("t", "show_truth"),
            ("↑ ↓", "choose_alert"),
            ("Enter", "see_alert"),
            ("r", "show_review"),
            ("c", "show_central"),
            ("e k", "log_and_limits"),
            ("v", "theme"),
            ("l", "language"),
            ("^p", "palette"),
        ]
        if self.desk.teach:
            bedside[-1:] = [("i", "show_teach")]
        central = [
            ("← → ↑↓", "choose_bed"),
            ("Enter", "open_bed"),
            ("o", "sort"),
            ("n", "next_page"),
            ("p", "previous_page"),
            ("c", "back"),
        ]
        review = [
            ("← →", "move_cursor"),
            ("Tab", "other_cursor"),
            (", .", "scroll"),
            ("↑ ↓", "jump"),
            ("w", "save"),
            ("r", "back"),
        ]
        return [(labels("bedside"), bedside), (labels("central"), central), (labels("review"), review)]

    def on_key(self, event: Key) -> None:
        """Close at any key."""
        event.stop()
        event.prevent_default()
        self.dismiss()

    def on_click(self, event: Click) -> None:
        """Close at a click."""
        event.stop()
        self.dismiss()


def key_width(keys: Keys) -> int:
    """Cells of the names of keys, and one more."""
    return max(cell_len(key) for key, _ in keys) + 1


def column_width(title: str, keys: Keys, labels: Labels) -> int:
    """Cells of a column of the help, its gap included."""
    return max(cell_len(title), key_width(keys) + max(cell_len(labels(what)) for _, what in keys)) + GAP


def spread(widths: list[int], room: int) -> list[int]:
    """The columns' widths spread over the room; where they need more, the widest gives."""
    made = list(widths)
    while sum(made) > room:
        made[made.index(max(made))] -= 1
    return [width + (room - sum(made)) // len(made) for width in made]


class TooSmall(ModalScreen[None]):
    """Shown for as long as the terminal is smaller than the least size."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit")]
    DEFAULT_CSS = "TooSmall { background: #000000; } TooSmall Board { height: 100%; }"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        """One board."""
        yield Board()

    def on_mount(self) -> None:
        """Write it once there is room."""
        self.call_after_refresh(self.write)

    def on_resize(self) -> None:
        """Write the new size."""
        self.call_after_refresh(self.write)

    def write(self) -> None:
        """The sentence, broken into lines."""
        width, height = self.app.size
        words = self.desk.labels("too_small", w=width, h=height)
        lines: list[Line] = []
        while words:
            cut = len(words) if len(words) <= width else max(words.rfind(" ", 0, width + 1), 0) or max(width // 2, 1)
            lines.append(Line().add(words[:cut], pen(self.desk.palette.priority("medium"))))
            words = words[cut:].lstrip()
        self.query_one(Board).write(lines)
