"""`producer gallery`: one strip of every simulated rhythm as an SVG file, drawn like ECG paper."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from ecg import programs
from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.records.aami import CLASS_OF
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from ecg.rhythms.simulation.orders import Orders
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.simulation import Mark, Simulation

RATE: Final = 100.0
BEFORE_SECONDS: Final = 12.0
SECONDS: Final = 6.0
LEADS: Final = ("II", "V1", "ABP")
MM: Final = 4.0
"""Pixels of 1 mm of paper: 25 mm/s, 10 mm/mV."""
ROWS: Final = (("II", 22.0, 10.0, "mV"), ("V1", 44.0, 10.0, "mV"), ("ABP", 66.0, 0.1, "mmHg"))
"""Lead, mm from the top to its 0 (of the pressure: to 40 mmHg), mm per unit, unit."""
PRESSURE_ZERO: Final = 40.0
HEIGHT: Final = 68.0
INK: Final = {"II": "#133b1f", "V1": "#133b1f", "ABP": "#a3231f"}
SEED: Final = "gallery"


def strips() -> dict[str, tuple[str, Orders]]:
    """What is drawn: title and orders, by the name of the file."""
    made = {name: (rhythm.title, Orders(rhythm=name)) for name, rhythm in RHYTHMS.items()}
    for name, ectopy in ECTOPY.items():
        if name != "none":
            per_minute = None if ectopy.after else 30.0
            made[name] = (ectopy.title, Orders(rhythm="sinus", ectopy=name, per_minute=per_minute))
    made["st_inferior"] = ("ST elevation, inferior, 0.4 mV", Orders(st=0.4, territory="inferior"))
    made["st_anterior"] = ("ST elevation, anterior, 0.4 mV", Orders(st=0.4, territory="anterior"))
    made["potassium_7"] = ("Hyperkalaemia, 7 mmol/l", Orders(potassium=7.0))
    made["potassium_8_5"] = ("Hyperkalaemia, 8.5 mmol/l", Orders(potassium=8.5, rate=58))
    for name, title in (("wander", "Baseline wander"), ("muscle", "Muscle noise"), ("motion", "Motion artefact")):
        made[f"artefact_{name}"] = (title, Orders(artefacts={name: 1.0}))
    made["swapped_arms"] = ("Electrodes of the arms swapped", Orders(swap="RA-LA"))
    return made


def parser() -> argparse.ArgumentParser:
    """Every option of this command."""
    made = argparse.ArgumentParser(
        prog=f"{programs.shown('producer')} gallery", description="Draw one strip of every simulated rhythm as SVG."
    )
    made.add_argument("--out", type=Path, required=True, help="folder for the files")
    return made


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status. Raises UserError where the folder cannot be written."""
    out = parser().parse_args(arguments).out
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomic({out / f"{name}.svg": drawn(*what).encode() for name, what in strips().items()})
    except OSError as error:
        raise UserError(f"the gallery cannot be written to {out}: {error.strerror}") from None
    print(f"{len(strips())} strips in {out}")
    return 0


def drawn(title: str, orders: Orders) -> str:
    """One strip: SVG of the last SECONDS, with the symbols of the truth above the beats."""
    simulation = Simulation(rate=RATE, names=LEADS, seed=SEED, script=Script([(0, orders)]))
    first = round(BEFORE_SECONDS * RATE)
    before = simulation.next(first)
    chunk = simulation.next(round(SECONDS * RATE))
    values = chunk.samples / np.array(simulation.gain)
    width = SECONDS * 25 * MM
    label = (chunk.marks or before.marks)[-1].rhythm
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {HEIGHT * MM:g}" font-family="sans-serif">',
        f"<title>{escape(title)} (simulated)</title>",
        '<defs><pattern id="a" width="4" height="4" patternUnits="userSpaceOnUse">'
        '<path d="M4 0H0V4" fill="none" stroke="#f3d9d3" stroke-width=".5"/></pattern>'
        '<pattern id="b" width="20" height="20" patternUnits="userSpaceOnUse">'
        '<rect width="20" height="20" fill="url(#a)"/>'
        '<path d="M20 0H0V20" fill="none" stroke="#e9b9ae" stroke-width=".8"/></pattern></defs>',
        '<rect width="100%" height="100%" fill="#fffdfb"/><rect width="100%" height="100%" fill="url(#b)"/>',
        f'<text x="6" y="15" font-size="13" font-weight="bold">{escape(title)}</text>',
        f'<text x="{width - 6:g}" y="15" font-size="11" text-anchor="end">SIMULATED {escape(label)}</text>',
        *(_symbol(mark, first) for mark in chunk.marks if mark.symbol in CLASS_OF or mark.symbol == "^"),
    ]
    for column, (lead, zero, scale, unit) in enumerate(ROWS):
        base = PRESSURE_ZERO if lead == "ABP" else 0.0
        path = _path((zero - scale * (values[:, column] - base)) * MM)
        parts.append(f'<path d="{path}" fill="none" stroke="{INK[lead]}" stroke-width="1.2" stroke-linejoin="round"/>')
        parts.append(f'<text x="4" y="{(zero - 6) * MM:g}" font-size="10" fill="{INK[lead]}">{lead} {unit}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _symbol(mark: Mark, first: int) -> str:
    x = (mark.index - first) / RATE * 25 * MM
    return f'<text x="{x:.0f}" y="28" font-size="9" text-anchor="middle" fill="#555">{escape(mark.symbol)}</text>'


def _path(heights: np.ndarray) -> str:
    """A polyline as steps of fourths of a pixel, which keeps the file small."""
    steps = np.rint(np.clip(heights, 0, HEIGHT * MM) * 4).astype(int)
    step = f"{25 * MM / RATE:g}"
    moves = "".join(
        f"l{step} {change / 4:g}".replace("0.", ".").replace(" -", "-") for change in np.diff(steps).tolist()
    )
    return f"M0 {steps[0] / 4:g}{moves}"
