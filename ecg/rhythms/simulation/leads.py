"""From the heart's dipole to leads: Dower's matrix, derived limb leads, swapped electrodes, hearts that lie otherwise.

The dipole has three components in mV: x to the left, y to the feet, z to the back (Frank's axes).
A lead is a weighted sum of the three, so all leads of a heart agree.

Weights: G. E. Dower, H. B. Machado, J. A. Osborne, "On deriving the electrocardiogram from vectorcardiographic leads",
Clin Cardiol 3(2):87-95, 1980.
"""

from __future__ import annotations

import math
from functools import lru_cache
from random import Random
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError

Floats = NDArray[np.float64]
Swap = Literal["", "RA-LA", "RA-LL", "LA-LL", "V1-V2"]
SWAPS: Final = get_args(Swap)

DOWER: Final = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
TWELVE: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ECG: Final = (*TWELVE, "MLII")
"""ECG leads that can be drawn; MLII, of ambulatory recorders, is drawn as II."""
PULSES: Final = ("PLETH", "ABP")
"""Signals of the circulation: the pulse oximeter's (no unit, 0 to about 1) and an arterial pressure (mmHg)."""
NAMES: Final = (*ECG, *PULSES)
_AS_TYPED: Final = {name.upper(): name for name in NAMES}


class Anatomy(NamedTuple):
    """How a heart lies and how large it is: turns about z and y (rad), size, and size of its T and P waves."""

    frontal: float = 0.0
    horizontal: float = 0.0
    size: float = 1.0
    t_size: float = 1.0
    p_size: float = 1.0

    @classmethod
    def drawn(cls, number: int) -> Anatomy:
        """A heart as people have them, the same for the same number; number 0 is the plain one."""
        if not number:
            return cls()
        rng = Random(f"anatomy {number}")
        turn = math.radians
        return cls(
            turn(rng.gauss(0, 12)),
            turn(rng.gauss(0, 8)),
            math.exp(rng.gauss(0, 0.15)),
            math.exp(rng.gauss(0, 0.15)),
            math.exp(rng.gauss(0, 0.2)),
        )

    def rotation(self) -> Floats:
        """The dipole of this heart from that of the plain one: [3, 3]."""
        a, b = self.frontal, self.horizontal
        about_z = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
        about_y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
        turned: Floats = self.size * about_y @ about_z
        return turned


def names(wanted: list[str] | tuple[str, ...], what: str = "leads") -> tuple[str, ...]:
    """Leads as typed, any case, as they are called here; "12" stands for the twelve. Raises UserError."""
    found: list[str] = []
    for name in wanted:
        if name.strip() == "12":
            found += [one for one in TWELVE if one not in found]
            continue
        known = _AS_TYPED.get(name.strip().upper())
        if known is None:
            raise UserError(f'{what}: {name!r} cannot be simulated: give some of {", ".join(NAMES)}, or "12"')
        if known not in found:
            found.append(known)
    if not any(name in ECG for name in found):
        raise UserError(f"{what}: give at least one ECG lead, such as II")
    return tuple(found)


@lru_cache(maxsize=1024)
def weights(lead: str, swap: Swap = "") -> tuple[float, float, float]:
    """Weights of the dipole in one ECG lead, with these two electrodes in each other's place: mV per mV.

    Swapped limb electrodes leave the chest leads as they are, since the terminal that these are measured against is the
    mean of all three.
    """
    one, two = np.array(DOWER["I"]), np.array(DOWER["II"])
    three = two - one
    if swap == "RA-LA":
        one, two, three = -one, three, two
    elif swap == "RA-LL":
        one, two, three = -three, -two, -one
    elif swap == "LA-LL":
        one, two, three = two, one, -three
    limb = {
        "I": one,
        "II": two,
        "MLII": two,
        "III": three,
        "aVR": -(one + two) / 2,
        "aVL": (one - three) / 2,
        "aVF": (two + three) / 2,
    }
    if lead in limb:
        x, y, z = limb[lead].tolist()
        return x, y, z
    if swap == "V1-V2" and lead in ("V1", "V2"):
        lead = "V2" if lead == "V1" else "V1"
    return DOWER[lead]


def matrix(leads: tuple[str, ...], swap: Swap = "", anatomy: Anatomy | None = None) -> Floats:
    """The ECG leads of a heart from the plain dipole: [leads, 3]."""
    turned = (anatomy or Anatomy()).rotation()
    projected: Floats = np.array([weights(lead, swap) for lead in leads]).reshape(-1, 3) @ turned
    return projected


def sources(leads: tuple[str, ...]) -> tuple[Floats, bool]:
    """What electrodes add to I, II and the chest leads, as these leads show it: [leads, sources].

    Also whether each lead is a source of its own, in order.
    """
    limb = {
        "I": {"I": 1.0},
        "II": {"II": 1.0},
        "MLII": {"II": 1.0},
        "III": {"II": 1.0, "I": -1.0},
        "aVR": {"I": -0.5, "II": -0.5},
        "aVL": {"I": 1.0, "II": -0.5},
        "aVF": {"II": 1.0, "I": -0.5},
    }
    parts = [limb.get(lead, {lead: 1.0}) for lead in leads]
    needed = list(dict.fromkeys(name for part in parts for name in part))
    mixing = np.array([[part.get(name, 0.0) for name in needed] for part in parts])
    return mixing, mixing.shape[0] == mixing.shape[1] and bool((mixing == np.eye(len(mixing))).all())
