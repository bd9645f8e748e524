"""The lanes of letters over a strip: the network's, another network's below it, the cardiologists' below both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ecg.records.aami import CLASS_OF
from ecg.records.ec57 import match, match_window
from monitor.link.protocol import BeatMark, TruthNote
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory

SETTLED_SECONDS: Final = 1.0
EDGE_SECONDS: Final = 0.2

Mark = tuple[int, str, bool, bool]
"""(sample index, letter, model and cardiologists disagree, the model is unsure)."""


def letters(beats: list[BeatMark], notes: list[TruthNote], rate: float, settled: int) -> tuple[list[Mark], list[Mark]]:
    """The model's and the cardiologists' letters; without notes nothing disagrees. rate: Hz.

    settled: sample index up to which both are complete; a later beat may still find its partner.
    """
    ours = [(beat.index, beat.cls, beat.unsure) for beat in beats]
    theirs = [(note.index, CLASS_OF[note.symbol], False) for note in notes if note.symbol in CLASS_OF]
    if not theirs:
        return [(index, cls, False, unsure) for index, cls, unsure in ours], []
    ref, test = match(
        np.array([index for index, *_ in theirs], np.int64),
        np.array([index for index, *_ in ours], np.int64),
        match_window(rate),
    )
    return _compared(ours, theirs, test.tolist(), settled), _compared(theirs, ours, ref.tolist(), settled)


def _compared(
    ones: list[tuple[int, str, bool]], others: list[tuple[int, str, bool]], partner: list[int], settled: int
) -> list[Mark]:
    return [
        (index, cls, index < settled if at < 0 else others[at][1] != cls, unsure)
        for (index, cls, unsure), at in zip(ones, partner, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane. title: beside it. notes: changes of rhythm to be written into it."""

    title: str
    marks: list[Mark]
    notes: list[TruthNote] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Other:
    """The letters of a network beside the ward's, to be shown below its own. model: its name on the screen."""

    model: str
    beats: list[BeatMark]


def lanes_of(
    history: BedHistory, since: int, until: int, name: str, labels: Labels, *, truth: bool, other: Other | None
) -> list[Lane]:
    """The lanes for the samples [since, until), from the top.

    With the truth, letters that differ from it are marked; without, those of the other network that differ from the
    ward's own.
    """
    edge = int(EDGE_SECONDS * history.rate)
    settled = history.next - int(SETTLED_SECONDS * history.rate)
    notes = history.truth_between(since - edge, until + edge) if truth else []
    own, theirs = letters(history.beats_between(since - edge, until + edge), notes, history.rate, settled)
    made = [Lane(name, own)]
    if other is not None:
        beats = [beat for beat in other.beats if since - edge <= beat.index < until + edge]
        if truth:
            marks = letters(beats, notes, history.rate, settled)[0]
        else:
            named = {index: cls for index, cls, *_ in own}
            marks = [(beat.index, beat.cls, named.get(beat.index, beat.cls) != beat.cls, False) for beat in beats]
        made.append(Lane(other.model, marks))
    if truth:
        made.append(Lane(labels("truth"), theirs, [note for note in notes if note.symbol == "+"]))
    return made
