"""The event log: what the alarms did, one JSON object a line, for people and for programs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from ecg.errors import UserError
from monitor.alarms.kinds import PRIORITY
from monitor.alarms.state import Change
from monitor.service.aside import PATIENCE_SECONDS, Aside
from monitor.ward.events import AlarmChanged, Event, Steered

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 50_000
"""Events kept for a disk that is slow."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A change of an alarm, or a command. time: wall clock, ISO 8601, UTC. what, kind, who and samples as in `Change`.

    at_s, onset_s, over_s: seconds of signal from the start of the stream, left out where there is none.
    """

    time: str
    bed: str
    stream: str
    what: str
    kind: str
    index: int
    at_s: float
    priority: str = ""
    onset: int | None = None
    onset_s: float | None = None
    over: int | None = None
    over_s: float | None = None
    hidden: bool = False
    detail: str = ""
    who: str = ""


def steered(event: Steered, wall_s: float) -> Line:
    """The line of a command that the bed's producer has carried out: what is "command", kind its name."""
    return Line(
        time=datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds"),
        bed=event.bed,
        stream=event.stream,
        what="command",
        kind=event.what,
        index=event.index,
        at_s=round(event.index / event.rate, 3),
        detail=event.detail,
    )


def line(event: AlarmChanged, change: Change, wall_s: float) -> Line:
    """The line that one change of an event makes. wall_s: seconds since the epoch."""
    onset = change.onset if change.onset >= 0 else None
    over = change.over if change.over >= 0 else None
    return Line(
        time=datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds"),
        bed=event.bed,
        stream=event.stream,
        what=change.what,
        kind=change.kind,
        index=change.index,
        at_s=round(change.index / event.rate, 3),
        priority=PRIORITY.get(change.kind, ""),
        onset=onset,
        onset_s=None if onset is None else round(onset / event.rate, 3),
        over=over,
        over_s=None if over is None else round(over / event.rate, 3),
        hidden=change.hidden,
        who=change.who,
    )


class EventLog:
    """A file that the changes of alarms are added to; it is never rewritten.

    Raises UserError where the file cannot be opened. A write that fails later (a full disk) must not stop a
    monitor: it is counted in `lost`, with the reason in `problem`. Writing is done aside.
    """

    def __init__(self, path: str | Path, wall_s: Callable[[], float] = time.time) -> None:
        self.path = Path(path).expanduser()
        self.problem = ""
        self._wall_s = wall_s
        self._lost = 0
        self._torn = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise UserError(
                f"cannot write the event log {self.path}: {error.strerror}; set log of [alarms] to another file"
            ) from None
        self._aside: Aside[tuple[AlarmChanged | Steered, float]] = Aside("event log", self._write, MOST_WAITING)

    @property
    def lost(self) -> int:
        """Changes that did not get into the file."""
        return self._lost + self._aside.lost

    def take(self, events: Sequence[Event]) -> None:
        """Add one line for each change of an alarm, and for each command to a bed's producer."""
        wall_s = self._wall_s()
        self._aside.put(
            (event, wall_s)
            for event in events
            if isinstance(event, Steered) or (isinstance(event, AlarmChanged) and event.changes)
        )

    def close(self, patience_s: float = PATIENCE_SECONDS) -> None:
        """Write what is left, and close the file; what is left once nothing has moved for so long is lost."""
        self._aside.close(patience_s)
        self._file.close()

    def _write(self, items: list[tuple[AlarmChanged | Steered, float]]) -> None:
        lines = [
            msgspec.json.encode(made) + b"\n"
            for event, wall_s in items
            for made in (
                [steered(event, wall_s)]
                if isinstance(event, Steered)
                else [line(event, change, wall_s) for change in event.changes]
            )
        ]
        content = b"".join([b"\n", *lines] if self._torn else lines)
        written = 0
        try:
            while written < len(content):
                written += self._file.write(content[written:])
            self._torn = False
        except OSError as error:
            kept = content[:written].count(b"\n") - self._torn if written else 0
            self._torn = not content[:written].endswith(b"\n") if written else self._torn
            self._lost += len(lines) - kept
            sentence = f"the event log {self.path} cannot be written: {error.strerror}"
            if self.problem != sentence:
                _log.warning("%s", sentence)
            self.problem = sentence
