"""What electrodes, muscles and cables add to the leads of a heart."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.simulation.leads import sources
from ecg.signal.recursive import Design, band_pass, lfilter

Singles = NDArray[np.float32]

KINDS: Final = {
    "wander": "Baseline wander",
    "muscle": "Muscle noise",
    "mains50": "Mains hum, 50 Hz",
    "mains60": "Mains hum, 60 Hz",
    "motion": "Motion of the electrodes",
    "saturation": "A saturated amplifier",
}
"""Artefacts by name, with their titles."""
FLOOR_MV: Final = 0.004
"""rms noise of a good amplifier and electrode."""
SIZES: Final = {"wander": 0.45, "muscle": 0.07, "mains50": 0.12, "mains60": 0.12, "motion": 0.5}
"""mV of an artefact of strength 1: amplitude of wander and hum, rms of the others."""
WANDER_HERTZ: Final = (0.11, 0.19, 0.33)
MOTION_HERTZ: Final = (0.7, 9.0)
BREATH_MV: Final = 0.02


@dataclass(slots=True)
class Artefacts:
    """The artefacts of one bed. rate: Hz. leads: ECG leads. now: strength by name of KINDS; 1 is usual.

    They come from the electrodes, so that the limb leads still agree.
    """

    rate: float
    leads: tuple[str, ...]
    rng: np.random.Generator
    now: dict[str, float] = field(default_factory=dict)
    _phases: NDArray[np.float64] = field(init=False)
    _filter: Design = field(init=False)
    _memory: NDArray[np.float64] = field(init=False)
    _mixing: NDArray[np.float32] = field(init=False)
    _alone: bool = field(init=False)
    _burst: float = 1.0

    def __post_init__(self) -> None:
        mixing, self._alone = sources(self.leads)
        self._mixing = mixing.T.astype(np.float32)
        self._phases = self.rng.uniform(0, 2 * math.pi, (len(self._mixing), len(WANDER_HERTZ)))
        self._filter = band_pass(*MOTION_HERTZ, self.rate)
        self._memory = np.zeros((len(self._mixing), 2))

    def add(self, out: Singles, begin: int, breath: float) -> None:
        """Add to samples from index `begin` on, in place: float32 [n, leads], mV. breath: Hz."""
        count = len(out)
        noise = self.rng.standard_normal((count, len(self._mixing)), np.float32)
        time = (begin + np.arange(count)) / self.rate
        added = noise * np.float32(FLOOR_MV)
        added += (BREATH_MV * np.sin(2 * math.pi * breath * time + self._phases[0, 0]))[:, None]
        for name, strength in self.now.items():
            if name in SIZES:
                added += strength * SIZES[name] * getattr(self, f"_{name}")(noise, time)
        out += added if self._alone else added @ self._mixing

    @property
    def saturated(self) -> bool:
        """Are all ECG leads at the end of their range?."""
        return "saturation" in self.now

    def _wander(self, _noise: Singles, time: NDArray[np.float64]) -> NDArray[np.float64]:
        turns = 2 * math.pi * time[:, None, None] * np.array(WANDER_HERTZ) + self._phases
        swung: NDArray[np.float64] = np.sin(turns).mean(axis=2) * 1.6
        return swung

    def _muscle(self, noise: Singles, _time: NDArray[np.float64]) -> Singles:
        """White noise without its lowest part."""
        rough = noise.copy()
        rough[1:] -= 0.75 * noise[:-1]
        return np.asarray(rough / 1.25, np.float32)

    def _mains50(self, _noise: Singles, time: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sin(2 * math.pi * 50 * time)[:, None] + 0.2 * np.sin(2 * math.pi * 150 * time)[:, None]

    def _mains60(self, _noise: Singles, time: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sin(2 * math.pi * 60 * time)[:, None] + 0.2 * np.sin(2 * math.pi * 180 * time)[:, None]

    def _motion(self, noise: Singles, _time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Noise in the band of beats, in bursts."""
        burst = math.exp(self.rng.normal(0, 0.6))
        envelope = np.linspace(self._burst, burst, len(noise))[:, None]
        self._burst = burst
        moved, self._memory = lfilter(self._filter, noise.T.astype(np.float64), self._memory)
        scale = math.sqrt(self.rate / (2 * (MOTION_HERTZ[1] - MOTION_HERTZ[0])) / 1.57)
        shaped: NDArray[np.float64] = scale * envelope * moved.T
        return shaped
