"""Progress bars of long work on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def bars(console: Console, *, text: str = "{task.description}", counted: bool = False, stay: bool = False) -> Progress:
    """Bars with the time left. counted: with the number done of all. stay: not removed at the end."""
    count = (MofNCompleteColumn(),) if counted else ()
    columns = (TextColumn(text), BarColumn(), *count, TimeRemainingColumn())
    return Progress(*columns, console=console, transient=not stay)
