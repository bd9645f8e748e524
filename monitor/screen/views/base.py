"""A view: one screenful, drawn at the screen's own rate."""

from __future__ import annotations

from textual.screen import Screen

from monitor.screen.desk import Desk


class View(Screen[None]):
    """One screenful. The application calls `draw` at the frame rate."""

    AUTO_FOCUS = None
    DEFAULT_CSS = "View { background: #000000; layout: vertical; overflow: hidden; }"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def draw(self) -> None:
        """Draw the changes since the last call."""
        raise NotImplementedError
