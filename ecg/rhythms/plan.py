"""A plan: the changes to each beat of a heart, before they are carried out (ecg.rhythms.morphing)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ecg.rhythms.donors import Floats, Mask


class PWave(NamedTuple):
    """An ectopic P wave, made of the normal one.

    size, turn: share of the normal wave in it, and of that wave's slope, scaled to the same size. later: delay, s.
    """

    size: float
    turn: float = 0.0
    later: float = 0.0


class Wave(NamedTuple):
    """Fibrillating atria from one beat to another: size in units of the normal QRS, and frequency."""

    first: int
    last: int
    size: float
    hertz: float


class Noise(NamedTuple):
    """Noise from one beat to another: rms in units of the normal QRS, and its band in Hz.

    bursts: spread (log) of its size from second to second.
    """

    first: int
    last: int
    size: float
    low: float
    high: float
    bursts: float


@dataclass(slots=True, kw_only=True)
class Plan:
    """The changes to each of n beats.

    interval: factor of the RR interval before it [n]. p_wave, p_turn, p_shift: its P wave, as in PWave [n].
    early: it becomes S [n]. lost: it becomes N [n].
    weight: share of a donor's beat in it [n], 0 for none, 1 for V, between for F. bodies: the donors' beats, by beat.
    conducted: it is a donor's from the QRS complex on, and keeps its P wave and its class [n].
    waves: the spans in which the atria fibrillate.
    """

    interval: Floats
    p_wave: Floats
    p_turn: Floats
    p_shift: Floats
    early: Mask
    lost: Mask
    weight: Floats
    conducted: Mask
    bodies: dict[int, Floats] = field(default_factory=dict)
    waves: list[Wave] = field(default_factory=list)

    @classmethod
    def nothing(cls, count: int) -> Plan:
        """A plan that leaves `count` beats as they are."""
        return cls(
            interval=np.ones(count),
            p_wave=np.ones(count),
            p_turn=np.zeros(count),
            p_shift=np.zeros(count),
            early=np.zeros(count, bool),
            lost=np.zeros(count, bool),
            weight=np.zeros(count),
            conducted=np.zeros(count, bool),
        )
