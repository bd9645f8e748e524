"""Waves without beats: fibrillating atria and fibrillating ventricles.

The dipole wanders: oscillators along each axis, whose frequencies and sizes change from second to second. For the atria
each is a sawtooth of three harmonics, after M. Stridh & L. Sornmo, IEEE Trans Biomed Eng 48(1):105-111, 2001.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FADE_SECONDS: Final = 0.15
PART_SECONDS: Final = 0.4
"""s in which frequency and size go from one drawn value to the next."""


class Character(NamedTuple):
    """low, high: Hz. size: mV of the dipole's axes. harmonics: of the wave. swell: spread (log) of its size.

    jitter: rad, the random steps of its phase in a second.
    """

    low: float
    high: float
    size: tuple[float, float, float]
    harmonics: int
    swell: float
    jitter: float


CHARACTERS: Final = {
    "af": Character(5.0, 7.5, (0.035, 0.055, 0.075), 3, 0.25, 1.0),
    "vf": Character(3.8, 5.8, (0.42, 0.55, 0.45), 1, 0.40, 2.5),
    "vf_fine": Character(4.2, 7.0, (0.075, 0.085, 0.08), 1, 0.40, 3.0),
}


@dataclass(slots=True)
class Drone:
    """The oscillators of one heart. rate: Hz. rng: of this heart.

    A change is at a sample index (`turn`) and takes FADE_SECONDS. Samples are asked for in order, by `add`.
    """

    rate: float
    rng: np.random.Generator
    name: str = ""
    _turns: list[tuple[int, str]] = field(default_factory=list)
    _level: float = 0.0
    _old: str = ""
    _phase: Floats = field(default_factory=lambda: np.zeros(3))
    _hertz: Floats = field(default_factory=lambda: np.full(3, 5.0))
    _swell: Floats = field(default_factory=lambda: np.ones(3))

    @property
    def silent(self) -> bool:
        """Nothing to add, now and next."""
        return not (self._turns or self.name or self._old)

    def turn(self, index: int, name: str) -> None:
        """From this sample on the waves of that name, "" for none."""
        self._turns.append((index, name))

    def add(self, out: NDArray[np.float32], matrix: Floats, begin: int) -> None:
        """Add samples from index `begin` on, in place: float32 [n, leads], mV; matrix: [leads, 3]."""
        at, end = begin, begin + len(out)
        while at < end:
            while self._turns and self._turns[0][0] <= at:
                self._take(self._turns.pop(0)[1])
            until = min(end, self._turns[0][0]) if self._turns else end
            until = min(until, at + max(int(PART_SECONDS * self.rate), 1))
            if self._old and self._level > 0:
                until = min(until, at + max(math.ceil(self._level * FADE_SECONDS * self.rate), 1))
            self._part(out[at - begin : until - begin], matrix)
            at = until

    def _take(self, name: str) -> None:
        if name == self.name:
            return
        if self.name:
            self._old = self.name
        else:
            self._level = 0.0
        self.name = name
        if name and not self._old:
            self._phase = self.rng.uniform(0, 2 * math.pi, 3)

    def _part(self, out: NDArray[np.float32], matrix: Floats) -> None:
        """A stretch without a turn: an old drone fades out, then the new one comes in."""
        playing = self._old or self.name
        if not playing:
            return
        count = len(out)
        step = 1 / (FADE_SECONDS * self.rate)
        ramp = np.clip(self._level + (-step if self._old else step) * np.arange(1, count + 1), 0, 1)
        self._level = float(ramp[-1])
        character = CHARACTERS[playing]
        share = min(2.5 * count / self.rate, 1.0)
        goal = self.rng.uniform(character.low, character.high, 3)
        hertz = self._hertz + share * (goal - self._hertz)
        swell = self._swell + share * (np.exp(self.rng.normal(0, character.swell, 3)) - self._swell)
        way = np.arange(1, count + 1)[:, None] / count
        steps = 2 * math.pi * (self._hertz + way * (hertz - self._hertz)) / self.rate
        steps += self.rng.normal(0, character.jitter / math.sqrt(self.rate), (count, 3))
        run = self._phase + np.cumsum(steps, axis=0)
        wave = np.sin(run)
        for k in range(2, character.harmonics + 1):
            wave += np.sin(k * run) / k
        size = (self._swell + way * (swell - self._swell)) * character.size
        out += (ramp[:, None] * size * wave) @ matrix.T
        self._phase, self._hertz, self._swell = run[-1] % (2 * math.pi), hertz, swell
        if self._old and self._level <= 0:
            self._old = ""
            self._phase = self.rng.uniform(0, 2 * math.pi, 3)
