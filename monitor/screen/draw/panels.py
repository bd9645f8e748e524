"""The lines around the strip: top bar, alerts, status, keys. Pure functions from the ward to lines."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.link.protocol import BedSummary, Notice, ServiceStatus
from monitor.screen.draw.alarm_lines import faults
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, button, pen
from monitor.screen.draw.plaintext import clean, clock, fit, right
from monitor.screen.labels import Labels

SIMULATED = "SIMULATED "
"""What the record of a simulated patient begins with; the badge says it already."""


def top_line(bed: BedSummary | None, place: str, badge: str, width: int, palette: Palette, labels: Labels) -> Line:
    """Bed, record and state, and the notice against clinical use. place: of the bed among all, such as "2/8"."""
    line = Line().add(" ♥ ", pen(palette.accent, bold=True))
    if bed is None:
        line.add(labels("title"), pen(palette.text, bold=True))
    else:
        line.wire(bed.bed, pen(palette.text, bold=True)).add(f" {place}", pen(palette.dim))
        if bed.simulated:
            line.add("  ", pen(palette.text)).add(f" {labels('simulated')} ", pen("#000000", palette.head, bold=True))
        record = bed.record.removeprefix(SIMULATED) if bed.simulated else bed.record
        line.add(f"  {labels('record')} ", pen(palette.dim)).wire(record[:24], pen(palette.text))
        if bed.state not in ("ok", "noisy"):
            colour = palette.priority("low") if bed.state == "learning" else palette.priority("medium")
            state = labels.known(bed.state, clean(bed.state, 20))
            line.add("  ", pen(palette.text)).add(f" {state} ", pen("#000000", colour, bold=True))
        noisy = [lead for lead in bed.signal if lead.signal == "noisy"]
        if noisy and bed.state != "lead off":
            colour = palette.priority("medium" if bed.state == "noisy" else "low")
            told = f" {labels('noisy_why', why=faults(bed, labels))} "
            line.add("  ", pen(palette.text)).add(told, pen("#000000", colour, bold=True))
        elif bed.leads_off:
            off = labels("off", leads=" ".join(clean(name, 8) for name in bed.leads_off))
            line.add("  ", pen(palette.text)).add(f" {off} ", pen("#000000", palette.priority("low"), bold=True))
    if badge:
        line.add("  ", pen(palette.text)).add(f" {badge} ", pen("#000000", palette.head, bold=True))
    notice = f" {labels('not_clinical')} "
    shown = Line().add(notice, pen(palette.priority("medium")))
    line.segments = list(line.strip(max(width - shown.width, 0)))
    line.width = max(width - shown.width, 0)
    return line.add(notice, pen(palette.priority("medium")))


def alert_lines(
    alerts: Sequence[Notice], rate: float, chosen: int, height: int, width: int, palette: Palette, labels: Labels
) -> list[Line]:
    """Abnormal beats and resets of the memory, newest first; a click shows the strip. rate: Hz. chosen: -1 for none."""
    head = Line().add(labels("alerts") + " ", pen(palette.dim, bold=True))
    lines = [head.add("─" * max(width - head.width, 0), pen(palette.faint))]
    if not alerts:
        return [*lines, Line().add(labels("no_alerts"), pen(palette.dim))]
    for number, alert in enumerate(alerts[: height - 1]):
        ground = palette.faint if number == chosen else "#000000"
        action = f"app.see_alert({number})"
        at = clock(alert.index / rate) if rate else ""
        line = Line().add("▸" if number == chosen else " ", pen(palette.text, ground))
        line.add(f"{at:<9}", button(palette.text, action, ground))
        if alert.kind == "beat":
            colour = palette.classes.get(alert.cls, palette.text)
            line.add(f"{clean(alert.cls, 1)} ", button(colour, action, ground, bold=True))
            room = width - line.width - 14
            line.add(fit(labels.known(alert.cls, ""), max(room, 0)), button(colour, action, ground))
            line.add(f"{alert.probability:5.2f}", pen(palette.text, ground))
            line.add(right(f"{alert.latency_ms:.0f} ms", 9), pen(palette.dim, ground))
        else:
            said = labels("commanded", what=clean(alert.text)) if alert.kind == "command" else None
            words = said or reset_words(alert.text, labels)
            line.add(fit(words, width - line.width), pen(palette.accent if said else palette.dim, ground))
        lines.append(line)
    return lines


def reset_words(text: str, labels: Labels) -> str:
    """The text of a reset in the language of the screen."""
    why = clean(text).removeprefix("memory reset: ")
    return labels("reset", why=why)


def status_line(status: ServiceStatus | None, width: int, palette: Palette, labels: Labels) -> Line:
    """Problems first, then latency, lookahead, beats/s, beds, lost samples, broker, device and model."""
    ground = palette.panel
    line = Line().add(" ", pen(palette.dim, ground))
    if status is None:
        return line.add(fit(labels("waiting"), width - 1), pen(palette.dim, ground))
    if not status.connected or status.problem:
        colour = palette.priority("high" if not status.connected else "medium")
        text = clean(status.problem) or labels("no_connection")
        line.add(f" {text} ", pen("#000000", colour, bold=True)).add(" ", pen(palette.dim, ground))

    p50, p99 = ("--" if ms is None else f"{ms:.0f}" for ms in (status.latency_p50_ms, status.latency_p99_ms))
    losses = palette.priority("medium") if status.lost else palette.text
    items = [
        (labels("latency"), f"p50 {p50} p99 {p99} ms", palette.text),
        (labels("lookahead"), f"{status.lookahead_ms:.0f} ms", palette.text),
        (labels("beats_per_s"), f"{status.beats_per_s:.1f}", palette.text),
        (labels("beds"), str(status.beds), palette.text),
        (labels("lost"), str(status.lost), losses),
        (labels("broker"), clean(status.broker, 40), palette.text),
        (labels("device"), clean(status.device, 20), palette.text),
        (labels("model"), clean(status.model, 30), palette.text),
    ]
    if status.junk:
        items.insert(5, (labels("junk"), str(status.junk), palette.priority("medium")))
    for name, value, colour in items:
        part = Line().add(f"{name} ", pen(palette.dim, ground)).add(value, pen(colour, ground))
        if line.width + part.width > width - 1:
            continue
        line.segments += part.segments
        line.width += part.width
        line.add("  ", pen(palette.dim, ground))
    return line


def key_line(keys: Sequence[tuple[str, str, str]], width: int, palette: Palette) -> Line:
    """The keys, each clickable; keys without room are left out. keys: (key, text, action)."""
    line = Line()
    for key, what, action in keys:
        part = Line().add(f" {key} ", button("#000000", action, palette.dim, bold=True))
        part.add(f" {what}  ", button(palette.dim, action))
        if line.width + part.width > width:
            break
        line.segments += part.segments
        line.width += part.width
    return line
