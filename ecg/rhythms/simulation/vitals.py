"""The numbers of a heart that orders change: each at once or little by little."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ecg.rhythms.simulation.waves import NORMAL_POTASSIUM, Territory


class Bounds(NamedTuple):
    """Where a number starts, and what may be asked for. unit: "" for none."""

    usual: float
    low: float
    high: float
    unit: str


BOUNDS: Final = {
    "rate": Bounds(75.0, 15.0, 300.0, "1/min"),
    "pr": Bounds(0.16, 0.08, 0.5, "s"),
    "qt": Bounds(0.40, 0.28, 0.65, "s at 60/min"),
    "st": Bounds(0.0, -0.6, 1.2, "mV"),
    "potassium": Bounds(NORMAL_POTASSIUM, 3.0, 9.0, "mmol/l"),
    "systolic": Bounds(120.0, 40.0, 240.0, "mmHg"),
    "breaths": Bounds(15.0, 4.0, 40.0, "1/min"),
    "variability": Bounds(1.0, 0.0, 3.0, ""),
}
"""The numbers of a heart. variability: of the sinus rhythm, as a share of the usual one."""


class Glide(NamedTuple):
    """A number that goes from one value to another between two times, in a straight line."""

    begin: float
    end: float
    before: float
    after: float

    def at(self, time: float) -> float:
        """Its value at a time."""
        if time >= self.end:
            return self.after
        if time <= self.begin:
            return self.before
        return self.before + (self.after - self.before) * (time - self.begin) / (self.end - self.begin)


def _usual() -> dict[str, Glide]:
    return {name: Glide(0.0, 0.0, bounds.usual, bounds.usual) for name, bounds in BOUNDS.items()}


@dataclass(slots=True)
class Vitals:
    """The present numbers of one heart, by the names of BOUNDS. Times in s."""

    glides: dict[str, Glide] = field(default_factory=_usual)
    territory: Territory = "inferior"

    def at(self, name: str, time: float) -> float:
        """The number of that name at a time."""
        glide = self.glides[name]
        return glide.after if time >= glide.end else glide.at(time)

    def change(self, name: str, value: float, time: float, over: float) -> None:
        """Let a number go to a value within `over` s from a time on."""
        self.glides[name] = Glide(time, time + over, self.at(name, time), value)
