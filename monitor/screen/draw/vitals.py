"""The numbers beside the strip: rate, PVC, RR trend, HRV, the last beat's probabilities, and the memory."""

from __future__ import annotations

from ecg.records.aami import CLASSES
from monitor.link.protocol import BedSummary
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, blend, pen
from monitor.screen.draw.plaintext import fit, right
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory
from monitor.screen.state.rhythm import HRV_SECONDS, trend, variability

MOVED_SECONDS = 60.0
BAR = " ▏▎▍▌▋▊▉█"
STEPS = 12
"""Shades of the memory's heat strip on each side of 0."""


def title(text: str, width: int, palette: Palette) -> Line:
    """A section's heading: its name and a rule."""
    line = Line().add(text + " ", pen(palette.dim, bold=True))
    return line.add("─" * max(width - line.width, 0), pen(palette.faint))


def pvc_lines(bed: BedSummary | None, palette: Palette, labels: Labels) -> list[Line]:
    """PVC per minute, beside the heart rate."""
    count = "--" if bed is None or bed.heart_rate is None else str(bed.pvc_per_minute)
    colour = palette.classes["V"] if bed and bed.pvc_per_minute else palette.text
    return [
        Line().add(labels("pvc"), pen(palette.dim)),
        Line().add(count, pen(colour, bold=True)),
        Line().add(labels("per_minute") if not bed or not bed.pvc_per_minute else "", pen(palette.dim)),
    ]


def vital_lines(history: BedHistory, width: int, height: int, palette: Palette, labels: Labels) -> list[Line]:
    """The sections below heart rate and PVC, the most important first, as many as fit."""
    made: list[Line] = []
    sections = (
        rr_lines(history, width, 2 if height < 18 else 3, palette, labels),
        probability_lines(history, width, palette, labels),
        hrv_lines(history, width, palette, labels),
        memory_lines(history, width, palette, labels),
    )
    order = (0, 2, 1, 3) if height >= 12 else (0, 1)
    for place in order:
        section = sections[place]
        room = height - len(made)
        if room >= min(len(section), 3):
            made += section[:room]
            if height - len(made) > 2 and height >= 22:
                made.append(Line())
    return made


def rr_lines(history: BedHistory, width: int, rows: int, palette: Palette, labels: Labels) -> list[Line]:
    """The RR trend: one column a beat, its height the RR interval, its colour the class."""
    picture, low, high = trend(history.beats[-width:], width - 5, rows)
    lines = [title(labels("rr"), width, palette)]
    for number in range(rows):
        scale = f"{high:4.0f} " if number == 0 else f"{low:4.0f} " if number == rows - 1 else "     "
        line = Line().add(scale if picture else "  -- ", pen(palette.faint if not picture else palette.dim))
        for block, cls in picture[number] if picture else []:
            line.add(block, pen(palette.classes.get(cls, palette.text)))
        lines.append(line)
    return lines


def hrv_lines(history: BedHistory, width: int, palette: Palette, labels: Labels) -> list[Line]:
    """SDNN and RMSSD over the last five minutes."""
    since = history.next - int(HRV_SECONDS * history.rate)
    found = variability(history.beats_between(since, history.next + 1))
    sdnn, rmssd = (f"{found.sdnn:.0f}", f"{found.rmssd:.0f}") if found else ("--", "--")
    line = Line()
    for name, value in (("SDNN", sdnn), ("RMSSD", rmssd)):
        line.add(f"{name} ", pen(palette.dim)).add(value, pen(palette.text, bold=True)).add(" ms  ", pen(palette.dim))
    return [title(labels("hrv"), width, palette), line]


def probability_lines(history: BedHistory, width: int, palette: Palette, labels: Labels) -> list[Line]:
    """The last beat's five class probabilities as bars."""
    lines = [title(labels("last_beat"), width, palette)]
    last = history.beats[-1] if history.beats else None
    named = width >= 30
    for place, cls in enumerate(CLASSES):
        share = last.probabilities[place] if last else 0.0
        chosen = last is not None and last.cls == cls
        colour = palette.classes[cls]
        line = Line().add(f"{cls} ", pen(colour, bold=True))
        if named:
            line.add(fit(labels(cls), 17), pen(palette.text if chosen else palette.dim))
        room = width - line.width - 5
        eighths = round(share * room * 8)
        bar = "█" * (eighths // 8) + (BAR[eighths % 8] if eighths % 8 else "")
        line.add(fit(bar, room), pen(colour if chosen else blend(colour, "#000000", 0.4)))
        line.add(right(f"{share:.2f}" if last else "--", 5), pen(palette.text if chosen else palette.dim))
        lines.append(line)
    return lines


def memory_lines(history: BedHistory, width: int, palette: Palette, labels: Labels) -> list[Line]:
    """The hidden state as a heat strip, two values a cell, and the beats of the last minute that moved it most."""
    lines = [title(labels("memory"), width, palette)]
    values = history.memory
    top = max((abs(value) for value in values), default=0.0) or 1.0
    per_row = -(-len(values) // (2 * max(-(-len(values) // (2 * width)), 1))) if values else width
    for start in range(0, len(values), 2 * per_row):
        upper, lower = values[start : start + per_row], values[start + per_row : start + 2 * per_row]
        line = Line()
        for place, value in enumerate(upper):
            below = lower[place] if place < len(lower) else 0.0
            line.add("▀" * max(width // per_row, 1), pen(_heat(value / top, palette), _heat(below / top, palette)))
        lines.append(line)
    since = history.next - int(MOVED_SECONDS * history.rate)
    recent = history.beats_between(since, history.next + 1)
    most = sorted(recent, key=lambda beat: -beat.moved)[:3]
    if most and most[0].moved > 0:
        lines.append(Line().add(labels("moved"), pen(palette.dim)))
    for beat in most:
        if beat.moved <= 0:
            break
        ago = max(history.next - beat.index, 0) / history.rate
        line = Line().add(f"{beat.cls} ", pen(palette.classes.get(beat.cls, palette.text), bold=True))
        line.add(fit(labels("ago", s=f"{ago:.0f}"), 12), pen(palette.text))
        room = width - line.width - 5
        line.add(fit("━" * max(round(room * beat.moved / most[0].moved), 1), room), pen(palette.dim))
        lines.append(line.add(right(f"{beat.moved:.2f}", 5), pen(palette.text)))
    return lines


def _heat(value: float, palette: Palette) -> str:
    """The colour of a value between -1 and 1, in a few shades."""
    shade = round(min(abs(value), 1.0) * STEPS) / STEPS
    return blend("#000000", palette.warm if value > 0 else palette.cold, shade)
