"""Keys while the producer sends: one bed is chosen, a key is a command to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ecg.errors import UserError
from ecg.wire.messages import Ack, encode_json
from producer.commanding import command_of
from producer.control import Control
from producer.schedule import Lane

WORDS: Final[dict[str, tuple[str, ...]]] = {
    " ": ("pause",),
    "z": ("freeze",),
    ">": ("next",),
    "d": ("drop", "4"),
    "u": ("duplicate", "4"),
    "o": ("reorder", "4"),
    "y": ("delay", "4"),
    "x": ("corrupt", "4"),
    "1": ("sinus",),
    "2": ("af",),
    "3": ("vt",),
    "4": ("vf",),
    "5": ("asystole",),
    "6": ("bradycardia",),
    "7": ("svt",),
    "8": ("av_block_3",),
    "9": ("paced",),
    "e": ("pvcs",),
    "g": ("bigeminy",),
    "m": ("muscle",),
    "l": ("off", "all"),
    "c": ("clean",),
}
"""Command of each key; a paused bed is resumed by the key that paused it."""
LEGEND: Final = (
    "j k bed · space pause · z freeze · 1 sinus 2 AF 3 VT 4 VF 5 asystole 6 slow 7 SVT 8 block 9 paced · e PVCs "
    "g bigeminy · m muscle l leads off c clean · > next record · d drop u duplicate o reorder y delay x corrupt"
)


@dataclass(slots=True)
class Keys:
    """The chosen bed, and what its producer said to the last key."""

    control: Control
    lanes: list[Lane]
    place: int = 0
    said: str = ""

    @property
    def lane(self) -> Lane:
        """That of the chosen bed."""
        return self.lanes[self.place]

    def press(self, key: str) -> None:
        """One key; one that means nothing does nothing."""
        if key in ("j", "k"):
            self.place = (self.place + (1 if key == "j" else -1)) % len(self.lanes)
            return
        words = list(WORDS.get(key, ()))
        if not words:
            return
        if words == ["pause"] and self.lane.paused:
            words = ["resume"]
        if words == ["freeze"] and self.lane.faults.frozen:
            words = ["resume"]
        try:
            answer = self.control.command(self.lane, encode_json(command_of(words)))
        except UserError as error:
            self.said = str(error)
            return
        self.said = f"{self.lane.bed.name}: {' '.join(words)}, {_outcome(answer)}"


def _outcome(answer: Ack) -> str:
    return f"from sample {answer.index}" if answer.ok else f"refused: {answer.said}"


@contextlib.contextmanager
def listening(press: Callable[[str], None]) -> Iterator[None]:
    """Hand every key of the terminal to `press`, for as long as this lasts; nothing where there is no such terminal."""
    try:
        import termios
        import tty
    except ImportError:
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()
    tty.setcbreak(descriptor)

    def readable() -> None:
        for key in _read(descriptor):
            press(key)

    try:
        loop.add_reader(descriptor, readable)
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read(descriptor: int) -> str:
    return os.read(descriptor, 64).decode(errors="ignore")
