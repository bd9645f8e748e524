"""One line of a panel: text in styles, made harmless where it came from outside."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from monitor.screen.draw.palette import pen
from monitor.screen.draw.plaintext import clean, fit


class Line:
    """One line under construction: styled text, never markup."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.width = 0

    def add(self, text: str, style: Style) -> Line:
        """Append text that is known to be harmless."""
        if text:
            self.segments.append(Segment(text, style))
            self.width += cell_len(text)
        return self

    def wire(self, text: str, style: Style, width: int = 0) -> Line:
        """Append text from outside, made harmless. width: cells to fit it to, 0 for its own."""
        harmless = clean(text)
        return self.add(fit(harmless, width) if width else harmless, style)

    def to(self, column: int, style: Style | None = None) -> Line:
        """Append blanks up to a column."""
        return self.add(" " * max(column - self.width, 0), style or pen("#000000"))

    def strip(self, width: int) -> Strip:
        """The line, exactly `width` cells wide."""
        ground = self.segments[-1].style if self.segments else None
        blank = Style(bgcolor=ground.bgcolor) if ground and ground.bgcolor else pen("#000000")
        return Strip(self.segments, self.width).adjust_cell_length(width, blank)
