"""One bed: a record cut into wave messages and the annotations that go with them. No network, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from ecg.records.leads import pick_lead
from ecg.records.record import Annotations, Record
from ecg.wire.messages import SCHEMA, BedStatus, Truth, TruthMark, Wave

STAGGER_SECONDS: Final = 7.3


@dataclass(slots=True, kw_only=True)
class Bed:
    """Replays `record` as bed `name`; every lap is a stream of its own, so indices never jump back within a stream.

    columns: leads sent. chunk_seconds: signal in one message. run: name of this replay among others of the same record.
    lap, index, seq: present position of the replay. published: samples per lead handed out, all laps together.
    """

    name: str
    record: Record
    columns: list[int]
    chunk_seconds: float
    run: str
    loop: bool = False
    truth: bool = True
    lap: int = 0
    index: int = 0
    seq: int = 0
    published: int = 0
    _chunk: int = 0
    _mark: int = field(default=0)

    @property
    def stream(self) -> str:
        """Name of the present lap."""
        return f"{self.record.name}-{self.run}-{self.lap}"

    @property
    def done(self) -> bool:
        """Whether the last sample has been handed out."""
        return not self.loop and self.index >= len(self.record.samples)

    def next(self, sent_ns: int) -> tuple[Wave, Truth | None]:
        """The next chunk and the annotations in it. Must not be called when `done`."""
        length = len(self.record.samples)
        if self.index >= length:
            self.lap, self.index, self._chunk, self._mark = self.lap + 1, 0, 0, 0
        begin = self.index
        self._chunk += 1
        end = min(max(round(self._chunk * self.chunk_seconds * self.record.rate), begin + 1), length)
        rows = self.record.samples[begin:end, self.columns]
        wave = Wave(
            v=SCHEMA,
            stream=self.stream,
            record=self.record.name,
            seq=self.seq,
            index=begin,
            rate=self.record.rate,
            leads=[self.record.leads[column] for column in self.columns],
            gain=[float(self.record.gain[column]) for column in self.columns],
            baseline=[float(self.record.baseline[column]) for column in self.columns],
            sent_ns=sent_ns,
            samples=rows.astype("<i2").tobytes(),
            units=[self.record.units[column] for column in self.columns] if self.record.units else [],
        )
        self.index = end
        self.seq += 1
        self.published += end - begin
        return wave, self._annotations(end)

    def _annotations(self, end: int) -> Truth | None:
        """Annotations up to sample `end` that have not been sent yet."""
        notes = self.record.annotations
        if notes is None or not self.truth:
            return None
        first = self._mark
        while self._mark < len(notes.index) and notes.index[self._mark] < end:
            self._mark += 1
        marks = [
            TruthMark(int(notes.index[i]), str(notes.symbol[i]), str(notes.rhythm[i])) for i in range(first, self._mark)
        ]
        return Truth(SCHEMA, self.stream, marks) if marks else None

    def status(self, online: bool, speed: float | str, final: bool = False) -> BedStatus:
        """The bed's retained status. final: with the number of published samples."""
        return BedStatus(
            v=SCHEMA,
            state="online" if online else "offline",
            record=self.record.name,
            source=self.record.source,
            speed=speed,
            rate=self.record.rate,
            leads=[self.record.leads[column] for column in self.columns],
            stream=self.stream,
            published=self.published if final else None,
        )


def make_beds(
    records: list[Record], beds: int, lead: str, chunk_seconds: float, run: str, loop: bool, truth: bool
) -> list[Bed]:
    """`beds` beds (0: one per record), the records used in turn.

    The later beds of a record begin later in it, so that a ward does not beat as one.
    lead: "all", or the only lead sent (the record's first lead where it has no such lead).
    """
    count = beds or len(records)
    made = []
    for number in range(count):
        record = records[number % len(records)]
        columns = list(range(len(record.leads))) if lead == "all" else [pick_lead(record.leads, lead, record.units)]
        name = record.name if count <= len(records) else f"{record.name}-{number // len(records) + 1}"
        begun = later(record, number // len(records))
        made.append(
            Bed(name=name, record=begun, columns=columns, chunk_seconds=chunk_seconds, run=run, loop=loop, truth=truth)
        )
    return made


def later(record: Record, times: int) -> Record:
    """The record without its first `times` x 7.3 s; at least half remains, and starts at index 0."""
    start = round(times * STAGGER_SECONDS * record.rate) % max(len(record.samples) // 2, 1)
    if not start:
        return record
    notes = record.annotations
    if notes is not None:
        kept = notes.index >= start
        notes = Annotations(notes.index[kept] - start, notes.symbol[kept], notes.rhythm[kept])
    return replace(record, samples=record.samples[start:], annotations=notes)
