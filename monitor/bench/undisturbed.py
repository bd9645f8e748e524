"""What an undisturbed ward makes of the signal that came, beside what the monitor made of it under a fault.

The recorder is the witness: it has every sample that arrived. Of each bed all records are played through a ward of
its own, stream after stream, as one signal with the gaps that it had.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from ecg.model import weights
from ecg.records.record import MISSING
from ecg.settings import Config
from ecg.wire.messages import Wave
from monitor.evaluation import recorded
from monitor.service.recorder.database import FILE
from monitor.service.recorder.rows import NOTED
from monitor.ward.events import AlarmChanged, BeatRead, Event, MemoryReset
from monitor.ward.ward import Ward

Beat = tuple[str, str, int]
"""Bed, stream, sample."""
Alarm = tuple[str, str, str, str, int, int]
"""Bed, stream, "onset" or "end", kind, first sample, sample after the last."""
BEATS: Final = "SELECT bed, stream, sample, class FROM beats WHERE record IS NOT NULL"
ALARMS: Final = f"SELECT bed, stream, what, kind, onset, over FROM alarms WHERE what IN {NOTED}"
RESETS: Final = "SELECT bed, stream, sample FROM resets"
CHUNK_SECONDS: Final = 1.0
RECORDS: Final = "SELECT bed, stream, name, first FROM records ORDER BY id"


class Story(NamedTuple):
    """Beats with their classes, alarms, and where memories were emptied; how often each was told.

    active: kinds of alarm at the end, by bed.
    """

    beats: Counter[tuple[str, str, int, str]]
    alarms: Counter[Alarm]
    resets: Counter[tuple[str, str, int]]
    active: dict[str, list[str]]


def verdict(folder: Path, config: Config, beds: list[str] | None = None) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Beats and alarms that should be there, and are not; that are, and should not be; that came twice.

    And the kinds of alarm that should be active at the end, by bed. beds: of these alone, None for all.
    """

    def of(rows: list[Any]) -> list[Any]:
        return [row for row in rows if beds is None or row[0] in beds]

    with sqlite3.connect(folder / FILE) as base:
        beats, alarms, resets = (Counter(of(base.execute(asked).fetchall())) for asked in (BEATS, ALARMS, RESETS))
        told = Story(beats, alarms, resets, {})
        known = of(base.execute(RECORDS).fetchall())
    due, missing = undisturbed(folder, config, known)
    places = Counter({key[:3]: count for key, count in told.beats.items()})
    wanted = {key[:3] for key in due.beats}
    found = {
        "beats": len(places),
        "beats_lost": len(wanted - places.keys()),
        "beats_beside": len(places.keys() - wanted),
        "beats_otherwise": sum(key[:3] in wanted for key in told.beats.keys() - due.beats.keys()),
        "beats_twice": sum(count - 1 for count in told.beats.values()),
        "alarms": len(told.alarms),
        "alarms_differ": len(due.alarms.keys() ^ told.alarms.keys()),
        "alarms_which": sorted(map(str, due.alarms.keys() ^ told.alarms.keys()))[:10],
        "resets": len(told.resets),
        "resets_differ": sorted(map(str, due.resets.keys() ^ told.resets.keys()))[:20],
        "onsets_twice": sum(count - 1 for alarm, count in told.alarms.items() if alarm[2] == "onset"),
        "samples_missing": missing,
    }
    return found, due.active


def undisturbed(folder: Path, config: Config, known: list[tuple[str, str, str, int]]) -> tuple[Story, int]:
    """What a ward tells of these records (bed, stream, name, first sample), and the samples that are missing."""
    fitted, card = weights.load(config.model.weights)
    ward = Ward(config, fitted, card.name, "cpu", doubt=card.doubt)
    story, missing = Story(Counter(), Counter(), Counter(), {}), 0
    streams: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for bed, stream, name, first in known:
        streams.setdefault((bed, stream), []).append((name, first))
    for (bed, stream), parts in streams.items():
        ward.offline([bed])  # whoever sent before has gone
        for wave in _signal(folder, stream, parts):
            ward.wave(bed, wave, round((1 + wave.index / wave.rate) * 1e9))  # a gap takes its time
            _add(story, ward.step())
        missing += sum(int((recorded.find(folder / name).samples == MISSING).all(axis=1).sum()) for name, _ in parts)
    ward.end_all()
    _add(story, ward.step())
    return story, missing


def _signal(folder: Path, stream: str, parts: list[tuple[str, int]]) -> Iterator[Wave]:
    for name, first in parts:
        for wave in recorded.sent(recorded.find(folder / name), CHUNK_SECONDS):
            yield msgspec.structs.replace(wave, stream=stream, index=first + wave.index)


def _add(story: Story, events: list[Event]) -> None:
    for event in events:
        if isinstance(event, BeatRead):
            story.beats[event.bed, event.stream, event.index, event.cls] += 1
        elif isinstance(event, MemoryReset):
            story.resets[event.bed, event.stream, event.index] += 1
        elif isinstance(event, AlarmChanged):
            story.active[event.bed] = [alarm.kind for alarm in event.active]
            for one in event.changes:
                if one.what in NOTED:
                    story.alarms[event.bed, event.stream, one.what, one.kind, one.onset, one.over] += 1
