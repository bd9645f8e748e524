"""The course of one bed as a picture, and beneath it when an alarm on the value and one on the change ring."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import programs
from ecg.settings import Config
from monitor.link.protocol import STEP_SECONDS
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, pen
from monitor.screen.draw.paper import span_bits
from monitor.screen.draw.plaintext import clock, fit, right
from monitor.screen.draw.vitals import title
from monitor.screen.labels import Labels
from monitor.screen.state.trend import Course, Rule

LEFT: Final = 10
"""Cells left of the pictures."""
LEAST_RANGE: Final = 20.0
"""Of a sign's scale."""
LEAST_VALUES: Final = 3


def rules(config: Config) -> dict[str, Rule]:
    """The rules of both alarms by sign, in the proportion of the lesson: a mean over a quarter of the window."""
    screen, alarms = config.screen, config.alarms
    window = max(round(60 * screen.trend_window_minutes / STEP_SECONDS), 4)
    half = max(window // 4, 1)
    return {
        "rate": Rule(
            low=alarms.bradycardia_rate,
            high=alarms.tachycardia_rate,
            limit=screen.trend_rate_change,
            half=half,
            window=window,
        ),
        "pressure": Rule(
            low=screen.trend_pressure_low,
            high=float("inf"),
            limit=screen.trend_pressure_change,
            half=half,
            window=window,
            falls=True,
        ),
    }


def trend_lines(
    course: Course, config: Config, unit: str, width: int, height: int, palette: Palette, labels: Labels
) -> list[Line]:
    """The whole view in `height` lines. unit: of the pressure."""
    found = {sign: course.of(sign) for sign in ("rate", "hrv", "pressure")}
    shown = {sign: values for sign, values in found.items() if len(values) >= LEAST_VALUES}
    if not shown:
        words = labels("trend_waits", s=f"{LEAST_VALUES * STEP_SECONDS:.0f}")
        return [Line().add(fit(words, width), pen(palette.dim))]
    limits = rules(config)
    fixed = sum(4 if sign in limits else 1 for sign in shown) + 2
    rows = max((height - fixed) // len(shown), 2)
    lines: list[Line] = []
    for sign, values in shown.items():
        name = labels(f"trend_{sign}", unit=unit or "mmHg") if sign == "pressure" else labels(f"trend_{sign}")
        lines.append(title(f"{name}  {values[-1]:.0f}", width, palette))
        lines += chart(values, rows, width, palette)
        if sign in limits:
            lines += bells(values, limits[sign], course.begin, width, palette, labels)
    lines.append(_clock_line(course, max(len(values) for values in shown.values()), width, palette))
    command = f"{programs.typed('trainer')} lesson trend"
    lines.append(Line().add(fit(labels("trend_lesson", command=command), width), pen(palette.dim)))
    return lines[:height]


def _columns(count: int, places: int) -> NDArray[np.int64]:
    """The value that each of `places` columns shows: few values are spread, many drawn together."""
    return np.minimum(np.arange(places) * count // places, count - 1)


def chart(values: NDArray[np.float64], rows: int, width: int, palette: Palette) -> list[Line]:
    """A line of dots over the whole course, with the range beside it."""
    dots = 2 * max(width - LEFT, 4)
    low, high = float(values.min()), float(values.max())
    middle, span = (low + high) / 2, max(high - low, LEAST_RANGE)
    low, high = middle - span / 2, middle + span / 2
    at = values[_columns(len(values), dots)]
    place = np.clip(np.rint((high - at) / span * (4 * rows - 1)), 0, 4 * rows - 1).astype(np.int64)
    before = np.concatenate((place[:1], place[:-1]))
    picture = span_bits(np.minimum(place, before), np.maximum(place, before), rows)
    lines = []
    for number, row in enumerate(picture.tolist()):
        scale = f"{high:.0f}" if number == 0 else f"{low:.0f}" if number == rows - 1 else ""
        line = Line().add(right(scale, LEFT - 1) + " ", pen(palette.dim))
        lines.append(line.add("".join(chr(0x2800 + bits) if bits else " " for bits in row), pen(palette.trace)))
    return lines


def bells(
    values: NDArray[np.float64], rule: Rule, begin: float, width: int, palette: Palette, labels: Labels
) -> list[Line]:
    """When each alarm rings, and which rang first. begin: signal time of the first value, s."""
    columns = max(width - LEFT, 4)
    lines, firsts = [], []
    for name, ringing in zip(("value", "change"), rule.ringing(values), strict=True):
        line = Line().add(fit(labels(f"trend_{name}"), LEFT), pen(palette.text))
        edges = np.arange(columns + 1) * len(values) // columns
        for start, end in zip(edges[:-1], np.maximum(edges[1:], edges[:-1] + 1), strict=True):
            rings = bool(ringing[start:end].any())
            line.add("■" if rings else "·", pen(palette.priority("medium") if rings else palette.faint))
        lines.append(line)
        found = np.flatnonzero(ringing)
        firsts.append(begin + (int(found[0]) + 1) * STEP_SECONDS if len(found) else None)
    value, changed = firsts
    told = []
    for name, first in (("value", value), ("change", changed)):
        when = labels("trend_never") if first is None else labels("trend_since", at=clock(first))
        told.append(f"{labels(f'trend_{name}')} ({_rule_words(name, rule, labels)}): {when}")
    if value is not None and changed is not None and value != changed:
        which = "trend_earlier" if changed < value else "trend_later"
        told.append(labels(which, s=f"{abs(value - changed):.0f}"))
    return [*lines, Line().add(fit("; ".join(told), width), pen(palette.dim))]


def _rule_words(name: str, rule: Rule, labels: Labels) -> str:
    if name == "change":
        half, window = (f"{steps * STEP_SECONDS / 60:g} min" for steps in (rule.half, rule.window))
        limit = f"{'-' if rule.falls else '±'}{rule.limit:g}"
        return labels("trend_rule_change", half=half, limit=limit, window=window)
    if np.isinf(rule.high):
        return labels("trend_rule_low", low=f"{rule.low:g}")
    return labels("trend_rule_value", high=f"{rule.high:g}", low=f"{rule.low:g}")


def _clock_line(course: Course, count: int, width: int, palette: Palette) -> Line:
    """Signal time under the pictures' ends."""
    end = clock(course.begin + count * STEP_SECONDS)
    line = Line().add(" " * LEFT, pen(palette.dim)).add(clock(course.begin), pen(palette.dim))
    return line.to(max(width - len(end), line.width)).add(end, pen(palette.dim))
