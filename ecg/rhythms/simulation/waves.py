"""The waves of one beat as sums of Gaussians of the heart's dipole.

After P. E. McSharry et al., "A dynamical model for generating synthetic electrocardiogram signals", IEEE Trans Biomed
Eng 50(3):289-294, 2003 (one Gaussian a wave), extended to a dipole as R. Sameni et al., "Multichannel ECG and noise
modeling", EURASIP J Adv Signal Process 2007:043407. Here a beat is placed at its R-peak in time, not on a limit cycle:
beats of different origin may follow one another at any interval.

Sizes, widths and places were set by hand to look like the textbook's; they are no measurement of anybody.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Territory = Literal["inferior", "anterior", "lateral"]
TERRITORIES: Final = get_args(Territory)


class Bump(NamedTuple):
    """One Gaussian: its middle and width (standard deviation) in s, its size in mV of the dipole's x, y and z."""

    at: float
    width: float
    x: float
    y: float
    z: float

    def resized(self, size: float, wider: float = 1.0) -> Bump:
        """Larger by a factor, and wider about the R-peak by another."""
        return Bump(self.at * wider, self.width * wider, self.x * size, self.y * size, self.z * size)


class Shape(NamedTuple):
    """A ventricular activation. qrs: its QRS complex about the R-peak. t: direction and size of the T wave, mV.

    onset: s from the beginning of the QRS complex to the R-peak. wide: s that QT is longer than that of a narrow beat.
    """

    qrs: tuple[Bump, ...]
    t: tuple[float, float, float]
    onset: float = 0.04
    wide: float = 0.0


class Repolarisation(NamedTuple):
    """What changes the shape of a beat beside its origin. qt: s. st: mV. potassium: mmol/l."""

    qt: float
    st: float = 0.0
    territory: Territory = "inferior"
    potassium: float = 4.2


NORMAL_T: Final = (0.26, 0.24, -0.20)
_Q: Final = Bump(-0.024, 0.0075, -0.12, -0.07, -0.26)
_R: Final = Bump(0.0, 0.0105, 1.00, 0.95, 0.22)
_S: Final = Bump(0.025, 0.0095, -0.12, -0.16, 0.50)

SHAPES: Final[dict[str, Shape]] = {
    "narrow": Shape((_Q, _R, _S), NORMAL_T),
    "rbbb": Shape(
        (_Q, _R, _S, Bump(0.052, 0.015, -0.55, -0.10, -0.62), Bump(0.078, 0.018, -0.30, -0.02, -0.34)),
        (0.30, 0.22, 0.18),
        wide=0.03,
    ),
    "lbbb": Shape(
        (
            Bump(-0.034, 0.011, 0.50, 0.34, 0.30),
            Bump(0.0, 0.013, 0.95, 0.62, 0.95),
            Bump(0.030, 0.012, 0.85, 0.38, 0.60),
            Bump(0.056, 0.013, 0.50, 0.14, 0.40),
        ),
        (-0.32, -0.16, -0.34),
        onset=0.055,
        wide=0.05,
    ),
    "aberrant": Shape(
        (_Q, _R, _S, Bump(0.048, 0.014, -0.50, -0.14, -0.52), Bump(0.072, 0.016, -0.26, -0.04, -0.28)),
        (0.22, 0.18, 0.10),
        wide=0.02,
    ),
    "outflow": Shape(  # right ventricular outflow tract: like left bundle branch block, axis to the feet
        (
            Bump(-0.036, 0.014, 0.16, 0.50, 0.20),
            Bump(0.0, 0.019, 0.34, 1.60, 0.62),
            Bump(0.042, 0.018, 0.24, 0.62, 0.44),
        ),
        (-0.16, -0.52, -0.30),
        onset=0.065,
        wide=0.06,
    ),
    "left": Shape(  # left ventricle, back wall: like right bundle branch block, axis away from the feet
        (
            Bump(-0.042, 0.015, 0.20, -0.40, -0.35),
            Bump(0.0, 0.020, -0.40, -1.40, -0.80),
            Bump(0.046, 0.019, -0.42, -0.50, -0.38),
        ),
        (0.22, 0.46, 0.34),
        onset=0.07,
        wide=0.07,
    ),
    "apex": Shape(  # right ventricular apex, also where a pacing wire lies
        (
            Bump(-0.038, 0.014, 0.30, -0.30, 0.30),
            Bump(0.0, 0.018, 0.55, -1.20, 0.75),
            Bump(0.042, 0.019, 0.48, -0.66, 0.42),
        ),
        (-0.26, 0.40, -0.30),
        onset=0.065,
        wide=0.06,
    ),
    "slow": Shape(  # escape from far down in the ventricles
        (
            Bump(-0.046, 0.018, 0.10, 0.38, -0.25),
            Bump(0.0, 0.023, -0.20, 1.15, -0.75),
            Bump(0.054, 0.022, -0.35, 0.34, -0.30),
        ),
        (0.10, -0.40, 0.30),
        onset=0.08,
        wide=0.09,
    ),
    "twist_a": Shape(
        (Bump(-0.03, 0.030, 0.25, 0.85, 0.20), Bump(0.01, 0.034, 0.25, 0.95, 0.25)),
        (-0.12, -0.42, -0.10),
        onset=0.07,
        wide=0.02,
    ),
    "twist_b": Shape(
        (Bump(-0.03, 0.030, 0.75, 0.05, -0.55), Bump(0.01, 0.034, 0.85, 0.10, -0.60)),
        (-0.34, -0.04, 0.26),
        onset=0.07,
        wide=0.02,
    ),
}
"""Ventricular activations by name."""

ATRIAL: Final[dict[str, tuple[Bump, ...]]] = {
    "p": (Bump(0.035, 0.018, 0.030, 0.075, -0.045), Bump(0.065, 0.020, 0.055, 0.070, 0.040)),
    "p_ectopic": (Bump(0.032, 0.017, -0.045, 0.030, 0.030), Bump(0.058, 0.018, -0.03, -0.060, 0.02)),
    "p_retrograde": (Bump(0.035, 0.017, 0.015, -0.085, 0.005), Bump(0.060, 0.018, 0.02, -0.06, -0.01)),
    "flutter": (Bump(0.030, 0.030, -0.02, -0.20, -0.05), Bump(0.105, 0.038, 0.02, 0.16, -0.05)),
    "spike": (Bump(0.0, 0.0008, 1.2, 1.8, -0.6),),
    "spike_atrial": (Bump(0.0, 0.0008, 0.5, 0.8, -0.2),),
}
"""Atrial waves by name, from the beginning of the P wave on; and pacing spikes."""

ST_TOWARDS: Final[dict[Territory, tuple[float, float, float]]] = {
    "inferior": (-0.35, 0.95, 0.30),
    "anterior": (0.35, 0.05, -0.75),
    "lateral": (0.90, -0.20, 0.25),
}
"""Direction of 1 mV of ST elevation, so that its largest lead shows about 1 mV."""
NORMAL_POTASSIUM: Final = 4.2
WORST_POTASSIUM: Final = 9.0
SPIKE_SECONDS: Final = 0.003


def severity(potassium: float) -> float:
    """How far a potassium (mmol/l) has changed the beat: 0 up to 5.5, 1 at 9."""
    return min(max((potassium - 5.5) / (WORST_POTASSIUM - 5.5), 0.0), 1.0)


def ventricular(name: str, now: Repolarisation, t_size: float = 1.0) -> tuple[Bump, ...]:
    """QRS complex, ST segment and T wave of one activation, about its R-peak.

    The T wave is two Gaussians, so that it rises slower than it falls, and ends with QT. Hyperkalaemia makes it tall
    and narrow and widens the QRS complex.
    """
    shape = SHAPES[name]
    worse = severity(now.potassium)
    wider = 1 + 1.1 * worse
    qrs = tuple(bump.resized(1 - 0.25 * worse, wider) for bump in shape.qrs)
    qt = now.qt + shape.wide + 0.08 * worse
    scale = max(qt, 0.2) / 0.40
    peak = qt - shape.onset * wider - 0.07 * scale
    tall, narrow = t_size * (1 + 1.6 * worse), 1 - 0.35 * worse
    x, y, z = shape.t
    t = (
        Bump(peak - 0.035 * scale, 0.050 * scale * narrow, 0.45 * tall * x, 0.45 * tall * y, 0.45 * tall * z),
        Bump(peak, 0.032 * scale * narrow, 0.75 * tall * x, 0.75 * tall * y, 0.75 * tall * z),
    )
    if not now.st:
        return (*qrs, *t)
    x, y, z = (now.st * part for part in ST_TOWARDS[now.territory])
    begin = 0.055 * wider
    middle, width = (begin + peak) / 2, max(peak - begin, 0.06) / 2.6
    st = (Bump(middle, width, 0.85 * x, 0.85 * y, 0.85 * z), Bump(begin + 0.02, 0.022, 0.45 * x, 0.45 * y, 0.45 * z))
    return (*qrs, *st, *t)


def atrial(name: str, potassium: float, p_size: float = 1.0) -> tuple[Bump, ...]:
    """A P wave, a flutter wave or a pacing spike; P waves fade as potassium rises."""
    size = p_size * max(1 - 1.3 * severity(potassium), 0.0) if name.startswith("p") else 1.0
    return tuple(Bump(bump.at, bump.width, size * bump.x, size * bump.y, size * bump.z) for bump in ATRIAL[name])


def dipole(bumps: tuple[Bump, ...], begin: int, count: int, rate: float) -> Floats:
    """The sum of some Gaussians at samples `begin` to `begin + count` from the R-peak: [count, 3], mV."""
    parts = np.array(bumps).reshape(-1, 5)
    times = (begin + np.arange(count)) / rate
    width = np.maximum(parts[:, 1], 0.4 / rate)  # a pacing spike is narrower than a sample
    gauss = np.exp(-0.5 * ((times[:, None] - parts[:, 0]) / width) ** 2)
    summed: Floats = gauss @ parts[:, 2:]
    return summed
