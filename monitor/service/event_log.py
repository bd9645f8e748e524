"""The event log: what the alarms did, one JSON object a line, for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import msgspec

from ecg.errors import UserError
from monitor.alarms.kinds import PRIORITY
from monitor.alarms.state import Change


class Event(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line. time: wall clock, ISO 8601, UTC. what, kind and samples as in `Change`.

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


def event(bed: str, stream: str, rate: float, change: Change, wall_s: float) -> Event:
    """The line that a change makes. rate: Hz. wall_s: seconds since the epoch."""
    onset = change.onset if change.onset >= 0 else None
    over = change.over if change.over >= 0 else None
    return Event(
        time=datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds"),
        bed=bed,
        stream=stream,
        what=change.what,
        kind=change.kind,
        index=change.index,
        at_s=round(change.index / rate, 3),
        priority=PRIORITY.get(change.kind, ""),
        onset=onset,
        onset_s=None if onset is None else round(onset / rate, 3),
        over=over,
        over_s=None if over is None else round(over / rate, 3),
        hidden=change.hidden,
    )


class EventLog:
    """A file that events are added to; it is never rewritten.

    Raises UserError where the file cannot be opened. A write that fails later (a full disk) must not stop a
    monitor: it is counted in `lost`, with the reason in `problem`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.lost = 0
        self.problem = ""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"cannot write the event log {self.path}: {error.strerror}; set log of [alarms] to another file"
            ) from None

    def write(self, bed: str, stream: str, rate: float, changes: list[Change], wall_s: float) -> None:
        """Add one line for each change, and hand them to the system."""
        lines = [msgspec.json.encode(event(bed, stream, rate, change, wall_s)).decode() for change in changes]
        try:
            self._file.write("".join(line + "\n" for line in lines))
            self._file.flush()
        except OSError as error:
            self.lost += len(lines)
            self.problem = f"the event log {self.path} cannot be written: {error.strerror}"

    def close(self) -> None:
        """Close the file; what the disk does not take is counted as lost."""
        try:
            self._file.close()
        except OSError as error:
            self.problem = f"the event log {self.path} cannot be written: {error.strerror}"
