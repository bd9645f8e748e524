"""Text from the wire made harmless, and text fitted to cells of a terminal.

Nothing here is ever read as markup: the results go into segments unchanged.
"""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

LONGEST = 300


def clean(text: str, longest: int = LONGEST) -> str:
    """The text without anything a terminal acts upon: control, format and unassigned characters become "·".

    That covers escape sequences, line ends, tabs, C1 controls, zero-width and direction-changing characters.
    """
    cut = text[:longest]
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join("·" if unicodedata.category(letter)[0] in "CZM" and letter != " " else letter for letter in cut)


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: a longer text is cut with "…", a shorter text gets blanks at its end."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    return set_cell_size(set_cell_size(text, width - 1) + "…", width)


def right(text: str, width: int) -> str:
    """The text right-aligned in `width` cells."""
    missing = width - cell_len(text)
    return " " * missing + text if missing >= 0 else fit(text, width)


def clock(seconds: float) -> str:
    """Seconds since the start of the stream as m:ss.t or h:mm:ss."""
    whole = max(int(seconds), 0)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}.{int(max(seconds, 0.0) * 10) % 10}"
