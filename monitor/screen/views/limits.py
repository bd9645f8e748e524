"""The limits of the selected bed over the bedside view: change them, apply them, or give back those of the settings."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.events import Click, Key
from textual.screen import ModalScreen

from monitor.link.protocol import BOUNDS, SCHEMA, Adjust, Limits, contradiction
from monitor.screen.desk import Desk
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import pen
from monitor.screen.draw.plaintext import clean, fit, right
from monitor.screen.widgets.board import Board

NAMES: Final = tuple(BOUNDS)
WORD_CELLS: Final = 34
HEIGHT: Final = len(NAMES) + 8


class LimitsScreen(ModalScreen[None]):
    """One limit a line. Up and down choose, left and right change, Enter applies, Delete gives back, Escape closes."""

    DEFAULT_CSS = f"""
    LimitsScreen {{ align: center middle; background: #000000 40%; }}
    LimitsScreen Board {{
        width: 66; height: {HEIGHT}; border: round #4f9a4a; padding: 0 1; background: #000000;
    }}
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        bed = desk.summary
        self.bed = desk.bed
        self.values = {} if bed is None else {name: bed.limits.get(name, 0.0) for name in NAMES}
        self.own = set() if bed is None else set(bed.own)
        self.chosen = 0

    def compose(self) -> ComposeResult:
        """One board."""
        yield Board(id="limits")

    def on_mount(self) -> None:
        """Write it once there is room."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        palette, labels = self.desk.palette, self.desk.labels
        lines = [Line().add(labels("limits_of", bed=clean(self.bed)), pen(palette.text, bold=True)), Line()]
        for number, name in enumerate(NAMES):
            ground = palette.faint if number == self.chosen else "#000000"
            line = Line().add("▸ " if number == self.chosen else "  ", pen(palette.head, ground, bold=True))
            line.add(fit(labels(f"limit_{name}"), WORD_CELLS), pen(palette.text, ground))
            line.add(right(f"{self.values[name]:g}", 6), pen(palette.accent, ground, bold=True))
            line.add(f" {fit(labels(unit(name)), 6)}", pen(palette.dim, ground))
            lines.append(line.add(labels("own") if name in self.own else "", pen(palette.head, ground)))
        wrong = contradiction(self.values)
        lines += [Line(), Line().add(wrong and labels("wrong_order"), pen(palette.priority("medium"), bold=True))]
        lines.append(Line().add(labels("limits_keys"), pen(palette.dim)))
        self.query_one(Board).write(lines)

    def on_key(self, event: Key) -> None:
        """Choose, change, apply, give back, or close."""
        event.stop()
        event.prevent_default()
        if event.key in ("escape", "k", "q"):
            self.dismiss()
        elif event.key in ("up", "down"):
            self.chosen = (self.chosen + (1 if event.key == "down" else -1)) % len(NAMES)
        elif event.key in ("left", "right", "minus", "plus", "equals_sign"):
            self._change(-1 if event.key in ("left", "minus") else 1)
        elif event.key in ("delete", "backspace"):
            self.desk.send(Adjust(self.bed))
            self.dismiss()
        elif event.key == "enter" and not contradiction(self.values):
            self.desk.send(Adjust(self.bed, self._limits()))
            self.dismiss()
        self._write()

    def _change(self, by: int) -> None:
        """The chosen limit one step up or down, within its bounds."""
        name = NAMES[self.chosen]
        bound = BOUNDS[name]
        before = self.values[name]
        self.values[name] = min(max(before + by * bound.step, bound.least), bound.most)
        if self.values[name] != before:
            self.own.add(name)

    def _limits(self) -> Limits:
        """The bed's own limits as they stand here."""
        own = {name: self.values[name] for name in NAMES if name in self.own}
        if "frequent_v_per_minute" in own:
            own["frequent_v_per_minute"] = round(own["frequent_v_per_minute"])
        return Limits(v=SCHEMA, **own)  # type: ignore[arg-type]

    def on_click(self, event: Click) -> None:
        """Close at a click."""
        event.stop()
        self.dismiss()


def unit(name: str) -> str:
    """The label of a limit's unit."""
    return "seconds" if name.endswith("_seconds") else "per_minute"
