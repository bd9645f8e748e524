"""Rhythms of simulated hearts: each draws RR intervals, classes of beats and P waves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.record import Record
from trainer.lessons.frame import hearts
from trainer.lessons.frame.hearts import Heart
from trainer.lessons.frame.lesson import Text

Floats = NDArray[np.float64]
Drawn = tuple[Floats, list[str], bool]
"""RR intervals (s), classes of the beats, and whether they have P waves."""
NAMES: Final = {
    "N": Text("sinus", "洞調律"),
    "SBR": Text("slow sinus", "洞徐脈"),
    "BII": Text("dropped beats", "II度ブロック"),
    "AFIB": Text("fibrillation", "心房細動"),
    "SVTA": Text("fast atrial", "上室性頻拍"),
    "B": Text("bigeminy", "二段脈"),
    "T": Text("trigeminy", "三段脈"),
    "IVR": Text("idioventricular", "心室固有調律"),
    "VT": Text("ventr. tachy", "心室頻拍"),
}


def _steady(mean: float, spread: float, rng: np.random.Generator, count: int) -> Floats:
    return np.asarray(mean * np.exp(rng.normal(0, spread, count)))


def sinus(one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """The sinus node leads."""
    return _steady(one.rr, 0.03, rng, count), ["N"] * count, True


def slow(_one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """The sinus node leads, slowly."""
    return _steady(rng.uniform(1.15, 1.5), 0.03, rng, count), ["N"] * count, True


def dropped(one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """Every third to fifth beat does not reach the ventricles."""
    rr = _steady(one.rr, 0.03, rng, count)
    rr[int(rng.integers(1, 4)) :: int(rng.integers(3, 6))] *= 1.9
    return rr, ["N"] * count, True


def fibrillation(_one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """The atria fibrillate: no P waves, and no two intervals alike."""
    return np.clip(_steady(rng.uniform(0.55, 0.85), 0.22, rng, count), 0.33, 1.6), ["N"] * count, False


def fast(_one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """An ectopic place of the atria leads, quickly."""
    return _steady(rng.uniform(0.36, 0.46), 0.02, rng, count), ["S"] * count, True


def bigeminy(one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """Every second beat is ventricular."""
    return _every(one, rng, count, 2)


def trigeminy(one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """Every third beat is ventricular."""
    return _every(one, rng, count, 3)


def _every(one: Heart, rng: np.random.Generator, count: int, cycle: int) -> Drawn:
    rr, classes = _steady(one.rr, 0.03, rng, count), ["N"] * count
    for at in range(int(rng.integers(1, cycle + 1)), count - 1, cycle):
        classes[at] = "V"
        rr[at] *= one.early_v
        rr[at + 1] *= 2 - one.early_v
    return rr, classes, True


def idioventricular(_one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """The ventricles lead, slowly."""
    return _steady(rng.uniform(0.9, 1.5), 0.04, rng, count), ["V"] * count, False


def tachycardia(_one: Heart, rng: np.random.Generator, count: int) -> Drawn:
    """The ventricles lead, quickly."""
    return _steady(rng.uniform(0.34, 0.48), 0.03, rng, count), ["V"] * count, False


DRAW: Final[dict[str, Callable[[Heart, np.random.Generator, int], Drawn]]] = {
    "N": sinus,
    "SBR": slow,
    "BII": dropped,
    "AFIB": fibrillation,
    "SVTA": fast,
    "B": bigeminy,
    "T": trigeminy,
    "IVR": idioventricular,
    "VT": tachycardia,
}


def record(name: str, label: str, one: Heart, count: int, rng: np.random.Generator) -> Record:
    """The ECG of `count` beats of a heart in a rhythm."""
    rr, classes, p_waves = DRAW[label](one, rng, count)
    return hearts.record(name, one, rr, classes, rng, rhythms=[f"({label}"] * count, p_waves=np.full(count, p_waves))
