"""Alarms as text: the gravest of a bed, the banner, the list, and the order of beds by urgency."""

from __future__ import annotations

from monitor.link.protocol import ActiveAlarm, BedSummary
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import MARKS, Palette, pen
from monitor.screen.draw.plaintext import clean, clock, fit
from monitor.screen.labels import Labels

RANK = {"high": 3, "medium": 2, "low": 1}
UNHEARD = {"not understood": 0.9, "offline": 0.8, "silent": 0.7, "lead off": 0.6, "gapped": 0.5}
"""Urgency of a bed's state, added to that of its alarms."""


def words(alarm: ActiveAlarm, labels: Labels) -> str:
    """The text of an alarm: the service's own in English, by its kind in another language."""
    text = clean(alarm.text) or clean(alarm.kind)
    return text if labels.language == "en" else labels.known(alarm.kind, text)


def worst(alarms: list[ActiveAlarm]) -> ActiveAlarm | None:
    """The gravest alarm; among equals, an unacknowledged alarm. None without alarms."""
    return max(alarms, key=lambda alarm: (RANK[alarm.priority], not alarm.acknowledged), default=None)


def urgency(bed: BedSummary) -> float:
    """The urgency of a bed, for sorting: its gravest alarm, then its state."""
    alarm = worst(bed.alarms)
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
    """The alarm banner: this bed's gravest alarm, and at the right end the gravest of the other beds.

    lit: flashing alarms are in their bright half. named: the bed's name stands before its alarm.
    """
    alarm = worst(bed.alarms) if bed else None
    elsewhere = max((other for other in others if other.alarms), key=urgency, default=None)
    beside = Line()
    if elsewhere is not None:
        graver = worst(elsewhere.alarms)
        if graver is not None and graver.priority != "low" and not graver.acknowledged:
            front, ground = palette.priorities[graver.priority]
            if flashes(graver) and not lit:
                front, ground = palette.flash
            text = f" {clean(elsewhere.bed, 20)}: {MARKS[graver.priority]} {words(graver, labels)} "
            beside.add(fit(text, min(len(text), width // 2)), pen(front, ground, bold=True))
    room = width - beside.width
    line = Line()
    if alarm is None:
        line.add(fit(" " + labels("no_alarms"), room), pen(palette.dim, palette.panel))
    else:
        front, ground = palette.priorities[alarm.priority]
        if alarm.acknowledged:
            front, ground = ground, palette.panel
        elif flashes(alarm) and not lit:
            front, ground = palette.flash
        whose = f" {clean(bed.bed, 20)}:" if bed and named else ""
        text = f"{whose} {MARKS[alarm.priority]} {words(alarm, labels)}"
        more = len(bed.alarms) - 1 if bed else 0
        text += f"  (+{more})" if more > 0 else ""
        if alarm.acknowledged:
            text += f"   {labels('acknowledged')}"
        elif alarm.latched:
            text += f"   {labels('latched')}"
        if bed and bed.silenced_s > 0:
            text += f"   {labels('silenced', s=f'{bed.silenced_s:.0f}')}"
        line.add(fit(text, room), pen(front, ground, bold=True))
    line.segments += beside.segments
    line.width += beside.width
    return line


def alarm_lines(bed: BedSummary | None, height: int, width: int, palette: Palette, labels: Labels) -> list[Line]:
    """The bed's alarms, gravest first, each with the time of its onset."""
    head = Line().add(labels("alarms") + " ", pen(palette.dim, bold=True))
    if bed and bed.silenced_s > 0:
        head.add(labels("silenced", s=f"{bed.silenced_s:.0f}") + " ", pen(palette.text))
    lines = [head.add("─" * max(width - head.width, 0), pen(palette.faint))]
    alarms = bed.alarms if bed else []
    if not alarms:
        return [*lines, Line().add(labels("no_alarms"), pen(palette.dim))]
    for alarm in alarms[: height - 1]:
        colour = palette.priority(alarm.priority)
        line = Line().add(f"{MARKS[alarm.priority]:<4}", pen(colour, bold=True))
        at = clock(alarm.onset / bed.rate) if bed and bed.rate else ""
        line.add(f"{at:<8}", pen(palette.dim))
        done = f" ({labels('acknowledged')})" if alarm.acknowledged else f" ({labels('latched')})" * alarm.latched
        line.add(words(alarm, labels), pen(colour if not alarm.acknowledged else palette.dim))
        lines.append(line.add(done, pen(palette.dim)))
    return lines
