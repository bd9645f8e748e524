"""Figures of lessons: colours that every eye can tell apart, and glyphs for Japanese words."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from trainer.lessons.frame.lesson import Language, Say

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8A8A8A"
"""The palette of Okabe and Ito (2008), without its yellow, which is too pale on white."""
COLOURS: Final = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
CLASS_COLOURS: Final = {"N": GREEN, "S": ORANGE, "V": VERMILION, "F": PURPLE, "Q": GREY}
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")

DPI: Final = 100
WIDTH: Final = 7.6
SHADES: Final = 128
"""Colours kept in a file, by octree: a single red letter keeps its red. A third of the bytes."""
NO_FONT: Final = (
    "The figures' labels are in English: Japanese ones need matplotlib-fontja "
    "(pip install 'ecg-monitor-simulator[lessons]')"
)


def japanese_font() -> str | None:
    """The name of a font with Japanese glyphs, made known to matplotlib; None where the package is not installed."""
    try:
        with mpl.rc_context():  # importing it makes its font everybody's
            from matplotlib_fontja import get_font_ttf_path
    except ImportError:
        return None
    path = str(get_font_ttf_path())
    font_manager.fontManager.addfont(path)
    return str(font_manager.FontProperties(fname=path).get_name())


@contextmanager
def style(language: Language) -> Iterator[Say]:
    """Inside, figures are drawn in the lessons' style; gives what picks their words."""
    font = japanese_font() if language == "ja" else None
    settings: dict[str, Any] = {
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "lines.linewidth": 1.4,
        "axes.unicode_minus": False,
    }
    if font:
        settings["font.family"] = [font]
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        yield lambda en, ja: ja if font else en


def figure(rows: int = 1, columns: int = 1, height: float = 2.7, **more: Any) -> tuple[Figure, list[Axes]]:
    """An empty figure and its axes, row by row."""
    made = Figure(figsize=(WIDTH, height), layout="constrained")
    return made, list(made.subplots(rows, columns, squeeze=False, **more).flat)


def bars(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[float],
    *,
    colours: Sequence[str] = COLOURS,
    shown: str = "{:.0%}",
    top: float | None = None,
) -> None:
    """Bars side by side with their values over them."""
    drawn = axes.bar(range(len(names)), values, color=[colours[i % len(colours)] for i in range(len(names))], width=0.6)
    axes.bar_label(drawn, [shown.format(value) for value in values], padding=2)
    axes.set_xticks(range(len(names)), list(names))
    axes.set_ylim(0, top if top is not None else 1.15 * max(*values, 1e-9))


def png(made: Figure) -> bytes:
    """A figure as a small PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(SHADES, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return small.getvalue()


def draw(make: Callable[[Say], list[Figure]], language: Language) -> list[bytes]:
    """The figures of a lesson in one language, as PNG files."""
    with style(language) as say:
        return [png(one) for one in make(say)]
