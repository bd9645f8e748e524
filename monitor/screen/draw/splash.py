"""The picture before the first signal: name, notice against clinical use, and "waiting for beds"."""

from __future__ import annotations

from rich.cells import cell_len

from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, pen
from monitor.screen.draw.plaintext import clean, fit
from monitor.screen.labels import Labels

COMPLEX = (
    "                      ⢸⡇                      ",
    "                      ⣿⡇                      ",
    "                      ⣿⣿                      ",
    "          ⢀⣀         ⢠⡇⣿         ⢀⡤⠤⣄          ",
    "⠤⠤⠤⠤⠤⠤⠤⠤⠴⠋⠈⠳⠤⠤⠤⠤⢄⡀⢸⠀⢸⡄⣀⠤⠤⠤⠤⠴⠋    ⠙⠦⠤⠤⠤⠤⠤⠤⠤",
    "                  ⠙⢻ ⢸⡿⠁                      ",
)


def splash_lines(width: int, height: int, palette: Palette, labels: Labels, about: str = "") -> list[Line]:
    """The picture's lines, centred in width x height cells. about: the records that the network was fitted on."""
    rows = [(row, palette.trace) for row in COMPLEX] if width > 50 and height > 11 else []
    rows += [
        ("", palette.text),
        (labels("title"), palette.text),
        (labels("not_clinical"), palette.priority("medium")),
        (labels("waiting") + " …", palette.dim),
    ]
    if about:
        told = labels("fitted_on", about=clean(about))
        rows.append((fit(told, min(cell_len(told), width)), palette.dim))
    lines = [Line() for _ in range(max((height - len(rows)) // 2, 0))]
    for text, colour in rows:
        lines.append(Line().to(max((width - cell_len(text)) // 2, 0)).add(text, pen(colour, bold=True)))
    return lines
