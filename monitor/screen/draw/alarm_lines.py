"""Alarms as text: the banner, the list, and the order of beds by urgency. A bed's first alarm is the one in front."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from monitor.link.protocol import ActiveAlarm, BedSummary, Notice
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import MARKS, Palette, pen
from monitor.screen.draw.plaintext import clean, clock, fit
from monitor.screen.labels import Labels
from monitor.screen.state.alarms import RANK

UNHEARD = {"not understood": 0.9, "offline": 0.8, "silent": 0.7, "lead off": 0.6, "noisy": 0.55, "gapped": 0.5}
"""Urgency of a bed's state, added to that of its alarms."""
OF_RATE: Final = ("extreme_tachycardia", "extreme_bradycardia", "tachycardia", "bradycardia")
"""Alarms that are shown with the rate of now beside their limit: the two are averages of different length."""


def words(alarm: ActiveAlarm, bed: BedSummary, labels: Labels, room: int = 1000) -> str:
    """The text of an alarm, in full if that fits `room` cells, else its short name.

    In full: the service's own text in English, the kind's in another language.
    """
    own = clean(alarm.text) or clean(alarm.kind)
    full = own if labels.language == "en" else labels.known(alarm.kind, own)
    if alarm.kind == "cannot_analyse" and labels.language != "en" and (why := faults(bed, labels)):
        full += f"（{why}）"
    short = labels.short(alarm.kind, full)
    found = re.search(r"(\d+(?:\.\d+)?)/min", own) if alarm.kind in OF_RATE and bed.heart_rate is not None else None
    if found:
        rate = f"{bed.heart_rate:.0f}"
        beside = {"rate": rate, "limit": found[1]}
        short = labels("beside_limit", name=short, **beside)
        if labels.language == "en":
            full += f" ({labels('now', rate=rate)})"
        else:
            full = labels("beside_limit", name=full, **beside)
    return full if cell_len(full) <= room else short


def faults(bed: BedSummary, labels: Labels) -> str:
    """Why leads of a bed cannot be analysed: "MLII: muscle or mains, V1: off"; "" where all can."""
    told = []
    for lead in bed.signal:
        words = [labels.known(f"fault_{fault}", clean(fault, 20)) for fault in lead.why.split()]
        if lead.signal != "good":
            told.append(f"{clean(lead.lead, 8)}: {', '.join(words) or labels(f'signal_{lead.signal}')}")
    return "; ".join(told)


def urgency(bed: BedSummary) -> float:
    """The urgency of a bed, for sorting: its gravest alarm, then its state."""
    alarm = bed.alarms[0] if bed.alarms else None
    grave = 0.0 if alarm is None else 2 * RANK[alarm.priority] + (0 if alarm.acknowledged else 1)
    return grave + UNHEARD.get(bed.state, 0.0)


def flashes(alarm: ActiveAlarm | None) -> bool:
    """Does this alarm flash? High alarms flash until acknowledged."""
    return alarm is not None and alarm.priority == "high" and not alarm.acknowledged


def banner(
    bed: BedSummary | None,
    others: list[BedSummary],
    width: int,
    lit: bool,
    palette: Palette,
    labels: Labels,
    named: bool = False,
) -> Line:
    """The alarm banner: this bed's gravest alarm, how many more, and at the right end the gravest of the other beds.

    lit: flashing alarms are in their bright half. named: the bed's name stands before its alarm.
    """
    beside = _elsewhere(others, width // 2, lit, palette, labels)
    room = width - beside.width
    line = Line()
    if bed is None or not bed.alarms:
        line.add(fit(" " + labels("no_alarms"), room), pen(palette.dim, palette.panel))
    else:
        alarm = bed.alarms[0]
        front, ground = palette.priorities[alarm.priority]
        if alarm.acknowledged:
            front, ground = ground, palette.panel
        elif flashes(alarm) and not lit:
            front, ground = palette.flash
        before = (f" {clean(bed.bed, 20)}:" if named else "") + f" {MARKS[alarm.priority]} "
        after = f"  +{len(bed.alarms) - 1}" if len(bed.alarms) > 1 else ""
        if alarm.acknowledged:
            after += f"   {labels('acknowledged')}"
        elif alarm.latched:
            after += f"   {labels('latched')}"
        if bed.silenced_s > 0:
            after += f"   {labels('silenced', s=f'{bed.silenced_s:.0f}')}"
        text = before + words(alarm, bed, labels, room - cell_len(before) - cell_len(after)) + after
        line.add(fit(text, room), pen(front, ground, bold=True))
    line.segments += beside.segments
    line.width += beside.width
    return line


def _elsewhere(others: list[BedSummary], most: int, lit: bool, palette: Palette, labels: Labels) -> Line:
    """The gravest alarm of the other beds, in at most `most` cells; nothing where it is low or acknowledged."""
    line = Line()
    other = max((other for other in others if other.alarms), key=urgency, default=None)
    if other is None:
        return line
    alarm = other.alarms[0]
    if alarm.priority == "low" or alarm.acknowledged:
        return line
    front, ground = palette.priorities[alarm.priority]
    if flashes(alarm) and not lit:
        front, ground = palette.flash
    before = f" {clean(other.bed, 20)}: {MARKS[alarm.priority]} "
    text = f"{before}{words(alarm, other, labels, most - cell_len(before) - 1)} "
    return line.add(fit(text, min(cell_len(text), most)), pen(front, ground, bold=True))


def alarm_lines(
    bed: BedSummary | None, ended: Sequence[Notice], height: int, width: int, palette: Palette, labels: Labels
) -> list[Line]:
    """The bed's alarms, gravest first, each with the time at which it was raised and that of its onset.

    ended: the notices of alarms that ended, newest first; in the room that is left, dimmed.
    """
    head = Line().add(labels("alarms") + " ", pen(palette.dim, bold=True))
    if bed and bed.silenced_s > 0:
        head.add(labels("silenced", s=f"{bed.silenced_s:.0f}") + " ", pen(palette.text))
    if bed and bed.held:
        head.add(labels("held", n=bed.held) + " ", pen(palette.text))
    lines = [head.add("─" * max(width - head.width, 0), pen(palette.faint))]
    if bed is None or not bed.alarms:
        lines.append(Line().add(labels("no_alarms"), pen(palette.dim)))
    if bed is None:
        return lines
    for alarm in bed.alarms:
        colour = palette.priority(alarm.priority)
        line = Line().add(f"{MARKS[alarm.priority]:<4}", pen(colour, bold=True))
        raised = bed.raised.get(alarm.kind, alarm.onset)
        line.add(fit(clock(raised / bed.rate) if bed.rate else "", 8), pen(palette.dim))
        after = f" {labels('since', at=clock(alarm.onset / bed.rate))}" if bed.rate and raised != alarm.onset else ""
        done = f" ({labels('acknowledged')})" if alarm.acknowledged else f" ({labels('latched')})" * alarm.latched
        room = width - line.width - cell_len(after) - cell_len(done)
        line.add(words(alarm, bed, labels, room), pen(colour if not alarm.acknowledged else palette.dim))
        lines.append(line.add(after + done, pen(palette.dim)))
    shown = {(alarm.kind, alarm.onset) for alarm in bed.alarms}
    over = [
        notice
        for notice in ended
        if notice.stream == bed.stream and notice.until >= 0 and (notice.text, notice.index) not in shown
    ]
    lines += [_over(notice, bed.rate, width, palette, labels) for notice in over if bed.rate]
    return lines[:height]


def _over(notice: Notice, rate: float, width: int, palette: Palette, labels: Labels) -> Line:
    """An alarm that ended: its onset, its end."""
    text = clean(notice.text)
    span = labels("over", at=clock(notice.index / rate), until=clock(notice.until / rate))
    room = width - 5 - cell_len(span)
    name = fit(labels.short(notice.text, text), min(max(room, 0), 14))
    return Line().add(fit(f"    {name} {span}", width), pen(palette.dim))
