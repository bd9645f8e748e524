"""A widget for lines of segments; it repaints only changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

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


class Board(Widget):
    """Lines of segments. The owner calls `write`; no layout follows."""

    DEFAULT_CSS = "Board { width: 1fr; height: 1; }"

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._lines: list[Strip] = []
        self._written: list[list[Segment]] = []
        self._width = 0

    def write(self, lines: Sequence[Line]) -> None:
        """Show these lines from the top, empty lines below."""
        width = self.size.width
        if width != self._width:
            self._width, self._written, self._lines = width, [], []
        written = [line.segments for line in lines]
        height = max(len(written), len(self._written))
        changed = [
            y for y in range(height) if y >= len(written) or y >= len(self._written) or written[y] != self._written[y]
        ]
        if not changed:
            return
        self._written = written
        self._lines = [
            self._lines[y] if y < len(self._lines) and y not in changed else line.strip(width)
            for y, line in enumerate(lines)
        ]
        if len(changed) == height:
            self.refresh()
        else:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """A line as Textual asks for it."""
        if y < len(self._lines):
            return self._lines[y]
        return Strip.blank(self.size.width, pen("#000000"))
