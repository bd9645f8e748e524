"""A teacher's command to a bed that replays a record: its own beats in another rhythm, and the record given back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records.record import Annotations, Record
from ecg.rhythms.replacing import MOST_SECONDS, known_beats, replaced
from ecg.wire.messages import Command

SECONDS: Final = 60.0
"""A rhythm lasts so long where the command says nothing."""
LEAST_SECONDS: Final = 5.0
AFTER_BEAT: Final = 0.45
"""Place of the border behind a beat, as a share of the RR interval after it: between T wave and P wave."""
OWN: Final = ("sinus", "none")
"""What gives the record back."""
UNDERSTOOD: Final = ("v", "do", "id", "rhythm", "rate", "ectopy", "seconds")


class Steered(NamedTuple):
    """What to send from now on. record: with the stretch in it. own: as it is, None where that is it.

    begin: first sample that may differ. end: the record's own again from here on. rhythm: in between, "" for none.
    """

    record: Record
    own: Record | None
    begin: int
    end: int
    rhythm: str


def steered(own: Record, present: Record, at: int, command: Command) -> Steered:
    """A record's beats in another rhythm from the next one on, or given back.

    own: as it is. present: as it is being sent. at: sample of the record that is sent next. Raises UserError, one
    sentence, where the command asks for what a record's own beats cannot do.
    """
    wanted = command.rhythm or command.ectopy
    foreign = [
        name for name in command.__struct_fields__ if name not in UNDERSTOOD and getattr(command, name) is not None
    ]
    if foreign or not wanted or (command.rhythm and command.ectopy):
        what = " and ".join(foreign) or "set without a rhythm, or with two things"
        raise UserError(f"{what} is for simulated beds: the own beats of record {own.name} take one rhythm or ectopy")
    peaks, classes = known_beats(own)
    if wanted in OWN:
        begin = _border(peaks, at, len(own.samples))
        if present is own:
            return Steered(own, None, begin, begin, "")
        return Steered(_joined(present, own, begin), own, begin, begin, "")
    seconds = SECONDS if command.seconds is None else command.seconds
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise UserError(
            f"a rhythm of a record's own beats lasts {LEAST_SECONDS:g} to {MOST_SECONDS:g} s, not {seconds:g}"
        )
    begin = _border(peaks, at, len(own.samples))
    end = _border(peaks, min(begin + round(seconds * own.rate), len(own.samples)), len(own.samples))
    if end - begin < LEAST_SECONDS * own.rate:
        raise UserError(f"record {own.name} ends before {wanted} could be seen: jump back first")
    made = replaced(own, peaks, classes, begin, end, wanted, command.rate, seed=0)
    return Steered(_joined(present, made, begin), own, begin, end, wanted)


def _border(peaks: NDArray[np.int64], at: int, length: int) -> int:
    """The first place between two beats from sample `at` on; `at` itself where no beat follows."""
    place = int(np.searchsorted(peaks, at))
    for number in range(max(place - 1, 0), len(peaks) - 1):
        border = int(peaks[number] + AFTER_BEAT * (peaks[number + 1] - peaks[number]))
        if border >= at:
            return border
    return min(at, length)


def _joined(before: Record, after: Record, at: int) -> Record:
    """One record up to sample `at`, and another of the same patient from there on: what was sent stays as it was."""
    samples = np.concatenate((before.samples[:at], after.samples[at:]))
    first, second = before.annotations, after.annotations
    notes = None
    if first is not None and second is not None:
        early, late = first.index < at, second.index >= at
        parts = [
            np.concatenate((getattr(first, name)[early], getattr(second, name)[late]))
            for name in ("index", "symbol", "rhythm")
        ]
        notes = Annotations(*parts)
    return replace(after, samples=samples, annotations=notes)
