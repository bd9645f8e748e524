"""Names and units of signals: which are ECG leads, in whatever dialect, and which one is analysed.

A header, a device or another program names the same lead "MLII", "II", "ECG II", "Lead II" or "ECG Lead II"; a pressure
comes in mmHg under many names. The kind of a signal is decided by its unit first, where that says something, then by
its name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

Kind = Literal["ecg", "pressure", "pulse", "other"]
"""What a signal shows: an ECG lead, an arterial pressure, a plethysmogram, or something else."""

MILLIVOLT: Final = "mV"
PER_MILLIVOLT: Final = {
    **dict.fromkeys(("mv", "millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("uv", "microvolt", "microvolts"), 1e-3),
    **dict.fromkeys(("v", "volt", "volts"), 1e3),
    "nv": 1e-6,
}
"""Units of voltage, lower case, and how many mV each is."""
UNSPOKEN: Final = ("", "nu", "n/a", "na", "none", "unknown", "adu", "a.u.", "au", "arb", "1", "-")
"""Units that do not say of what kind a signal is."""

LIMB: Final = {"i": "I", "ii": "II", "iii": "III", "avr": "aVR", "avl": "aVL", "avf": "aVF"}
LIMB_NUMBERS: Final = {"1": "I", "2": "II", "3": "III"}
CHEST: Final = re.compile(r"v[1-9]r?|v")
MODIFIED: Final = re.compile(r"ml(i{1,3})|mcl([1-6])|(mv[1-6])|c([mcsbr][1-6])")
AROUND: Final = re.compile(
    r"^(?:ecg|ekg)?[\s:_.-]*(?:lead|derivation|channel|chan|ch)?[\s:_.-]*|[\s_.(-]*(?:ecg|ekg|lead)\)?$"
)
SECOND: Final = ("MLII", "II")
"""Leads along the heart's axis, which beats and P waves are seen best in: taken where the wanted one is not there."""

OTHER: Final = (
    *("ABP", "AIRFLOW", "ART", "ACC", "AOBP", "BODY", "BP", "CAPNO", "CO2", "CVP", "ECOG", "EDA", "EEG", "EMG", "EOG"),
    *("ETCO2", "EVENT", "FLOW", "GSR", "IBP", "ICP", "LAP", "MARKER", "NBP", "PAP", "PCG", "PLETH", "PPG", "PULSE"),
    *("RESP", "SAO2", "SNORE", "SPO2", "TEMP", "TRIGGER", "UAP", "UVP"),
)
"""What the names of signals that are no ECG begin with: pressures, pulse, breath, brain, muscle, marks."""
PRESSURES: Final = ("ABP", "ART", "AOBP", "BP", "IBP", "UAP")
PLETHYSMOGRAMS: Final = ("PLETH", "PPG", "PULSE")
"""What the names of signals begin with that show the heart's pulse."""
RATES: Final = ("bpm", "1/min", "/min", "%")
"""Units of numbers that a monitor has computed: no waves."""


@lru_cache(maxsize=1024)
def canonical(name: str) -> str:
    """The one name of a lead for all its dialects: "ECG Lead II" and "lead ii" are "II", "AVR" is "aVR".

    A name that is not that of a known lead stays as it is, without the space around it.
    """
    bare = AROUND.sub("", name.strip().lower())
    bare = re.sub(r"^mod(?:ified)?[\s._-]*", "m", bare)
    if bare in LIMB:
        return LIMB[bare]
    if bare in LIMB_NUMBERS and "lead" in name.lower():
        return LIMB_NUMBERS[bare]
    if CHEST.fullmatch(bare) or MODIFIED.fullmatch(bare):
        return bare.upper()
    return name.strip()


@lru_cache(maxsize=1024)
def is_known(name: str) -> bool:
    """Is it the name of an ECG lead, or one that begins with ECG or EKG?."""
    bare = canonical(name)
    known = bare in LIMB.values() or bool(CHEST.fullmatch(bare.lower()) or MODIFIED.fullmatch(bare.lower()))
    return known or name.strip().upper().startswith(("ECG", "EKG"))


def millivolts_per(unit: str) -> float | None:
    """How many mV one of that unit is, for example 0.001 for "uV"; None where it is no unit of voltage."""
    return PER_MILLIVOLT.get(_plain(unit))


def is_ecg(name: str, unit: str = "") -> bool:
    """Is a signal of that name and unit an ECG lead? unit: "" where nobody says.

    A unit of something else than voltage decides; so does a name that is known to be another signal's. What neither
    says anything about is taken for ECG.
    """
    if _plain(unit) not in UNSPOKEN and millivolts_per(unit) is None:
        return False
    return is_known(name) or not name.strip().upper().startswith(OTHER)


def ecg_columns(leads: Sequence[str], units: Sequence[str] = (), wanted: str = "MLII") -> list[int]:
    """Columns of all ECG leads, best first: `wanted`, else MLII or II, then known leads, then names that are not known.

    units: one for every lead, or none at all. Names are compared in whatever dialect. Empty where no signal is ECG.
    """
    given = [*units, *[""] * (len(leads) - len(units))]
    wish = canonical(wanted).upper()
    columns = [column for column, name in enumerate(leads) if is_ecg(name, given[column])]
    return sorted(columns, key=lambda column: _rank(leads[column], wish))


def pulse_columns(leads: Sequence[str], units: Sequence[str] = ()) -> list[int]:
    """Columns of the signals that show the heart's pulse: the first arterial pressure, the first plethysmogram.

    The pressure goes first: a cold finger takes a plethysmogram away. Empty where there is neither.
    """
    given = [*units, *[""] * (len(leads) - len(units))]
    waves = [(column, name.strip().upper()) for column, name in enumerate(leads) if _plain(given[column]) not in RATES]
    by_kind = ([column for column, name in waves if name.startswith(kind)] for kind in (PRESSURES, PLETHYSMOGRAMS))
    return [column for columns in by_kind for column in columns[:1]]


def kind_of(name: str, unit: str = "") -> Kind:
    """What a signal of that name and unit shows."""
    if is_ecg(name, unit):
        return "ecg"
    label = name.strip().upper()
    if label.startswith(PRESSURES):
        return "pressure"
    return "pulse" if label.startswith(PLETHYSMOGRAMS) else "other"


def pick_lead(leads: Sequence[str], wanted: str = "MLII", units: Sequence[str] = ()) -> int:
    """Column of the lead to analyse: the first of `ecg_columns`; 0 where no signal is an ECG lead."""
    return next(iter(ecg_columns(leads, units, wanted)), 0)


def _plain(unit: str) -> str:
    """A unit in small letters, with either sign for micro as u."""
    return unit.strip().replace("µ", "u").replace("μ", "u").lower()


def _rank(name: str, wish: str) -> int:
    """How soon a lead is taken, 0 first. wish: the canonical name of the wanted one, in capitals."""
    bare = canonical(name)
    if bare.upper() == wish:
        return 0
    if bare in SECOND:
        return 1 + SECOND.index(bare)
    return 3 if is_known(name) else 4
