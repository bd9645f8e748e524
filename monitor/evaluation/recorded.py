"""A recording read again: the letters that were recorded beside those that today's network gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from ecg.errors import UserError
from ecg.model.doubt import NONE as NO_DOUBT
from ecg.model.doubt import Doubt
from ecg.model.weights import Weights
from ecg.records import aami, ec57, wfdb
from ecg.records.gaps import gaps
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire.messages import Wave
from monitor.ward.events import BeatRead
from monitor.ward.play import play, waves
from monitor.ward.ward import Ward

CHUNK_SECONDS = 20.0
NONE = "-"
"""Stands for a beat that only the other one has."""


class Pair(msgspec.Struct, frozen=True):
    """A beat of both, or of one. index: sample in the recording. recorded, now: its letters, "-" for none."""

    index: int
    recorded: str
    now: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All beats of one recording."""

    record: Record
    pairs: list[Pair]

    @property
    def table(self) -> Counter[tuple[str, str]]:
        """How often each pair of letters occurs: (recorded, now)."""
        return Counter((pair.recorded, pair.now) for pair in self.pairs)

    @property
    def agreement(self) -> float | None:
        """Share of the beats of both that have the same letter; None where there are none."""
        both = [pair for pair in self.pairs if NONE not in (pair.recorded, pair.now)]
        return sum(pair.recorded == pair.now for pair in both) / len(both) if both else None


def find(path: Path) -> Record:
    """A record by the path of its files, with or without an ending. Raises UserError."""
    place = stem(path)
    if not place.with_name(f"{place.name}.hea").is_file():
        raise UserError(f"{place}.hea is not there: name a record of the recorder's folder, such as DIR/RECORD")
    return wfdb.read(place)


def stem(path: Path) -> Path:
    """The path without an ending."""
    return path.with_suffix("") if path.suffix in (".hea", ".dat", ".atr") else path


def read_again(record: Record, config: Config, weights: Weights, device: str, doubt: Doubt = NO_DOUBT) -> Comparison:
    """The recording through a ward of its own, and its beats paired with the recorded ones (EC57's window)."""
    ward = Ward(config, weights, "", device, doubt=doubt)
    events = play(ward, {"recording": sent(record)})
    beats = [event for step in events for event in step if isinstance(event, BeatRead)]
    return compare(record, beats)


def sent(record: Record, chunk_seconds: float = CHUNK_SECONDS) -> Iterator[Wave]:
    """The recording as messages of that length, none in its gaps."""
    edges = [0, *(edge for gap in gaps(record) for edge in gap), len(record.samples)]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        for wave in waves(replace(record, samples=record.samples[begin:end]), chunk_seconds):
            yield msgspec.structs.replace(wave, index=wave.index + begin)


def compare(record: Record, beats: list[BeatRead]) -> Comparison:
    """Recorded letters beside those of these beats."""
    notes = record.annotations
    known = np.isin(notes.symbol, list(aami.CLASS_OF)) if notes is not None else np.zeros(0, bool)
    before = notes.index[known] if notes is not None else np.zeros(0, np.int64)
    letters = [aami.CLASS_OF[str(symbol)] for symbol in notes.symbol[known]] if notes is not None else []
    after = np.array([beat.index for beat in beats], np.int64)
    partner, other = ec57.match(before, after, ec57.match_window(record.rate))
    pairs = [
        Pair(int(at), letter, beats[mate].cls if mate >= 0 else NONE)
        for at, letter, mate in zip(before, letters, partner.tolist(), strict=True)
    ]
    pairs += [Pair(beat.index, NONE, beat.cls) for beat, mate in zip(beats, other.tolist(), strict=True) if mate < 0]
    return Comparison(record, sorted(pairs, key=lambda pair: pair.index))
