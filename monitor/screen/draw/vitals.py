"""The numbers beside the strip: rate, PVC, RR trend, HRV, the last beat's probabilities, and the memory."""

from __future__ import annotations

from rich.cells import cell_len

from ecg.records.aami import CLASSES
from ecg.trends import variability
from monitor.link.protocol import BedSummary
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, blend, letter_pen, pen
from monitor.screen.draw.plaintext import fit, right
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory
from monitor.screen.state.rhythm import HRV_SECONDS, trend

MOVED_SECONDS = 60.0
BAR = " ▏▎▍▌▋▊▉█"
AIRY = 22
"""From this height on sections are set apart by an empty line while there is room."""
GROWTH = (
    ("beat", 0),
    ("memory", 0),
    ("beat", 1),
    ("rr", 0),
    ("memory", 1),
    ("hrv", 0),
    ("memory", 2),
    ("rr", 1),
)
"""(section, form) in the order in which room is given: each section's forms from small to large."""
STEPS = 12
"""Shades of the memory's heat strip on each side of 0."""
SCALE = 6
"""Cells of its scale on each side of 0."""


def title(text: str, width: int, palette: Palette) -> Line:
    """A section's heading: its name and a rule."""
    line = Line().add(text + " ", pen(palette.dim, bold=True))
    return line.add("─" * max(width - line.width, 0), pen(palette.faint))


def rate_limits(line: Line, bed: BedSummary | None, palette: Palette) -> Line:
    """Add the limits of the heart rate's alarms, such as "50–120"; in another colour where they are the bed's own."""
    if bed is None or not {"bradycardia_rate", "tachycardia_rate"} <= bed.limits.keys():
        return line
    own = {"bradycardia_rate", "tachycardia_rate"} & set(bed.own)
    text = f"{bed.limits['bradycardia_rate']:g}–{bed.limits['tachycardia_rate']:g}"
    return line.add(f" {text}", pen(palette.head if own else palette.dim, bold=bool(own)))


def pvc_lines(bed: BedSummary | None, palette: Palette, labels: Labels) -> list[Line]:
    """PVC per minute and its limit, beside the heart rate."""
    own = bed is not None and "frequent_v_per_minute" in bed.own
    count = "--" if bed is None or bed.heart_rate is None else str(bed.pvc_per_minute)
    colour = palette.classes["V"] if bed and bed.pvc_per_minute else palette.text
    return [
        Line().add(labels("pvc"), pen(palette.dim)),
        Line().add(count, pen(colour, bold=True)),
        Line().add(_most(bed, "frequent_v_per_minute"), pen(palette.head if own else palette.dim)),
    ]


def _most(bed: BedSummary | None, name: str) -> str:
    """An upper limit."""
    return f"≤ {bed.limits[name]:g}" if bed is not None and name in bed.limits else ""


def vital_lines(history: BedHistory, width: int, height: int, palette: Palette, labels: Labels) -> list[Line]:
    """The sections below heart rate and PVC: each as large as there is room, the most important first.

    A section that does not fit whole takes its next smaller form, so that nothing is cut off in its middle.
    """
    forms = {
        "rr": [rr_lines(history, width, rows, palette, labels) for rows in (2, 3)],
        "hrv": [hrv_lines(history, width, palette, labels)],
        "beat": [beat_line(history, palette, labels), probability_lines(history, width, palette, labels)],
        "memory": memory_forms(history, width, palette, labels),
    }
    chosen: dict[str, list[Line]] = {name: [] for name in forms}
    room = height
    for name, form in GROWTH:
        if form < len(forms[name]):
            larger = forms[name][form]
            cost = len(larger) - len(chosen[name])
            if cost <= room:
                chosen[name], room = larger, room - cost
    made: list[Line] = []
    for section in chosen.values():
        if section and made and room > 0 and height >= AIRY:
            made.append(Line())
            room -= 1
        made += section
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


def beat_line(history: BedHistory, palette: Palette, labels: Labels) -> list[Line]:
    """The last beat in one line: its class and probability."""
    line = Line().add(f"{labels('last_beat')} ", pen(palette.dim, bold=True))
    if not history.beats:
        return [line.add("--", pen(palette.dim))]
    last = history.beats[-1]
    share = max(last.probabilities)
    return [line.add(f"{last.cls} {share:.2f}", letter_pen(palette, last.cls, last.unsure))]


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


def memory_forms(history: BedHistory, width: int, palette: Palette, labels: Labels) -> list[list[Line]]:
    """The memory in one line; as a heat strip with its scale; and with the beats that moved it most."""
    values = history.memory
    name = labels("memory")
    line = Line().add(f"{labels('memory_short')} ", pen(palette.dim, bold=True))
    picture = _strip(values, width - line.width, palette)
    if len(picture) != 1:  # more units than the line has cells
        picture = [Line().add(fit(labels("units", n=len(values)), width - line.width), pen(palette.text))]
    line.segments += picture[0].segments
    line.width += picture[0].width
    head = title(f"{name}  {labels('units', n=len(values))}", width, palette)
    strip = [head, *_strip(values, width, palette), _scale(palette)]
    return [[line], strip, strip + _moved(history, width, palette, labels)]


def _strip(values: list[float], width: int, palette: Palette) -> list[Line]:
    """Hidden units as a heat strip, two a cell, from -1 to 1."""
    if not values:
        return [Line().add("--", pen(palette.dim))]
    rows = -(-len(values) // (2 * max(width, 1)))
    per_row = -(-len(values) // (2 * rows))
    lines = []
    for start in range(0, len(values), 2 * per_row):
        upper, lower = values[start : start + per_row], values[start + per_row : start + 2 * per_row]
        line = Line()
        for place, value in enumerate(upper):
            below = lower[place] if place < len(lower) else 0.0
            cells = (place + 1) * width // per_row - place * width // per_row
            line.add("▀" * cells, pen(heat(value, palette), heat(below, palette)))
        lines.append(line)
    return lines


def _scale(palette: Palette) -> Line:
    """The colours of -1 to 1."""
    line = Line().add("-1 ", pen(palette.dim))
    for step in range(-SCALE, SCALE + 1):
        if step == 0:
            line.add(" 0 ", pen(palette.dim))
        else:
            line.add("█", pen(heat(step / SCALE, palette)))
    return line.add(" +1", pen(palette.dim))


def _moved(history: BedHistory, width: int, palette: Palette, labels: Labels) -> list[Line]:
    """The beats of the last minute that changed the memory most, and by how much (L2)."""
    since = history.next - int(MOVED_SECONDS * history.rate)
    recent = history.beats_between(since, history.next + 1)
    most = [beat for beat in sorted(recent, key=lambda beat: -beat.moved)[:3] if beat.moved > 0]
    if not most:
        return []
    heading = labels("moved")
    lines = [Line().add(heading if cell_len(heading) <= width else labels("moved_short"), pen(palette.dim))]
    for beat in most:
        ago = max(history.next - beat.index, 0) / history.rate
        line = Line().add(f"{beat.cls} ", pen(palette.classes.get(beat.cls, palette.text), bold=True))
        line.add(fit(labels("ago", s=f"{ago:.0f}"), 12), pen(palette.text))
        room = width - line.width - 5
        line.add(fit("━" * max(round(room * beat.moved / most[0].moved), 1), room), pen(palette.dim))
        lines.append(line.add(right(f"{beat.moved:.2f}", 5), pen(palette.text)))
    return lines


def heat(value: float, palette: Palette) -> str:
    """The colour of a value between -1 and 1, in a few shades."""
    shade = round(min(abs(value), 1.0) * STEPS) / STEPS
    return blend("#000000", palette.warm if value > 0 else palette.cold, shade)
