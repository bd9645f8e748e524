"""A live view of a fit: loss, learning rate, validation, time left."""

from __future__ import annotations

import time
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table

from trainer.progress import bars

LAST: Final = 8
"""Epochs shown."""


class FitView:
    """A live view on a terminal; elsewhere one line an epoch.

    epochs, steps: number of epochs, and of steps in each. done: epochs done before.
    """

    def __init__(self, title: str, epochs: int, steps: int, done: int, console: Console) -> None:
        self.title, self.epochs, self.steps = title, epochs, steps
        self.console = console
        self.rows: list[dict[str, Any]] = []
        self.now: dict[str, Any] = {}
        self.bars = bars(console, counted=True, stay=True)
        self.bar = self.bars.add_task("steps", total=epochs * steps, completed=done * steps)
        self.live = Live(get_renderable=self.render, console=console, refresh_per_second=4, transient=True)
        self.begin = time.perf_counter()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live.start()
        else:
            self.console.print(self.title)
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.stop()
            self.console.print(self.render())

    def step(self, epoch: int, loss: float, learning_rate: float) -> None:
        """Show one more step."""
        self.bars.advance(self.bar)
        self.now = {"epoch": epoch, "loss": loss, "learning_rate": learning_rate}

    def epoch(self, row: dict[str, Any]) -> None:
        """Show one more epoch. row: its line of the log."""
        self.rows.append(row)
        self.now = {}
        if not self.console.is_terminal:
            self.console.print("  ".join(f"{name} {_text(value)}" for name, value in row.items()), soft_wrap=True)

    def render(self) -> RenderableType:
        """The whole view."""
        rows = [*self.rows[-LAST:], *([self.now] if self.now else [])]
        table = Table(title=self.title)
        names = list(dict.fromkeys(name for row in rows for name in row))
        for name in names:
            table.add_column(name.replace("_", " "), justify="right")
        for row in rows:
            table.add_row(*(_text(row[name]) if name in row else "" for name in names))
        return Group(table, self.bars)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
