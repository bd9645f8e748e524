"""The desk: the ward as of the last snapshot, and the settings that a person can change, shared by all views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Literal

import platformdirs

from ecg.settings import Config
from monitor.link.protocol import BESIDE, BedSummary, Follow, Intent, Model, Show, Snapshot, Study
from monitor.screen.draw.palette import PALETTES, Palette
from monitor.screen.labels import Labels
from monitor.screen.state.history import WardHistory
from monitor.screen.state.study import BedStudy
from monitor.screen.state.trend import Course

GAINS = (5, 10, 20)
SPEEDS = (25, 50)
FLASHES_PER_SECOND = 2.0
EAGER = 0.87
"""Share of a frame's time between two calls: a late timer skips frames, so the timer runs a little faster."""


@dataclass(kw_only=True)
class Desk:
    """The state that the views share.

    clock: seconds, monotonic. bed: the selected bed. aspect: height of a cell over its width. told: a snapshot has come
    since the last frame. teach: may this screen steer beds? who: the person at it. folder: where strips are saved.
    """

    config: Config
    send: Callable[[Intent], None]
    clock: Callable[[], float]
    labels: Labels
    palette: Palette
    ward: WardHistory = field(default_factory=WardHistory)
    bed: str = ""
    truth: bool = False
    teach: bool = False
    who: str = ""
    frozen: bool = False
    gain: int = 10
    speed: int = 25
    aspect: float = 2.0
    by_name: bool = False
    told: bool = False
    folder: Path = field(default_factory=Path)
    model: Model | Literal[""] = ""
    forecast: bool = False
    study: BedStudy = field(default_factory=BedStudy)
    courses: dict[str, Course] = field(default_factory=dict)
    _studied: Study = field(default_factory=lambda: Study(""))
    _asked: tuple[tuple[str, ...], float, float] = ((), 0.0, 0.0)

    def ask(self, beds: list[str], seconds: float, frames_per_second: float) -> None:
        """Ask the service for details of these beds with `seconds` of history, unless that was the last request."""
        asked = (tuple(beds), seconds, frames_per_second)
        if asked != self._asked:
            if asked[:2] != self._asked[:2]:
                self.ward.show(beds, seconds)
            self._asked = asked
            self.send(Show(beds, seconds, frames_per_second))
        if beds != [self.bed]:
            self._ask_study(Study(""))

    @property
    def course(self) -> Course:
        """The course of the selected bed, as far as this screen has been told."""
        return self.courses.setdefault(self.bed, Course())

    @property
    def looked(self) -> Model:
        """The memory that the memory view looks into; the lecture's network has none."""
        return self.model if self.model and self.model != "tutorial" else "own"

    def follow(self) -> None:
        """Ask the service to keep the course of the selected bed, whatever is shown."""
        self.send(Follow(self.bed))

    def ask_study(self, looking: bool = False) -> None:
        """Ask for what is to be studied of the selected bed. looking: into a memory too."""
        beside: list[Model] = list(BESIDE) if self.model else []
        if not (beside or looking or self.forecast):
            self._ask_study(Study(""))
        else:
            self._ask_study(Study(self.bed, beside, self.looked if looking else "", self.forecast))

    def _ask_study(self, asked: Study) -> None:
        if asked != self._studied:
            if asked.bed != self._studied.bed:
                self.study = BedStudy()
            self._studied = asked
            self.send(asked)

    def take(self, snapshot: Snapshot) -> None:
        """What is new in the study of the selected bed, and in the courses."""
        for detail in snapshot.shown:
            if detail.course is not None:
                self.courses.setdefault(detail.bed, Course()).take(detail.course)
            if detail.studied is not None and detail.bed == self._studied.bed:
                history = self.ward.shown.get(detail.bed)
                self.study.take(detail.studied, history.rate if history else 0.0)

    @property
    def summary(self) -> BedSummary | None:
        """The summary of the selected bed; None without one."""
        return self.ward.beds.get(self.bed)

    @property
    def names(self) -> list[str]:
        """The names of all beds in natural order: bed-2 before bed-10."""
        return sorted(self.ward.beds, key=natural)

    @property
    def others(self) -> list[BedSummary]:
        """The summaries of all other beds."""
        return [bed for name, bed in self.ward.beds.items() if name != self.bed]

    @property
    def lit(self) -> bool:
        """Whether flashing things are in their bright half."""
        return floor(self.clock() * 2 * FLASHES_PER_SECOND) % 2 == 0

    @property
    def paper(self) -> tuple[float, float, float]:
        """(mm/s, mm/mV, height of a cell over its width)."""
        return float(self.speed), float(self.gain), self.aspect

    def step_bed(self, by: int) -> str:
        """The name of the bed `by` places after the selected bed; the list is circular."""
        names = self.names
        if not names:
            return ""
        return names[(names.index(self.bed) + by) % len(names)] if self.bed in names else names[0]

    def step_gain(self, by: int) -> None:
        """The next larger or smaller gain."""
        self.gain = GAINS[min(max(GAINS.index(self.gain) + by, 0), len(GAINS) - 1)]

    def step_speed(self) -> None:
        """The other sweep speed."""
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key in which runs of digits count as numbers."""
    parts: list[tuple[int, str]] = []
    for letter in name:
        digit = letter.isdigit() and letter.isascii()
        if parts and digit and parts[-1][1] == "":
            parts[-1] = (parts[-1][0] * 10 + int(letter), "")
        else:
            parts.append((int(letter), "") if digit else (ord(letter), letter))
    return parts


def strips_folder(config: Config) -> Path:
    """The folder that strips are saved in: that of the settings, else one in the user's folder of pictures."""
    named = config.screen.strips_folder
    return Path(named).expanduser() if named else platformdirs.user_pictures_path() / "ecg-monitor"


def default_palette(config: Config) -> Palette:
    """The palette that the settings name."""
    return PALETTES[config.screen.theme]
