"""A strip saved as SVG and PNG: drawn as on paper, 25 mm/s and 10 mm/mV, in the screen's colours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np

from ecg.errors import needs
from monitor.screen.draw.palette import Palette
from monitor.screen.draw.plaintext import clean, clock
from monitor.screen.state.history import BedHistory

MM: Final = 1 / 25.4
"""Inches in a millimetre."""
MM_PER_SECOND, MM_PER_MV = 25.0, 10.0
LEAD_MM: Final = 40.0
HEAD_MM: Final = 12.0
SIDE_MM: Final = 12.0
DPI: Final = 200
NOTICE: Final = "25 mm/s, 10 mm/mV. Simulation for research and education, not for clinical use."


def save_strip(history: BedHistory, since: int, until: int, folder: Path, palette: Palette) -> list[Path]:
    """Write samples [since, until) of all leads with the beats' letters; returns the paths of the SVG and the PNG.

    Raises OSError where the folder cannot be written to, UserError where matplotlib is not installed.
    """
    with needs("figures", "saving a strip"):
        from matplotlib.figure import Figure

    length = max((until - since) / history.rate, 1.0)
    count = len(history.leads)
    width, height = length * MM_PER_SECOND + 2 * SIDE_MM, count * LEAD_MM + 2 * HEAD_MM
    figure = Figure(figsize=(width * MM, height * MM), facecolor=palette.background)
    start = since / history.rate
    for lead, name in enumerate(history.leads):
        bottom = height - HEAD_MM - (lead + 1) * LEAD_MM
        place = (SIDE_MM / width, bottom / height, length * MM_PER_SECOND / width, LEAD_MM / height)
        axes = figure.add_axes(place, facecolor=palette.background)
        first, samples = history.samples(lead, since, until)
        heard = samples[~np.isnan(samples)]
        middle = float(np.median(heard)) if len(heard) else 0.0
        seconds = (first + np.arange(len(samples))) / history.rate
        axes.plot(seconds, samples, color=palette.trace, linewidth=0.8)
        axes.set_xlim(start, start + length)
        axes.set_ylim(middle - 1.5, middle - 1.5 + LEAD_MM / MM_PER_MV)
        for step, line in ((0.04, 0.15), (0.2, 0.5)):
            axes.set_xticks(np.arange(np.ceil(start / step) * step, start + length, step), minor=step < 0.1)
            axes.set_yticks(
                np.arange(np.ceil((middle - 1.5) / (2.5 * step)), (middle + 2.5) / (2.5 * step)) * 2.5 * step,
                minor=step < 0.1,
            )
            axes.grid(which="minor" if step < 0.1 else "major", color=palette.grid, linewidth=line)
        axes.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
        axes.text(-0.005, 0.5, clean(name, 12), transform=axes.transAxes, color=palette.accent, ha="right", va="center")
        for beat in history.beats_between(since, until):
            colour = palette.classes.get(beat.cls, palette.text)
            at = beat.index / history.rate
            axes.text(at, middle + 2.2, clean(beat.cls, 1), color=colour, ha="center", weight="bold", parse_math=False)
    title = f"{clean(history.bed)}  {clock(start)} to {clock(start + length)}"
    figure.text(SIDE_MM / width, 1 - 7 / height, title, color=palette.text, fontsize=9, parse_math=False)
    figure.text(SIDE_MM / width, 5 / height, NOTICE, color=palette.dim, fontsize=7)
    stem = f"ecg-{re.sub(r'[^A-Za-z0-9_-]', '_', history.bed)}-{since}"
    paths = [folder / f"{stem}.svg", folder / f"{stem}.png"]
    for path in paths:
        figure.savefig(path, dpi=DPI, facecolor=palette.background)
    return paths
