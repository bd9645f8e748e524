"""Colours: two themes, each for Textual's own widgets and for the drawn panels.

A class is told by its letter and its colour, an alarm's priority by its mark and its colour: never by colour alone.
Priorities: red, yellow and cyan after IEC 60601-1-8. The colour-blind palette is built on that of Okabe and Ito
(2008), lightened where black needs it; its priorities stay apart in brightness as well as in hue.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

MARKS: Final = {"high": "!!!", "medium": "!!", "low": "!", "": ""}
"""The marks of alarm priorities in IEC 60601-1-8."""
UNSURE: Final = 0.5
"""Share of the background in an unsure letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one theme. classes: by AAMI class; priorities: (text, ground) of the banner, by priority."""

    name: str
    background: str
    panel: str
    text: str
    dim: str
    faint: str
    accent: str
    trace: str
    head: str
    old: str
    grid: str
    classes: dict[str, str]
    priorities: dict[str, tuple[str, str]]
    flash: tuple[str, str]
    cold: str
    warm: str
    pressure: str
    pulse: str

    def priority(self, name: str) -> str:
        """The colour of an alarm's text, by priority."""
        return self.priorities[name][1] if name in self.priorities else self.text


PHOSPHOR: Final = Palette(
    name="phosphor",
    background="#000000",
    panel="#041004",
    text="#b9f6b0",
    dim="#4f9a4a",
    faint="#1f4d1f",
    accent="#39ff14",
    trace="#39ff14",
    head="#e6ffe0",
    old="#1fa30c",
    grid="#0c3a12",
    classes={"N": "#39ff14", "S": "#4db8ff", "V": "#ff4538", "F": "#ff6af0", "Q": "#b0b0b0"},
    priorities={
        "high": ("#ffffff", "#e0101c"),
        "medium": ("#000000", "#ffd60a"),
        "low": ("#000000", "#22d3ee"),
    },
    flash=("#ff5a5a", "#3a0004"),
    cold="#2f8dff",
    warm="#39ff14",
    pressure="#ff5a5a",
    pulse="#22d3ee",
)

COLOUR_BLIND: Final = Palette(
    name="colour-blind",
    background="#000000",
    panel="#0b0d10",
    text="#e8e8e8",
    dim="#8c97a3",
    faint="#3c4650",
    accent="#56b4e9",
    trace="#dfe7ee",
    head="#ffffff",
    old="#8796a5",
    grid="#25303a",
    classes={"N": "#dfe7ee", "S": "#56b4e9", "V": "#ff8c1a", "F": "#d78fc0", "Q": "#a8a8a8"},
    priorities={
        "high": ("#ffffff", "#c83200"),
        "medium": ("#000000", "#f0e442"),
        "low": ("#000000", "#56b4e9"),
    },
    flash=("#ffb38a", "#401000"),
    cold="#56b4e9",
    warm="#ff8c1a",
    pressure="#e07b4f",
    pulse="#56b4e9",
)

PALETTES: Final = {palette.name: palette for palette in (PHOSPHOR, COLOUR_BLIND)}


def themes() -> list[Theme]:
    """The palettes as themes for Textual's own widgets, such as the command palette."""
    return [
        Theme(
            name=palette.name,
            primary=palette.accent,
            secondary=palette.dim,
            accent=palette.accent,
            foreground=palette.text,
            background=palette.background,
            surface=palette.panel,
            panel=palette.panel,
            success=palette.accent,
            warning=palette.priorities["medium"][1],
            error=palette.priorities["high"][1],
            dark=True,
        )
        for palette in PALETTES.values()
    ]


@lru_cache(maxsize=4096)
def pen(colour: str, ground: str = "#000000", bold: bool = False, reverse: bool = False) -> Style:
    """A style of text."""
    return Style(color=Color.parse(colour), bgcolor=Color.parse(ground), bold=bold, reverse=reverse)


def letter_pen(palette: Palette, letter: str, unsure: bool, wrong: bool = False) -> Style:
    """A beat's letter: dim where it is unsure, on the ground of faults where the cardiologists say otherwise."""
    colour = palette.classes.get(letter, palette.text)
    if unsure:
        colour = blend(colour, palette.background, UNSURE)
    return pen(colour, palette.flash[1] if wrong else "#000000", bold=not unsure, reverse=wrong)


@lru_cache(maxsize=1024)
def button(colour: str, action: str, ground: str = "#000000", bold: bool = False) -> Style:
    """A style of text that runs an action of the application at a click."""
    meta: dict[str, Any] = {"@click": action}
    return pen(colour, ground, bold) + Style(meta=meta)


@lru_cache(maxsize=4096)
def blend(one: str, other: str, share: float) -> str:
    """A mixed colour, "#rrggbb": `share` (0 to 1) of the way from `one` to `other`."""
    a, b = Color.parse(one).get_truecolor(), Color.parse(other).get_truecolor()
    mixed = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)
