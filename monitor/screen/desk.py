"""What all views share: the ward as the last snapshot gave it, and the settings a person can change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor
from pathlib import Path

from ecg.settings import Config
from monitor.link.protocol import BedSummary, Intent, Show
from monitor.screen.draw.palette import PALETTES, Palette
from monitor.screen.labels import Labels
from monitor.screen.state.history import WardHistory

GAINS = (5, 10, 20)
SPEEDS = (25, 50)
FLASHES_PER_SECOND = 2.0
EAGER = 0.87
"""Share of the frame's time between two calls: a late timer leaves frames out, so it runs a little faster."""


@dataclass(kw_only=True)
class Desk:
    """What the views share.

    clock: seconds, monotonic. aspect: height of a cell over its width. told: has a snapshot come since the last frame?
    folder: where strips are saved.
    """

    config: Config
    send: Callable[[Intent], None]
    clock: Callable[[], float]
    labels: Labels
    palette: Palette
    ward: WardHistory = field(default_factory=WardHistory)
    bed: str = ""
    truth: bool = False
    frozen: bool = False
    gain: int = 10
    speed: int = 25
    aspect: float = 2.0
    by_name: bool = False
    told: bool = False
    folder: Path = field(default_factory=Path.cwd)
    _asked: tuple[tuple[str, ...], float, float] = ((), 0.0, 0.0)

    def ask(self, beds: list[str], seconds: float, frames_per_second: float) -> None:
        """Want details of these beds from now on, with so many seconds of history; nothing where that is so already."""
        asked = (tuple(beds), seconds, frames_per_second)
        if asked != self._asked:
            if asked[:2] != self._asked[:2]:
                self.ward.show(beds, seconds)
            self._asked = asked
            self.send(Show(beds, seconds, frames_per_second))

    @property
    def summary(self) -> BedSummary | None:
        """The bed that is looked at."""
        return self.ward.beds.get(self.bed)

    @property
    def names(self) -> list[str]:
        """All beds by name, in the order people count in: bed-2 before bed-10."""
        return sorted(self.ward.beds, key=natural)

    @property
    def others(self) -> list[BedSummary]:
        """All beds but the one looked at."""
        return [bed for name, bed in self.ward.beds.items() if name != self.bed]

    @property
    def lit(self) -> bool:
        """Are flashing things in their bright half?."""
        return floor(self.clock() * 2 * FLASHES_PER_SECOND) % 2 == 0

    @property
    def paper(self) -> tuple[float, float, float]:
        """mm/s, mm/mV, height of a cell over its width."""
        return float(self.speed), float(self.gain), self.aspect

    def step_bed(self, by: int) -> str:
        """The name of the bed so many after the one looked at; the list goes round."""
        names = self.names
        if not names:
            return ""
        return names[(names.index(self.bed) + by) % len(names)] if self.bed in names else names[0]

    def step_gain(self, by: int) -> None:
        """A larger or smaller amplitude."""
        self.gain = GAINS[min(max(GAINS.index(self.gain) + by, 0), len(GAINS) - 1)]

    def step_speed(self) -> None:
        """The other sweep speed."""
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that takes runs of digits as numbers."""
    parts: list[tuple[int, str]] = []
    for letter in name:
        digit = letter.isdigit() and letter.isascii()
        if parts and digit and parts[-1][1] == "":
            parts[-1] = (parts[-1][0] * 10 + int(letter), "")
        else:
            parts.append((int(letter), "") if digit else (ord(letter), letter))
    return parts


def default_palette(config: Config) -> Palette:
    """The palette that the settings name."""
    return PALETTES[config.screen.theme]
