"""Events in words: the lines of a screen's alert list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from monitor.alarms import PRIORITY
from monitor.link.protocol import Notice
from monitor.ward.events import AlarmChanged, BeatRead, Event, MemoryReset, ResetReason, Steered, UnderstoodChanged

KINDS = {"onset": "alarm", "end": "end"}
"""Kinds of the notices that changes of an alarm make; of its other changes there are none."""

NOT_UNDERSTOOD: Final = "sends, and is not understood"


def notices(event: Event, wall_s: float) -> Iterator[Notice]:
    """The lines an event makes: none, one, or one for each change of an alarm. wall_s: seconds since the epoch."""
    match event:
        case BeatRead():
            if event.cls != "N":
                yield Notice(
                    wall_s=wall_s,
                    bed=event.bed,
                    stream=event.stream,
                    index=event.index,
                    kind="beat",
                    text=f"{event.cls} beat",
                    cls=event.cls,
                    probability=max(event.probabilities),
                    latency_ms=event.latency_ms,
                )
        case MemoryReset():
            if event.reason != ResetReason.NEW_BED:
                yield Notice(
                    wall_s=wall_s,
                    bed=event.bed,
                    stream=event.stream,
                    index=event.index,
                    kind="reset",
                    text=f"memory reset: {why(event)}",
                )
        case UnderstoodChanged():
            yield Notice(
                wall_s=wall_s,
                bed=event.bed,
                stream=event.stream,
                index=event.index,
                kind="end" if event.understood else "alarm",
                text=f"{NOT_UNDERSTOOD}{' no longer' if event.understood else ''}",
                priority="low",
            )
        case Steered():
            yield Notice(
                wall_s=wall_s,
                bed=event.bed,
                stream=event.stream,
                index=event.index,
                kind="command",
                text=f"{event.what} {event.detail}".strip(),
            )
        case AlarmChanged():
            for change in event.changes:
                if change.what in KINDS and not change.hidden:
                    yield Notice(
                        wall_s=wall_s,
                        bed=event.bed,
                        stream=event.stream,
                        index=change.onset,
                        kind=KINDS[change.what],
                        text=change.kind,
                        priority=PRIORITY[change.kind],
                        until=change.over if change.what == "end" else -1,
                    )


def why(event: MemoryReset) -> str:
    """The reason of a reset, in words."""
    match event.reason:
        case ResetReason.NEW_BED:
            return "new bed"
        case ResetReason.NEW_RECORD:
            return "new record"
        case ResetReason.RESTARTED:
            return "stream began again"
        case ResetReason.RESUMED:
            return "stream resumed"
        case ResetReason.GAP:
            return f"gap of {event.seconds:.1f} s"
        case ResetReason.LEAD_WAS_OFF:
            return "lead was off"
        case ResetReason.OVERLOAD:
            return f"gap, {event.seconds:.1f} s of signal waited unread (max_lag_seconds)"
