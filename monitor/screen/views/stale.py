"""In place of a view whose data is old: nobody may take it for the present."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from monitor.screen.desk import Desk
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import pen
from monitor.screen.draw.plaintext import fit
from monitor.screen.widgets.board import Board

STALE_SECONDS: Final = 2.0
START_SECONDS: Final = 30.0
"""Time for a service's first snapshot: it loads the network."""
WORDS: Final = "NO DATA"
LETTERS: Final = {
    "N": ("#  #", "## #", "# ##", "#  #", "#  #"),
    "O": (" ## ", "#  #", "#  #", "#  #", " ## "),
    "D": ("### ", "#  #", "#  #", "#  #", "### "),
    "A": (" ## ", "#  #", "####", "#  #", "#  #"),
    "T": ("###", " # ", " # ", " # ", " # "),
    " ": (" ", " ", " ", " ", " "),
}
ROWS: Final = 5


class StaleScreen(ModalScreen[None]):
    """Shown for as long as the service is silent. seconds: since its last snapshot."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit")]
    DEFAULT_CSS = """
    StaleScreen { align: center middle; background: #000000; }
    StaleScreen Board { width: 100%; height: 9; background: #000000; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.seconds = 0.0

    def compose(self) -> ComposeResult:
        """One board."""
        yield Board(id="stale")

    def on_mount(self) -> None:
        """Write it once there is room."""
        self.call_after_refresh(self.write)

    def on_resize(self) -> None:
        """Write it in the new middle."""
        self.call_after_refresh(self.write)

    def write(self) -> None:
        """Write the letters, and below them a sentence in the language of the screen."""
        palette = self.desk.palette
        front, ground = palette.priorities["high"]
        board = self.query_one(Board)
        width = board.size.width
        rows = [" ".join(LETTERS[letter][row] for letter in WORDS) for row in range(ROWS)]
        left = max((width - 2 * len(rows[0])) // 2, 0)
        letters = pen(front, ground, bold=True)
        blank = Line().add(" " * width, letters)
        lines = [blank]
        for row in rows:
            drawn = " " * left + "".join("██" if dot == "#" else "  " for dot in row)
            lines.append(Line().add(fit(drawn, width), letters))
        said = self.desk.labels("stale", s=f"{self.seconds:.0f}")
        middle = " " * max((width - cell_len(said)) // 2, 0) + said
        board.write([*lines, blank, Line().add(fit(middle, width), letters), blank])
