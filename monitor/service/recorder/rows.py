"""Events as rows of the tables, and as annotations of a record."""

from __future__ import annotations

from typing import Any, NamedTuple

from ecg.records.marks import NOTE, Mark
from ecg.wire.messages import encode_json
from monitor.alarms.kinds import PRIORITY
from monitor.link.protocol import Acknowledge, Adjust, Intent, Quit, Silence
from monitor.ward.events import AlarmChanged, BeatRead, Event, MemoryReset, Steered

NOTED = ("onset", "end")
"""Changes of alarms that are notes in the annotation file."""


class Row(NamedTuple):
    """One row of a table."""

    table: str
    values: tuple[Any, ...]


class Place(NamedTuple):
    """Where an event belongs: number of the record, None for none, and the record's first sample in its stream."""

    record: int | None
    first: int


def rows(event: Event, place: Place, wall_s: float) -> list[Row]:
    """An event as rows. wall_s: when it was known, seconds since the epoch."""
    number = place.record
    match event:
        case BeatRead():
            head = (number, event.bed, event.stream, event.index, event.cls)
            shares = (round(share, 6) for share in event.probabilities)
            return [Row("beats", (*head, *shares, event.rr_ms, event.heart_rate, wall_s))]
        case AlarmChanged():
            return [
                Row(
                    "alarms",
                    (
                        *(number, event.bed, event.stream, change.index, change.what, change.kind),
                        *(PRIORITY.get(change.kind, ""), change.onset, change.over, int(change.hidden), wall_s),
                    ),
                )
                for change in event.changes
            ]
        case MemoryReset():
            values = (number, event.bed, event.stream, event.index, event.reason.value, event.seconds, wall_s)
            return [Row("resets", values)]
        case Steered():
            return [Row("commands", (number, event.bed, event.what, f"{event.detail} @{event.index}".strip(), wall_s))]
        case _:
            return []


def command(intent: Intent, wall_s: float) -> Row | None:
    """What a person did at a screen; None for what changes nothing."""
    match intent:
        case Acknowledge():
            return Row("commands", (None, intent.bed, "acknowledge", intent.kind, wall_s))
        case Silence():
            return Row("commands", (None, intent.bed, "silence", f"{intent.seconds:g}", wall_s))
        case Adjust():
            told = "" if intent.limits is None else encode_json(intent.limits).decode()
            return Row("commands", (None, intent.bed, "limits", told, wall_s))
        case Quit():
            return Row("commands", (None, "", "quit", "", wall_s))
        case _:
            return None


def marks(event: Event, place: Place) -> list[Mark]:
    """An event as annotations: AAMI letters are symbols of the MIT-BIH database too; an alarm is a note where it
    became known. What comes before the record is none of its annotations.
    """
    match event:
        case BeatRead():
            found = [Mark(event.index - place.first, event.cls)]
        case AlarmChanged():
            found = [
                Mark(change.index - place.first, NOTE, f"{change.kind} {change.what}")
                for change in event.changes
                if change.what in NOTED and not change.hidden
            ]
        case Steered():
            found = [Mark(event.index - place.first, NOTE, f"command {event.what} {event.detail}".strip())]
        case _:
            return []
    return [mark for mark in found if mark.sample >= 0]
