"""Ventricular fibrillation, flutter and fast tachycardia in the wave of one lead: there are no beats to count.

Four seconds, brought down to about 60 Hz and freed of their baseline, are described by

- how much of them lies away from the baseline (threshold crossing: Arafat, Chowdhury & Hasan, Signal Image Video
  Process 5:329-337, 2011): an ECG with QRS complexes rests on it most of the time;
- what is left when the wave is added to itself half a mean period later (the VF filter leakage of Kuo & Dillman,
  Computers in Cardiology 1978:347-349): a sine-like wave cancels itself;
- how peaked its slopes are (kurtosis) and how much of it has no slope: a QRS is a short steep piece;
- that mean period, and the amplitude;
- how well it repeats itself, and how soon (autocorrelation: Thakor, Zhu & Pan, IEEE Trans Biomed Eng 37:837-843, 1990):
  what comes back less often than 150/min is no fibrillation but beats with wide complexes, and what repeats itself
  faithfully no faster than 230/min is a tachycardia with beats, monomorphic.

Constants of the first four were chosen on DS1 records (207 has flutter).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.alarms.looks import Floats

BASELINE: Final = 30
"""The baseline is the mean over so many block means to either side."""
AWAY: Final = 0.2
"""Share of the largest deviation beyond which a sample is away from the baseline."""
LEAST_AWAY: Final = 0.45
MOST_LEAKAGE: Final = 0.6
MOST_PEAKED: Final = 6.0
NO_SLOPE: Final = 0.05
"""Share of the steepest slope below which a sample has none."""
MOST_STILL: Final = 0.35
HERTZ: Final = (2.3, 9.0)
LEAST_MV: Final = 0.2
UNSTEADY_MV: Final = 0.8
"""Range of the baseline in one look above which beats may be missed."""
SLOWEST: Final = 150 / 60
"""Hz at which the wave must come back, to be one without beats."""
FASTEST_BEATS: Final = 230 / 60
LEAST_LIKE: Final = 0.3
"""Correlation with itself one period later that even ventricular fibrillation has; a rhythm of beats and noise less."""
FAITHFUL: Final = 0.92
"""Correlation with itself one period later above which beats are alike."""
FIRST_PEAK: Final = 0.7
"""The period is the first at which the correlation reaches that share of its highest."""
PERIODS: Final = (0.12, 0.8)
"""s."""
CLEAR_PEAKED: Final = 8.0

Flags = NDArray[np.bool_]


class Waves(NamedTuple):
    """What n windows show, each bool [n].

    wave: ventricular fibrillation, flutter or tachycardia. faithful: one that repeats itself, with beats.
    clear: QRS complexes on a quiet line. unsteady: the baseline moves so much that beats may be missed.
    """

    wave: Flags
    faithful: Flags
    clear: Flags
    unsteady: Flags


def describe(windows: Floats, rate: Floats) -> Waves:
    """What windows show. windows: [n, blocks], mV, four seconds. rate: [n], Hz."""
    length = windows.shape[1]
    place = np.arange(length)
    low, high = np.maximum(place - BASELINE, 0), np.minimum(place + BASELINE + 1, length)
    sums = np.zeros((len(windows), length + 1))
    np.cumsum(windows, axis=1, out=sums[:, 1:])
    baseline = (sums[:, high] - sums[:, low]) / (high - low)
    unsteady = np.ptp(baseline, axis=1) > UNSTEADY_MV
    wave = windows - baseline
    size = np.abs(wave)
    slope = wave[:, 1:] - wave[:, :-1]
    steep = np.abs(slope)
    tall, steepest = size.max(axis=1), steep.max(axis=1)
    still = np.count_nonzero(steep < NO_SLOPE * steepest[:, None], axis=1) / (length - 1)
    square = slope * slope
    peaked = (square * square).mean(axis=1) / np.maximum(square.mean(axis=1) ** 2, 1e-30)
    hit = np.count_nonzero(size > AWAY * tall[:, None], axis=1) / length > LEAST_AWAY
    hit &= (np.ptp(wave, axis=1) > LEAST_MV) & (still < MOST_STILL) & (peaked < MOST_PEAKED)
    half = np.floor(np.pi * size.sum(axis=1) / np.maximum(steep.sum(axis=1), 1e-30) + 0.5)
    half = np.clip(half, 1, length // 2).astype(np.int64)
    hertz = rate / (2 * half)
    hit &= (hertz >= HERTZ[0]) & (hertz <= HERTZ[1])
    faithful = np.zeros(len(windows), bool)
    for row in np.flatnonzero(hit):
        one, other = wave[row, half[row] :], wave[row, : -half[row]]
        hit[row] = np.abs(one + other).sum() < MOST_LEAKAGE * (np.abs(one) + np.abs(other)).sum()
        if hit[row]:
            likeness, back = repetition(wave[row], float(rate[row]))
            hit[row] = back >= SLOWEST and likeness >= LEAST_LIKE
            faithful[row] = hit[row] and likeness >= FAITHFUL and back <= FASTEST_BEATS
    return Waves(hit, faithful, ~hit & (peaked > CLEAR_PEAKED) & (still > MOST_STILL), unsteady)


def repetition(wave: Floats, rate: float) -> tuple[float, float]:
    """How like itself a wave [n] is one period later, and how often it comes back, Hz."""
    first, last = int(PERIODS[0] * rate), int(PERIODS[1] * rate)
    power = float(wave @ wave) / len(wave)
    lags = np.arange(first, last + 1)
    like = np.array([float(wave[lag:] @ wave[:-lag]) / (len(wave) - lag) for lag in lags]) / max(power, 1e-30)
    negative = np.flatnonzero(like < 0)
    begin = int(negative[0]) if len(negative) else 0
    best = float(like[begin:].max())
    inside = like[begin:]
    top = np.flatnonzero(
        (inside[1:-1] >= inside[:-2]) & (inside[1:-1] >= inside[2:]) & (inside[1:-1] >= FIRST_PEAK * best)
    )
    at = begin + (int(top[0]) + 1 if len(top) else int(inside.argmax()))
    return float(like[at]), rate / float(lags[at])
