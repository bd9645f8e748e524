"""The teacher's panel over the bedside view: one key changes the simulated patient (only with --teach)."""

from __future__ import annotations

from typing import Final, Literal

from textual.app import ComposeResult
from textual.events import Click, Key
from textual.screen import ModalScreen

from monitor.link.protocol import Teach
from monitor.screen.desk import Desk
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import pen
from monitor.screen.draw.plaintext import clean, fit
from monitor.screen.widgets.board import Board

What = Literal["rhythm", "ectopy", "artefact", "off", "do"]
COLUMNS: Final[tuple[tuple[tuple[str, What, str], ...], ...]] = (
    (
        ("1", "rhythm", "sinus"),
        ("2", "rhythm", "bradycardia"),
        ("3", "rhythm", "tachycardia"),
        ("4", "rhythm", "af"),
        ("5", "rhythm", "flutter"),
        ("6", "rhythm", "svt"),
        ("7", "rhythm", "vt"),
        ("8", "rhythm", "torsades"),
        ("9", "rhythm", "vf"),
        ("0", "rhythm", "asystole"),
        ("b", "rhythm", "av_block_3"),
        ("w", "rhythm", "wenckebach"),
        ("j", "rhythm", "junctional"),
        ("p", "rhythm", "paced"),
    ),
    (
        ("e", "ectopy", "pvcs"),
        ("c", "ectopy", "couplets"),
        ("t", "ectopy", "triplets"),
        ("g", "ectopy", "bigeminy"),
        ("r", "ectopy", "r_on_t"),
        ("a", "ectopy", "pacs"),
        ("n", "ectopy", ""),
    ),
    (
        ("m", "artefact", "muscle"),
        ("o", "artefact", "motion"),
        ("d", "artefact", "wander"),
        ("k", "artefact", ""),
        ("x", "off", "all"),
        ("y", "off", ""),
        ("space", "do", "pause"),
        ("z", "do", "freeze"),
        ("enter", "do", "resume"),
        ("greater_than_sign", "do", "next"),
    ),
)
"""Key, what it changes, and to which name; "" for none."""
SHOWN: Final = {"space": "Space", "enter": "Enter", "greater_than_sign": ">"}
KEYS: Final = {key: (what, name) for column in COLUMNS for key, what, name in column}
TIMES: Final = (0.0, 10.0, 20.0, 60.0)
"""Seconds for which a change lasts, 0 for good; Tab goes to the next."""


class TeachScreen(ModalScreen[None]):
    """Keys of the teacher, side by side. A key sends its command to the selected bed; Escape or `i` closes."""

    DEFAULT_CSS = """
    TeachScreen { align: center bottom; background: #000000 20%; }
    TeachScreen Board { width: 78; height: 20; border: round #d9a531; padding: 0 1; background: #000000; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.time = 0
        self.said = ""

    def compose(self) -> ComposeResult:
        """One board."""
        yield Board(id="teach")

    def on_mount(self) -> None:
        """Write it once there is room."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        palette, labels = self.desk.palette, self.desk.labels
        board = self.query_one(Board)
        span = max(board.size.width // len(COLUMNS), 1)
        title = labels("teach", bed=clean(self.desk.bed))
        lines = [Line().add(title, pen(palette.text, bold=True)), Line()]
        for row in range(max(map(len, COLUMNS))):
            line = Line()
            for place, column in enumerate(COLUMNS):
                if row < len(column):
                    key, what, name = column[row]
                    line.add(fit(SHOWN.get(key, key), 6), pen(palette.head, bold=True))
                    word = name or labels(f"teach_no_{what}")
                    line.add(fit(word, span - 7), pen(palette.text))
                line.to((place + 1) * span)
            lines.append(line)
        seconds = TIMES[self.time]
        lasting = labels("teach_seconds", seconds=f"{seconds:g}") if seconds else labels("teach_good")
        lines.append(Line().add(labels("teach_tab", lasting=lasting), pen(palette.accent)))
        lines.append(Line().add(self.said, pen(palette.dim)))
        board.write(lines)

    def on_key(self, event: Key) -> None:
        """Send a command, change how long it lasts, or close."""
        event.stop()
        event.prevent_default()
        if event.key in ("escape", "i", "q"):
            self.dismiss()
        elif event.key == "tab":
            self.time = (self.time + 1) % len(TIMES)
            self._write()
        elif event.key in KEYS and self.desk.bed:
            what, name = KEYS[event.key]
            self.desk.send(Teach(self.desk.bed, what, name, 0.0 if what == "do" else TIMES[self.time]))
            word = name or self.desk.labels(f"teach_no_{what}")
            self.said = self.desk.labels("teach_sent", word=word, bed=clean(self.desk.bed))
            self._write()

    def on_click(self, event: Click) -> None:
        """Close at a click."""
        event.stop()
        self.dismiss()
