"""Simulated hearts: annotated records of one lead, drawn beat by beat.

A beat is a sum of Gaussian waves, as in McSharry et al. (IEEE Trans Biomed Eng 50(3):289-294, 2003), without their
differential equation. Every heart has waves, a rate and a way to fail of its own. They are far simpler than patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.record import Annotations, Record

Floats = NDArray[np.float64]

RATE: Final = 250.0
"""Hz, of the records made here."""
GAIN: Final = 200.0
WAVES: Final = np.array(
    [
        (-0.165, 0.020, 0.14),
        (-0.030, 0.009, -0.12),
        (0.0, 0.011, 1.1),
        (0.032, 0.010, -0.22),
        (0.27, 0.055, 0.30),
    ]
)
"""P, Q, R, S and T of a normal beat: place (s from the R-peak), width (s) and height (mV)."""
ECTOPIC: Final = np.array([(-0.02, 0.038, 1.3), (0.09, 0.045, -0.55), (0.30, 0.065, -0.42)])
"""A ventricular beat: wide, with its T wave the other way round, and no P wave."""
SYMBOLS: Final = {"N": "N", "S": "A", "V": "V", "F": "F"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """One simulated heart.

    normal, ectopic: its waves [waves, 3]. rr: mean RR interval, s. supra, ventricular: chance that a beat is S, is V.
    early_s, early_v: RR interval of such a beat over the mean. noise: mV.
    """

    normal: Floats
    ectopic: Floats
    p_ectopic: Floats
    rr: float
    supra: float
    ventricular: float
    early_s: float
    early_v: float
    noise: float


def heart(rng: np.random.Generator, *, spread: float = 1.0, supra: float = 0.06, ventricular: float = 0.08) -> Heart:
    """Draw a heart. spread: how much hearts differ. supra, ventricular: mean share of S and V beats."""
    normal = WAVES.copy()
    normal[:, 1] *= np.exp(rng.normal(0, 0.15 * spread, len(normal)))
    normal[:, 2] *= np.exp(rng.normal(0, 0.35 * spread, len(normal)))
    if rng.random() < 0.3 * min(spread, 1):
        normal[1:4, 1] *= rng.uniform(1.5, 2.2)
        normal[3, 2] *= rng.uniform(1, 3)
    if rng.random() < 0.25 * spread:
        normal[4, 2] *= -0.6
    ectopic = ECTOPIC.copy()
    ectopic[:, 1] *= np.exp(rng.normal(0, 0.2 * spread, len(ectopic)))
    ectopic[:, 2] *= np.exp(rng.normal(0, 0.3 * spread, len(ectopic))) * rng.choice((-1, 1))
    p_ectopic = normal[:1].copy()
    p_ectopic[0, 0] *= rng.uniform(0.65, 1.1)
    p_ectopic[0, 2] *= rng.uniform(-0.8, 0.7)
    return Heart(
        normal=normal,
        ectopic=ectopic,
        p_ectopic=p_ectopic,
        rr=float(rng.uniform(0.6, 1.05)),
        supra=float(supra * rng.uniform(0.4, 1.6)),
        ventricular=float(ventricular * rng.uniform(0.4, 1.6)),
        early_s=float(rng.uniform(0.65, 0.88)),
        early_v=float(rng.uniform(0.55, 0.8)),
        noise=float(rng.uniform(0.015, 0.05)),
    )


def sinus(one: Heart, rng: np.random.Generator, count: int) -> tuple[Floats, list[str]]:
    """RR intervals (s) and classes of `count` beats of the heart's own rhythm, with its S and V beats among them.

    A pause that makes up for it follows a V beat; after an S beat the sinus node begins anew.
    """
    slow = np.cumsum(rng.normal(0, 0.01, count))
    slow -= np.linspace(0, slow[-1], count)
    rr = one.rr * np.exp(slow + rng.normal(0, 0.025, count))
    classes = ["N"] * count
    at = 3
    while at < count - 1:
        drawn = rng.random()
        if drawn < one.ventricular:
            classes[at] = "V"
            factor = one.early_v * np.exp(rng.normal(0, 0.04))
            rr[at] *= factor
            rr[at + 1] *= 2 - factor
            at += 2
        elif drawn < one.ventricular + one.supra:
            classes[at] = "S"
            rr[at] *= one.early_s * np.exp(rng.normal(0, 0.04))
            at += 2
        else:
            at += 1
    return rr, classes


def record(
    name: str,
    one: Heart,
    rr: Floats,
    classes: Sequence[str],
    rng: np.random.Generator,
    *,
    rhythms: Sequence[str] | None = None,
    p_waves: NDArray[np.bool_] | None = None,
) -> Record:
    """The ECG of these beats. rhythms: label of the rhythm of each beat. p_waves: which beats have one [n]."""
    peaks = 0.6 + np.cumsum(rr) - rr[0]
    signal = np.zeros(round((peaks[-1] + 1.0) * RATE))
    for number, (peak, kind) in enumerate(zip(peaks, classes, strict=True)):
        with_p = True if p_waves is None else bool(p_waves[number])
        room = rr[number + 1] if number + 1 < len(rr) else 1.0
        for place, width, height in _waves(one, kind, with_p):
            reach = place * np.sqrt(np.clip(room, 0.35, 1.3)) if place > 0.2 else place
            _add(signal, peak + reach, width, height)
    time = np.arange(len(signal)) / RATE
    signal += 0.1 * np.sin(2 * np.pi * (0.22 * time + rng.random())) + rng.normal(0, one.noise, len(signal))
    index = np.rint(peaks * RATE).astype(np.int64)
    labels = ["(N"] * len(rr) if rhythms is None else list(rhythms)
    return Record(
        name=name,
        rate=RATE,
        leads=("MLII",),
        gain=np.array([GAIN]),
        baseline=np.array([0.0]),
        samples=np.rint(signal * GAIN).astype(np.int16)[:, None],
        source="synthetic",
        annotations=Annotations(index, np.array([SYMBOLS[kind] for kind in classes]), np.array(labels)),
    )


def ward(
    count: int, beats: int, seed: int, *, spread: float = 1.0, supra: float = 0.06, ventricular: float = 0.08
) -> list[Record]:
    """Records of `count` hearts with `beats` beats each; the same for the same seed."""
    made = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        one = heart(rng, spread=spread, supra=supra, ventricular=ventricular)
        made.append(record(f"heart {number + 1}", one, *sinus(one, rng, beats), rng))
    return made


def _waves(one: Heart, kind: str, with_p: bool) -> Floats:
    """The waves of a beat of a class."""
    if kind == "V":
        return one.ectopic
    if kind == "F":
        half, other = one.normal.copy(), one.ectopic.copy()
        half[:, 2] *= 0.5
        other[:, 2] *= 0.5
        return np.concatenate((half, other))
    if kind == "S":
        return np.concatenate((one.p_ectopic, one.normal[1:]))
    return one.normal if with_p else one.normal[1:]


def _add(signal: Floats, centre: float, width: float, height: float) -> None:
    """Add a Gaussian wave, in place. centre, width: s."""
    first, last = int((centre - 4 * width) * RATE), int((centre + 4 * width) * RATE) + 1
    first, last = max(first, 0), min(last, len(signal))
    if first < last:
        time = np.arange(first, last) / RATE - centre
        signal[first:last] += height * np.exp(-0.5 * (time / width) ** 2)
