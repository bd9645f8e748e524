"""Strips of single alarms as SVG: the leads on paper, the network's letters, and where the alarm came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.records.aami import CLASS_OF
from ecg.records.record import Record
from monitor.evaluation.verdicts import OUTCOMES, Verdict

BEFORE_SECONDS, AFTER_SECONDS = 7.0, 3.0
"""Around the moment at which the alarm was known."""
SCALE: Final = 4.0
"""Units of the picture in a millimetre of paper."""
SECOND, MILLIVOLT = 25 * SCALE, 10 * SCALE
LEAD_MM: Final = 30.0
SIZES: Final = (1.0, 0.5, 0.25)
"""Shares of 10 mm/mV that a strip may be drawn at: the largest in which its leads have room."""
TOP, SIDE, FOOT = 44.0, 40.0, 20.0
PER_SECOND: Final = 125.0
"""Places drawn in a second: the highest and the lowest sample of each."""
COLOURS: Final = {"right": "#1a7f37", "held": "#6e5494", "wrong": "#b3261e", "missed": "#9a6700"}
HALO: Final = 'paint-order="stroke" stroke="#fffdfb" stroke-width="3"'
NOTICE: Final = "For research and education, not for clinical use."


def save(verdicts: Sequence[Verdict], folder: Path) -> list[Path]:
    """Write one SVG each, named by outcome, number, kind and record; returns their paths. Raises UserError."""
    numbers: dict[str, int] = {}
    files = {}
    for one in verdicts:
        numbers[one.outcome] = number = numbers.get(one.outcome, 0) + 1
        name = f"{one.outcome}-{number}-{one.kind}-{one.record.name}".replace("_", "-").replace("/", "-")
        files[folder / f"{name}.svg"] = svg(one).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--strips {folder} cannot be made: {error.strerror}") from None
    for path, content in files.items():
        write_atomic({path: content})
    return list(files)


def svg(one: Verdict) -> str:
    """One strip, as text."""
    record, rate = one.record, one.record.rate
    first = max(round(one.at - BEFORE_SECONDS * rate), 0)
    last = min(round(one.at + AFTER_SECONDS * rate), len(record.samples))
    width, height = (last - first) / rate * SECOND, len(record.leads) * LEAD_MM * SCALE
    total = f'width="{width + SIDE + 8:.0f}" height="{height + TOP + FOOT:.0f}"'
    colour, words = COLOURS[one.outcome], one.kind.replace("_", " ")
    title = f"{OUTCOMES[one.outcome]}: {words}, {record.name}, {_clock(one.at / rate)}"
    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {total} font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        '<defs><pattern id="g" width="20" height="20" patternUnits="userSpaceOnUse">'
        '<path d="M20 0H0V20" fill="none" stroke="#f0c8c4" stroke-width="1"/></pattern></defs>',
        '<rect width="100%" height="100%" fill="#fffdfb"/>',
        f'<text x="{SIDE}" y="16" font-weight="bold" fill="{colour}">{escape(title)}</text>',
        f'<g transform="translate({SIDE} {TOP})"><rect width="{width:.0f}" height="{height:.0f}" fill="url(#g)"/>',
    ]
    size = _fitting(record, first, last)
    for lead, name in enumerate(record.leads):
        made += _lead(record, lead, name, first, last, size)
    made += _letters(one, first, last)
    made += _moments(one, first, last, height, colour)
    fitted = "" if all(_ecg(record, lead) for lead in range(len(record.leads))) else " (pulse: fitted)"
    foot = f"25 mm/s, {10 * size:g} mm/mV{fitted}; letters: the network above, the truth below. {NOTICE}"
    made.append(f'<text x="0" y="{height + 14:.0f}" font-size="11" fill="#666">{escape(foot)}</text></g></svg>')
    return "\n".join(made) + "\n"


def _fitting(record: Record, first: int, last: int) -> float:
    """The largest of SIZES at which nearly all of each ECG lead has room."""
    leads = [record.millivolts(lead)[first:last] for lead in range(len(record.leads)) if _ecg(record, lead)]
    reach = max((float(np.ptp(np.nanpercentile(one, (1, 99)))) for one in leads if np.isfinite(one).any()), default=0.0)
    return next((size for size in SIZES if reach * 10 * size <= LEAD_MM), SIZES[-1])


def _lead(record: Record, lead: int, name: str, first: int, last: int, size: float) -> list[str]:
    """The name and the trace of one lead; what has no room in it ends at its edge."""
    middle = (lead + 0.5) * LEAD_MM * SCALE
    signal = record.millivolts(lead)[first:last].astype(float)
    known = signal[~np.isnan(signal)]
    level = float(np.median(known)) if len(known) else 0.0
    scale = size * MILLIVOLT if _ecg(record, lead) else LEAD_MM * SCALE * 0.7 / max(float(np.ptp(known)), 1e-9)
    low, high = middle - 0.55 * LEAD_MM * SCALE, middle + 0.55 * LEAD_MM * SCALE
    points = [
        f"{x:.1f},{min(max(middle - (y - level) * scale, low), high):.1f}" for x, y in _reduced(signal, record.rate)
    ]
    return [
        f'<text x="-6" y="{middle + 4:.0f}" text-anchor="end">{escape(name)}</text>',
        f'<polyline fill="none" stroke="#111" stroke-width="1.2" points="{" ".join(points)}"/>',
    ]


def _reduced(signal: NDArray[np.float64], rate: float) -> list[tuple[float, float]]:
    """Highest and lowest sample of each place, in the order in which they come: (x in units, mV)."""
    size = max(int(rate / PER_SECOND * 2), 1)
    made: list[tuple[float, float]] = []
    for begin in range(0, len(signal), size):
        part = signal[begin : begin + size]
        if np.isnan(part).any():
            continue
        places = sorted({int(part.argmin()), int(part.argmax())})
        made += [((begin + at) / rate * SECOND, float(part[at])) for at in places]
    return made


def _letters(one: Verdict, first: int, last: int) -> list[str]:
    """The network's letters above the first lead, those of the truth below it."""
    rate, bottom = one.record.rate, LEAD_MM * SCALE - 4
    marks = [(beat.index, beat.cls, 12.0) for beat in one.heard.beats]
    notes = one.record.annotations
    if notes is not None:
        truth = zip(notes.index.tolist(), notes.symbol.tolist(), strict=True)
        marks += [(index, CLASS_OF[symbol], bottom) for index, symbol in truth if symbol in CLASS_OF]
    return [
        f'<text x="{(index - first) / rate * SECOND:.1f}" y="{y:.0f}" text-anchor="middle" '
        f'{HALO} fill="{"#111" if letter == "N" else "#b3261e"}">{escape(letter)}</text>'
        for index, letter, y in marks
        if first <= index < last
    ]


def _moments(one: Verdict, first: int, last: int, height: float, colour: str) -> list[str]:
    """Lines where the condition began and where it was known."""
    rate = one.record.rate
    known = "held back" if one.outcome in ("held", "missed") else "raised"
    made = []
    for index, words, dash in ((one.onset, "onset", ' stroke-dasharray="4 4"'), (one.at, known, "")):
        if first <= index < last:
            x = f"{(index - first) / rate * SECOND:.1f}"
            made.append(f'<path d="M{x} 0V{height:.0f}" stroke="{colour}" stroke-width="1.5"{dash}/>')
            made.append(f'<text x="{x}" y="-6" text-anchor="middle" font-size="11" fill="{colour}">{words}</text>')
    return made


def _ecg(record: Record, lead: int) -> bool:
    """Is that lead in mV?."""
    return not record.units or record.units[lead] == "mV"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{seconds % 60:04.1f}"
