"""One batch after the other onto the disk: signal, annotations, events. No thread, no queue.

What the disk does not take is lost, and said once; the rest goes on. After a while it is tried again.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ecg import clock
from ecg.errors import UserError
from ecg.records.marks import Mark
from ecg.settings import RecorderSettings
from monitor.service.recorder import lanes, pruning, rows
from monitor.service.recorder.folder import claim, recover
from monitor.service.recorder.lanes import Lane, Part
from monitor.service.recorder.rows import Row
from monitor.ward.events import Event
from monitor.ward.pieces import Block, Taken

WHOLE_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
RETRY_SECONDS: Final = 60.0
PRUNE_SECONDS: Final = 60.0


@dataclass(slots=True)
class Batch:
    """What has come since the last one. events: with the seconds since the epoch at which they were known."""

    signal: list[Taken] = field(default_factory=list)
    events: list[tuple[Event, float]] = field(default_factory=list)
    commands: list[Row] = field(default_factory=list)


class Writer:
    """The records and events of one folder. Raises UserError where the folder cannot be used.

    say: gets a sentence once where something cannot be recorded, and once where it can be again. lost: samples and
    events that did not get onto the disk. age_s: the clock by which old records are removed; that of the system set
    forward must not remove them.
    """

    def __init__(
        self,
        settings: RecorderSettings,
        say: Callable[[str], None] = lambda _sentence: None,
        wall_s: Callable[[], float] = time.time,
        age_s: Callable[[], float] = clock.careful_s,
    ) -> None:
        self._settings, self._say, self._wall_s, self._age_s = settings, say, wall_s, age_s
        self.folder = Path(settings.folder).expanduser()
        self.lost = 0
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._present: dict[str, str] = {}
        self._stopped: dict[str, tuple[float, str]] = {}
        self._pruned_s = float("-inf")
        self._lock = claim(self.folder)
        try:
            self._base, sentences = recover(self.folder)
        except UserError:
            self._lock.close()
            raise
        for sentence in sentences:
            say(sentence)

    @property
    def problem(self) -> str:
        """What is not recorded, and why; "" where everything is."""
        said = [sentence for _, sentence in list(self._stopped.values())]
        return said[0] + (f" (and {len(said) - 1} more)" if len(said) > 1 else "") if said else ""

    def write(self, batch: Batch) -> None:
        """All of it; what cannot be written is counted in `lost`."""
        now_s = self._wall_s()
        made: list[Row] = []
        touched: dict[int, Part] = {}
        for taken in batch.signal:
            self._signal(taken, made, touched, now_s)
        for part in touched.values():
            self._flush(part, now_s)
        self._note(batch.events, made, now_s)
        self._events([*made, *batch.commands], now_s)
        self._tidy(now_s)

    def close(self) -> None:
        """Finish every record."""
        for lane in self._lanes.values():
            self._finish(lane.parts, self._wall_s())
        self._lanes.clear()
        with suppress(sqlite3.Error):
            self._base.close()
        self._lock.close()

    def _note(self, events: list[tuple[Event, float]], made: list[Row], now_s: float) -> None:
        """Events as rows, and as annotations of the records that they belong to."""
        marked: dict[int, tuple[Part, list[Mark]]] = {}
        for event, known_s in events:
            lane = self._lanes.get((event.bed, event.stream))
            there: Part | None = None
            if lane is not None:
                lane.note(event)
                there = lane.place(event.index)
            made += rows.rows(event, lanes.where(there), known_s)
            if there is not None:
                marked.setdefault(there.number, (there, []))[1].extend(rows.marks(event, lanes.where(there)))
        for part, marks in marked.values():
            with self._trying(part.bed, now_s):
                part.record.annotate(marks)

    def _signal(self, taken: Taken, made: list[Row], touched: dict[int, Part], now_s: float) -> None:
        if self._is_stopped(taken.bed, now_s):
            self.lost += sum(len(block) for block in taken.blocks)
            return
        lane = self._lanes.setdefault((taken.bed, taken.stream), Lane())
        lane.heard_s, lane.left = now_s, False
        before = self._present.get(taken.bed)
        if before not in (None, taken.stream) and (taken.bed, str(before)) in self._lanes:
            self._lanes[taken.bed, str(before)].left = True
        self._present[taken.bed] = taken.stream
        longest = round(self._settings.record_hours * 3600 * taken.rate)
        fill = round(lanes.FILLED_SECONDS * taken.rate)
        for block in taken.blocks:
            part = lane.parts[-1] if lane.parts else None
            if part is None or not lanes.fits(part, block, longest, fill):
                with self._trying(taken.bed, now_s):
                    part = self._begin(lane, taken, block)
                    made.append(_row(part, taken))
                if self._is_stopped(taken.bed, now_s):
                    return
                assert part is not None
            part.add(block)
            touched[part.number] = part

    def _begin(self, lane: Lane, taken: Taken, block: Block) -> Part:
        last = lane.parts[-1] if lane.parts else None
        turn = 0 if last is None else last.turn + (block.index < last.next)
        part = lanes.begin(self.folder, taken, block, self._base.number(), turn)
        lane.parts.append(part)
        return part

    def _flush(self, part: Part, now_s: float) -> None:
        waiting = sum(map(len, part.rows))
        with self._trying(part.bed, now_s):
            written = part.flush()
            waiting -= written
            if written:
                self._works(DISK, f"recording in {self.folder} goes on")
                self._works(part.bed, f"bed {part.bed} is recorded again")
        self.lost += waiting

    def _events(self, made: list[Row], now_s: float) -> None:
        """One transaction."""
        if self._is_stopped(EVENTS, now_s):
            self.lost += len(made)
            return
        try:
            self._base.add(made)
            self._works(EVENTS, "events are recorded again")
        except sqlite3.Error as error:
            self.lost += len(made)
            self._stop(EVENTS, f"events are not recorded in {self._base.path}: {error}", now_s)

    def _tidy(self, now_s: float) -> None:
        """Finish what is over, and prune."""
        for key, lane in list(self._lanes.items()):
            over = now_s - lane.heard_s > (lanes.LEFT_SECONDS if lane.left else lanes.SILENT_SECONDS)
            if over:
                del self._lanes[key]
                if self._present.get(key[0]) == key[1]:
                    del self._present[key[0]]
            old = lane.parts if over else lane.parts[:-2]
            if old:
                self._finish(old, now_s)
                lane.parts = [] if over else lane.parts[-2:]
        if now_s - self._pruned_s > PRUNE_SECONDS or now_s < self._pruned_s:
            self._pruned_s = now_s
            self._prune(self._age_s(), now_s)

    def _prune(self, age_s: float, now_s: float) -> None:
        open_now = {part.record.name for lane in self._lanes.values() for part in lane.parts}
        gone, full = pruning.prune(self.folder, open_now, self._settings, age_s)
        with suppress(sqlite3.Error):
            self._base.forget(gone, age_s - self._settings.keep_days * pruning.DAY)
        if full:  # open records alone are too much: they end here, and can go
            for lane in self._lanes.values():
                self._finish(lane.parts, now_s)
                lane.parts = []

    def _finish(self, parts: list[Part], now_s: float) -> None:
        for part in parts:
            self._flush(part, now_s)
            with self._trying(part.bed, now_s):
                part.record.finish()
                size = pruning.size(self.folder, part.record.name)
                with suppress(sqlite3.Error):
                    self._base.finish(part.number, now_s, part.record.samples, size)

    def _trying(self, bed: str, now_s: float) -> _Trying:
        return _Trying(self, bed, now_s)

    def failed(self, bed: str, error: OSError, now_s: float) -> None:
        """A file of a bed could not be written: it is given up, or all are where the whole disk is the reason."""
        if error.errno in WHOLE_DISK:
            self._stop(DISK, f"nothing is recorded in {self.folder}: {error.strerror}", now_s)
            beds = {key[0] for key in self._lanes}
        else:
            self._stop(bed, f"bed {bed} is not recorded in {self.folder}: {error.strerror}", now_s)
            beds = {bed}
        for key in [key for key in self._lanes if key[0] in beds]:
            for part in self._lanes[key].parts:
                self.lost += sum(map(len, part.rows))
                part.rows = []
                with suppress(OSError):
                    part.record.finish()
            del self._lanes[key]

    def _stop(self, what: str, sentence: str, now_s: float) -> None:
        if what not in self._stopped:
            self._say(sentence)
        self._stopped[what] = now_s, sentence

    def _works(self, what: str, sentence: str) -> None:
        if self._stopped.pop(what, None) is not None:
            self._say(sentence)

    def _is_stopped(self, what: str, now_s: float) -> bool:
        """Has this been given up, and is it not to be tried again yet?."""
        return any(
            name in self._stopped and 0 <= now_s - self._stopped[name][0] < RETRY_SECONDS for name in {what, DISK}
        )


DISK: Final = "/"
EVENTS: Final = "/events"
"""Names that no bed has."""


class _Trying:
    """Around writing for a bed: an OSError is the writer's business, and nobody else's."""

    def __init__(self, writer: Writer, bed: str, now_s: float) -> None:
        self._writer, self._bed, self._now_s = writer, bed, now_s

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, OSError):
            self._writer.failed(self._bed, error, self._now_s)
            return True
        return False


def _row(part: Part, taken: Taken) -> Row:
    """A record as a row of its table; its end is not known yet."""
    leads = ",".join(taken.leads)
    head = (part.number, part.record.name, taken.bed, taken.stream, taken.record, taken.rate, leads)
    return Row("records", (*head, part.first, part.record.begun_s, None, None, None))
