"""Dialogs over a view: the help, and the sentence for a terminal that is too small."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click, Key
from textual.screen import ModalScreen

from ecg import programs
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
        width = self.query_one(Board).size.width
        lines = [Line().add(labels("help"), pen(palette.text, bold=True))]
        spans = spread([column_width(column, labels) for column in columns], width)
        for row in range(max(len(column) for column in columns)):
            line = Line()
            for column, span in zip(columns, spans, strict=True):
                end = line.width + span
                if row < len(column):
                    key, what = column[row]
                    if what:
                        wide = key_width(column)
                        line.add(fit(key, wide), pen(palette.head, bold=True))
                        line.add(fit(labels(what), span - GAP - wide), pen(palette.text))
                    else:
                        line.add(fit(key, span - GAP), pen(palette.accent, bold=True))
                line.to(end)
            lines.append(line)
        lines.append(Line().add(fit(labels("dim_letters"), width), pen(palette.dim)))
        closing = f"{labels('mouse')}; {labels('close')}"
        lines.append(Line().add(fit(closing, width), pen(palette.dim)))
        lesson = labels("first_lesson", command=f"{programs.typed('trainer')} lesson amnesia")
        lines.append(Line().add(fit(lesson, width), pen(palette.text)))
        status = self.desk.ward.status
        if status is not None and status.about:
            about = labels("fitted_on", about=clean(status.about))
            lines.append(Line().add(fit(about, width), pen(palette.dim)))
        lines.append(Line().add(labels("not_clinical"), pen(palette.priority("medium"))))
        self.query_one(Board).write(lines)

    def _columns(self) -> list[Keys]:
        """Keys and what they do, column by column; a title stands alone."""
        labels = self.desk.labels
        bedside = [
            (labels("bedside"), ""),
            ("q", "quit"),
            ("n p", "next_bed"),
            ("a", "acknowledge"),
            ("z", "silence"),
            ("f", "freeze"),
            ("+ -", "gain"),
            ("s", "sweep"),
            ("t", "show_truth"),
            ("↑ ↓", "choose_alert"),
            ("Enter", "see_alert"),
            ("r", "show_review"),
            ("c", "show_central"),
            ("e k", "log_and_limits"),
        ]
        central = [
            (labels("central"), ""),
            ("← → ↑↓", "choose_bed"),
            ("Enter", "open_bed"),
            ("o", "sort"),
            ("n p", "pages"),
            ("c", "back"),
        ]
        review = [
            (labels("review"), ""),
            ("← →", "move_cursor"),
            ("Tab", "other_cursor"),
            (", .", "scroll"),
            ("↑ ↓", "jump"),
            ("w", "save"),
            ("r", "back"),
        ]
        learning = [
            (labels("learning_keys"), ""),
            ("m", "show_memory"),
            ("1 2 3", "show_cells"),
            ("4", "show_lecture"),
            ("d", "show_forecast"),
            ("y", "show_trend"),
        ]
        if self.desk.teach:
            learning.append(("i", "show_teach"))
        every = [("v", "theme"), ("l", "language"), ("^p", "palette")]
        return [bedside, [*central, (" ", ""), *review], [*learning, (" ", ""), *every]]

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
    return max(cell_len(key) for key, what in keys if what) + 1


def column_width(keys: Keys, labels: Labels) -> int:
    """Cells of a column of the help, its gap included."""
    titles = max(cell_len(key) for key, what in keys if not what)
    return max(titles, key_width(keys) + max(cell_len(labels(what)) for _, what in keys if what)) + GAP


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
