"""A strip saved as SVG and PNG: drawn as on paper, 25 mm/s and 10 mm/mV, in the screen's colours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from typing import Final

import numpy as np

from ecg.errors import needs
from ecg.records.aami import CLASS_OF
from monitor.screen.draw.palette import Palette
from monitor.screen.draw.plaintext import clean, clock
from monitor.screen.state.history import BedHistory

MM: Final = 1 / 25.4
"""Inches in a millimetre."""
MM_PER_SECOND, MM_PER_MV = 25.0, 10.0
LEAD_MM: Final = 40.0
HEAD_MM: Final = 12.0
SIDE_MM: Final = 12.0
LINE_MM, LETTER_MM = 4.0, 2.0
"""Height of a line of alarms, and width of its letters, about."""
DPI: Final = 200
MODEL_MV, TRUTH_MV = 2.2, -1.4
"""Places of the letters, mV above the baseline."""
NOTICE: Final = "Simulation for research and education, not for clinical use."


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What stands beside a strip. alarms: those of its time, in words. saved: local time of the saving."""

    alarms: list[str]
    saved: datetime


def rate_of(history: BedHistory, since: int, until: int) -> float | None:
    """The mean heart rate of a stretch, 1/min, by the RR intervals that end in it; None without any."""
    known = [beat.rr_ms for beat in history.beats_between(since, until) if beat.rr_ms]
    return 60000 * len(known) / sum(known) if known else None


def save_strip(
    history: BedHistory, since: int, until: int, folder: Path, palette: Palette, caption: Caption
) -> list[Path]:
    """Write samples [since, until) of all leads, with letters, rate and alarms; returns the paths of SVG and PNG.

    The model's letters stand above each lead, the cardiologists' below. The folder is made where there is none.
    Raises OSError where it cannot be written to, UserError where matplotlib is not installed.
    """
    with needs("figures", "saving a strip"):
        from matplotlib.figure import Figure

    length = max((until - since) / history.rate, 1.0)
    count = len(history.leads)
    told = "alarms: " + ("; ".join(clean(alarm) for alarm in caption.alarms) or "none")
    alarms = wrap(told, max(int(length * MM_PER_SECOND / LETTER_MM), 20))
    top = HEAD_MM + (len(alarms) - 1) * LINE_MM
    width, height = length * MM_PER_SECOND + 2 * SIDE_MM, count * LEAD_MM + top + HEAD_MM
    figure = Figure(figsize=(width * MM, height * MM), facecolor=palette.background)
    start = since / history.rate
    notes = history.truth_between(since, until)
    colours = {"pressure": palette.pressure, "pulse": palette.pulse}
    for lead, name in enumerate(history.leads):
        bottom = height - top - (lead + 1) * LEAD_MM
        place = (SIDE_MM / width, bottom / height, length * MM_PER_SECOND / width, LEAD_MM / height)
        axes = figure.add_axes(place, facecolor=palette.background)
        first, samples = history.samples(lead, since, until)
        known = samples[~np.isnan(samples)]
        middle = float(np.median(known)) if len(known) else 0.0
        seconds = (first + np.arange(len(samples))) / history.rate
        axes.set_xlim(start, start + length)
        kind, reach = history.kind(lead), LEAD_MM / MM_PER_MV
        if kind != "ecg" and len(known):  # without a scale of its own: the paper's height
            low, high = float(known.min()), float(known.max())
            samples = middle - 1.2 + (samples - low) / max(high - low, 1e-9) * (reach - 0.6)
        axes.plot(seconds, samples, color=colours.get(kind, palette.trace), linewidth=0.8)
        axes.set_ylim(middle - 1.5, middle - 1.5 + reach)
        for step, line in ((0.04, 0.15), (0.2, 0.5)):
            axes.set_xticks(np.arange(np.ceil(start / step) * step, start + length, step), minor=step < 0.1)
            axes.set_yticks(
                np.arange(np.ceil((middle - 1.5) / (2.5 * step)), (middle + 2.5) / (2.5 * step)) * 2.5 * step,
                minor=step < 0.1,
            )
            axes.grid(which="minor" if step < 0.1 else "major", color=palette.grid, linewidth=line)
        axes.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
        axes.text(-0.005, 0.5, clean(name, 12), transform=axes.transAxes, color=palette.accent, ha="right", va="center")
        marks = [(beat.index, clean(beat.cls, 1), MODEL_MV) for beat in history.beats_between(since, until)]
        marks += [(note.index, CLASS_OF[note.symbol], TRUTH_MV) for note in notes if note.symbol in CLASS_OF]
        for index, letter, above in marks:
            colour = palette.classes.get(letter, palette.text)
            at = index / history.rate
            axes.text(at, middle + above, letter, color=colour, ha="center", weight="bold", parse_math=False)
        for above, row in ((MODEL_MV, "model"), (TRUTH_MV, "truth"))[: 2 if notes else 1]:
            axes.text(start, middle + above, f"{row} ", color=palette.dim, ha="right", fontsize=6)
    rate = rate_of(history, since, until)
    left = SIDE_MM / width
    heard = "heart rate --" if rate is None else f"heart rate {rate:.0f}/min"
    head = f"{clean(history.bed)}  {clock(start)} to {clock(start + length)}  {heard}"
    figure.text(left, 1 - 6 / height, head, color=palette.text, fontsize=9, parse_math=False)
    colour = palette.priority("medium") if caption.alarms else palette.dim
    for number, words in enumerate(alarms):
        down = 1 - (10 + number * LINE_MM) / height
        figure.text(left, down, words, color=colour, fontsize=8, parse_math=False)
    figure.text(left, 6 / height, NOTICE, color=palette.dim, fontsize=7)
    foot = f"{MM_PER_SECOND:g} mm/s, {MM_PER_MV:g} mm/mV, saved {caption.saved:%Y-%m-%d %H:%M:%S}"
    figure.text(left, 2.5 / height, foot, color=palette.dim, fontsize=7)
    stem = f"ecg-{re.sub(r'[^A-Za-z0-9_-]', '_', history.bed)}-{since}-{caption.saved:%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}.svg", folder / f"{stem}.png"]
    for path in paths:
        figure.savefig(path, dpi=DPI, facecolor=palette.background)
    return paths
