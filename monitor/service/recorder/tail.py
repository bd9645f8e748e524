"""Signal that was recorded after the memory of a bed was saved: read again at a start, so that a kill costs no beat.

A monitor that is killed has saved its memory some seconds before, and its recorder has written signal up to the last
second. A bed whose memory is taken up goes on with that signal. What is new of it is published and recorded; what was
recorded already happens once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records import growing
from ecg.records.record import MISSING
from ecg.wire.messages import SCHEMA, Wave, decode_wave, encode_wave
from monitor.service.recorder import rows
from monitor.service.recorder.database import DAMAGE, FILE, Database
from monitor.service.recorder.folder import claim
from monitor.service.recorder.rows import Place
from monitor.ward.bed import Bed
from monitor.ward.events import AlarmChanged, BeatRead, Event, MemoryReset
from monitor.ward.play import feed
from monitor.ward.ward import Ward

MOST_SECONDS: Final = 600.0
"""Signal of a bed; where more was recorded, the memory is too old to be worth it, and the bed begins behind a gap."""
CHUNK_SECONDS: Final = 10.0
BEFORE_SECONDS: Final = 60.0
"""Events so long before the saved memory's last sample may come again."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What was recorded of a bed behind its memory: int16 [n, leads] from sample `begin` of its stream, with its scale.

    known: what has been recorded of events there.
    """

    place: Place
    begin: int
    samples: NDArray[np.int16]
    gain: list[float]
    baseline: list[float]
    known: frozenset[tuple[object, ...]]


def read_on(ward: Ward, folder: Path, wall_s: Callable[[], float] = time.time) -> list[Event]:
    """Read what was recorded behind the memories in the ward; returns what happened there and was not recorded.

    That is recorded here; the caller publishes it. Raises UserError where the folder is another monitor's.
    """
    if not ward.beds or not (folder / FILE).is_file():
        return []
    lock = claim(folder)
    try:
        base = Database(folder)
    except DAMAGE:  # the recorder will say what is wrong with its folder
        lock.close()
        return []
    fresh: list[Event] = []
    try:
        tails, signal = _tails(base, folder, ward)
        events = [event for step in feed(ward, signal) for event in step if event.bed in tails]
        fresh = [left for event in events if (left := _fresh(event, tails[event.bed].known))]
        with suppress(sqlite3.Error):
            base.add([row for event in fresh for row in rows.rows(event, tails[event.bed].place, wall_s())])
    finally:
        base.close()
        lock.close()
    return fresh


def _tails(base: Database, folder: Path, ward: Ward) -> tuple[dict[str, Tail], dict[str, list[Wave]]]:
    """What was recorded of each bed, and that as messages within their bounds; nothing of what is damaged."""
    tails, signal = {}, {}
    for bed in ward.beds.values():
        with suppress(*DAMAGE):
            if tail := _tail(base, folder, bed):
                signal[bed.name] = [decode_wave(encode_wave(wave)) for wave in _waves(bed, tail)]
                tails[bed.name] = tail
    return tails, signal


def _tail(base: Database, folder: Path, bed: Bed) -> Tail | None:
    """What was recorded of a bed behind its memory; None for nothing, or where the record is of something else."""
    intake = bed.intake
    begin = intake.next
    found = base.newest(bed.name, intake.stream)
    if found is None or intake.ended or begin < found.first:
        return None
    try:
        record = growing.opened(folder, found.name)
        width = len(record.leads)
        with record.file("dat").open("rb") as data:
            data.seek(max(begin - found.first - 1, 0) * 2 * width)
            content = data.read(round((MOST_SECONDS + 1) * intake.rate) * 2 * width)
    except (OSError, ValueError):  # it was finished, so nothing was lost, or it is damaged
        return None
    every = np.frombuffer(content[: len(content) // (2 * width) * 2 * width], "<i2").reshape(-1, width)
    before, samples = every[: begin > found.first], every[begin > found.first :]
    if width != len(intake.leads) or not 0 < len(samples) <= MOST_SECONDS * intake.rate:
        return None
    if len(before) and any(before[-1, one.column] not in (one.last, MISSING) for one in intake.channels):
        return None  # the stream began anew meanwhile
    since = begin - round(BEFORE_SECONDS * intake.rate)
    return Tail(
        place=Place(found.id, found.first),
        begin=begin,
        samples=samples,
        gain=list(record.gain),
        baseline=list(record.baseline),
        known=base.known(bed.name, intake.stream, since),
    )


def _waves(bed: Bed, tail: Tail) -> Iterator[Wave]:
    """The samples as messages, none where nothing came."""
    gone = (tail.samples == MISSING).all(axis=1)
    turns = np.flatnonzero(np.diff(gone)) + 1
    size = round(CHUNK_SECONDS * bed.rate)
    intake = bed.intake
    for part in np.split(np.arange(len(gone)), turns):
        if gone[part[0]]:
            continue
        for at in range(int(part[0]), int(part[-1]) + 1, size):
            yield Wave(
                v=SCHEMA,
                stream=intake.stream,
                record=intake.record,
                seq=0,
                index=tail.begin + at,
                rate=intake.rate,
                leads=list(intake.leads),
                gain=tail.gain,
                baseline=tail.baseline,
                sent_ns=0,
                samples=tail.samples[at : min(at + size, int(part[-1]) + 1)].tobytes(),
                units=list(intake.units),
            )


def _fresh(event: Event, known: frozenset[tuple[object, ...]]) -> Event | None:
    """What of an event has not been recorded; None for nothing."""
    match event:
        case BeatRead():
            return None if ("beat", event.index) in known else event
        case MemoryReset():
            return None if ("reset", event.index, event.reason.value) in known else event
        case AlarmChanged():
            left = tuple(one for one in event.changes if (one.what, one.kind, one.index, one.onset) not in known)
            return replace(event, changes=left) if left or not event.changes else None
        case _:
            return event
