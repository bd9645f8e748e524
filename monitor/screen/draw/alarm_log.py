"""The alarm log as lines: when an alarm was raised, its onset, its end, and who acknowledged it when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len

from monitor.link.protocol import AlarmEntry
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import MARKS, Palette, pen
from monitor.screen.draw.plaintext import clean, clock, fit
from monitor.screen.labels import Labels

TIME: Final = 11
NAME: Final = 28
NAME_SHORT: Final = 15
WIDE: Final = 100


def log_lines(
    entries: Sequence[AlarmEntry],
    chosen: int,
    stream: str,
    height: int,
    width: int,
    palette: Palette,
    labels: Labels,
    local: Callable[[float], datetime],
) -> list[Line]:
    """A heading and the entries around the chosen one. stream: the bed's present one. local: wall time of seconds."""
    name = NAME if width >= WIDE else NAME_SHORT
    head = Line().add("  ", pen(palette.dim)).add(fit(labels("log_raised"), TIME), pen(palette.dim, bold=True))
    head.add(fit(labels("log_alarm"), 4 + name), pen(palette.dim, bold=True))
    for column in ("log_onset", "log_end"):
        head.add(fit(labels(column), TIME), pen(palette.dim, bold=True))
    head.add(fit(labels("log_seen"), max(width - head.width, 0)), pen(palette.dim, bold=True))
    if not entries:
        return [head, Line().add(labels("log_none"), pen(palette.dim))]
    room = max(height - 1, 1)
    first = max(min(chosen - room // 2, len(entries) - room), 0)
    lines = [head]
    for number, entry in enumerate(entries[first : first + room], first):
        ground = palette.faint if number == chosen else "#000000"
        past = entry.stream != stream
        colour = palette.dim if past or entry.over >= 0 else palette.priority(entry.priority)
        line = Line().add("▸ " if number == chosen else "  ", pen(palette.head, ground, bold=True))
        line.add(fit(clock(entry.raised / entry.rate), TIME), pen(palette.text, ground))
        line.add(f"{MARKS.get(entry.priority, ''):<4}", pen(palette.priority(entry.priority), ground, bold=True))
        line.add(fit(_name(entry, name, labels), name), pen(colour, ground))
        line.add(fit(clock(entry.onset / entry.rate), TIME), pen(palette.dim, ground))
        end = clock(entry.over / entry.rate) if entry.over >= 0 else "--" if past else labels("lasts")
        line.add(fit(end, TIME), pen(palette.dim, ground))
        line.add(fit(_seen(entry, labels, local), max(width - line.width, 0)), pen(palette.text, ground))
        lines.append(line)
    return lines


def _name(entry: AlarmEntry, room: int, labels: Labels) -> str:
    """The alarm in words, and how often it began."""
    times = f" {labels('log_times', n=entry.times)}" if entry.times > 1 else ""
    kind = clean(entry.kind)
    full = labels.known(entry.kind, kind) + times
    return full if cell_len(full) <= room else labels.short(entry.kind, kind) + times


def _seen(entry: AlarmEntry, labels: Labels, local: Callable[[float], datetime]) -> str:
    """Who acknowledged it, and at what time of day."""
    if entry.acknowledged < 0:
        return ""
    at = f"{local(entry.acknowledged_s):%H:%M:%S}"
    return f"{at} {clean(entry.by, 24) or labels('acknowledged')}"
