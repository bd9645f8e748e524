"""One bed: a record cut into wave messages and the annotations that go with them. No network, no clock."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ecg.errors import UserError
from ecg.records.gaps import gaps
from ecg.records.record import Record
from ecg.wire.messages import SCHEMA, SIMULATED, BedStatus, Command, Truth, TruthMark, Wave
from producer.sources.choosing import bed_name, later, sent_columns
from producer.sources.steering import Steered, steered

MOST_SAMPLES: Final = 1 << 20
"""Samples of all leads in one wave message, half of what its bound allows."""


@dataclass(slots=True, kw_only=True)
class Bed:
    """Replays `record` as bed `name`; every lap is a stream of its own, so indices never jump back within a stream.

    columns: leads sent. chunk_seconds: signal in one message. run: name of this replay among others of the same record.
    others: records that the bed may go on with. own: the record as it is, where its beats have another rhythm for now;
    made: that stretch.
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
    others: list[Record] = field(default_factory=list)
    own: Record | None = None
    made: Steered | None = None
    _offset: int = 0
    _due: float = 0.0
    _mark: int = field(default=0)
    _gaps: list[tuple[int, int]] = field(init=False)
    _first: str = field(init=False)
    _whole: bool = field(init=False)
    _terms: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._first = self.record.name
        self._begin()

    def _begin(self) -> None:
        """What is the same in all messages of the present record."""
        record, columns = self.record, self.columns
        self._gaps = gaps(record)
        self._whole = columns == list(range(record.samples.shape[1]))
        self._terms = {
            "record": record.name,
            "rate": record.rate,
            "leads": [record.leads[column] for column in columns],
            "gain": [float(record.gain[column]) for column in columns],
            "baseline": [float(record.baseline[column]) for column in columns],
            "units": [record.units[column] for column in columns] if record.units else [],
        }

    @property
    def record_name(self) -> str:
        """Name of the present record."""
        return self.record.name

    @property
    def rate(self) -> float:
        """Samples per second."""
        return self.record.rate

    @property
    def leads(self) -> list[str]:
        """Names of the signals sent."""
        return [self.record.leads[column] for column in self.columns]

    @property
    def seconds(self) -> float:
        """Length of the present stream."""
        return self._length / self.record.rate

    @property
    def stream(self) -> str:
        """Name of the present lap: that of the bed's first record stays in it, so that the run is one."""
        return f"{self._first}-{self.run}-{self.lap}"

    @property
    def _length(self) -> int:
        return len(self.record.samples) - self._offset

    @property
    def done(self) -> bool:
        """Whether the last sample has been handed out."""
        return not self.loop and self.index >= self._length

    def next(self, sent_ns: int) -> tuple[Wave | None, Truth | None]:
        """The next chunk and the annotations in it; no chunk in a gap. Must not be called when `done`."""
        if self.index >= self._length:
            self._anew(0)
        before = self.index
        self._due += self.chunk_seconds * self.record.rate
        end = min(max(round(self._due), before + 1), self._length)
        begin, end = self._heard(before, end)
        self.index = end
        self.published += end - before
        wave = self._wave(begin, end, sent_ns) if begin < end else None
        self.seq += wave is not None
        return wave, self._annotations(end)

    def _heard(self, begin: int, end: int) -> tuple[int, int]:
        """The part of a chunk that is not in a gap: what comes behind one is of the next chunk."""
        if not self._gaps:
            return begin, end
        begin, end = begin + self._offset, end + self._offset
        for first, last in self._gaps[bisect_right(self._gaps, begin, key=lambda gap: gap[1]) :]:
            if first <= begin:
                begin = min(last, end)
            else:
                end = min(first, end)
                break
        return begin - self._offset, end - self._offset

    def _wave(self, begin: int, end: int, sent_ns: int) -> Wave:
        rows = self.record.samples[self._offset + begin : self._offset + end]
        if not self._whole:
            rows = rows[:, self.columns]
        made = self.made
        if made and begin + self._offset < made.end and end + self._offset > made.begin:
            terms = {**self._terms, "record": f"{SIMULATED}{made.rhythm}: {self.record.name}"}
        else:
            terms = self._terms
        return Wave(
            v=SCHEMA,
            stream=self.stream,
            seq=self.seq,
            index=begin,
            sent_ns=sent_ns,
            samples=rows.astype("<i2", copy=False).tobytes(),
            **terms,
        )

    def _annotations(self, end: int) -> Truth | None:
        """Annotations up to sample `end` that have not been sent yet."""
        notes = self.record.annotations
        if notes is None or not self.truth:
            return None
        first = self._mark
        while self._mark < len(notes.index) and notes.index[self._mark] - self._offset < end:
            self._mark += 1
        marks = [
            TruthMark(int(notes.index[i]) - self._offset, str(notes.symbol[i]), str(notes.rhythm[i]))
            for i in range(first, self._mark)
        ]
        return Truth(SCHEMA, self.stream, marks) if marks else None

    def _anew(self, offset: int) -> None:
        """Index 0 of another stream, at a sample of the present record, as it is."""
        self.record, self.own, self.made = self.own or self.record, None, None
        self.lap, self.index, self._due, self._offset = self.lap + 1, 0, 0.0, offset
        notes = self.record.annotations
        self._mark = 0 if notes is None else int(np.searchsorted(notes.index, offset))

    def obey(self, command: Command) -> tuple[int, str]:
        """Jump in the record, go on with another, or give its own beats another rhythm for a while.

        Raises UserError where a record cannot do that.
        """
        if command.do == "set":
            return self._rhythm(command), self.stream
        if command.do == "jump":
            if command.seconds is None:
                raise UserError("jump needs seconds: a time in the record")
            at = round(command.seconds * self.record.rate)
            if at >= len(self.record.samples):
                raise UserError(
                    f"jump to {command.seconds:g} s is past the end: record {self.record.name} has "
                    f"{self.record.seconds:g} s"
                )
            self._anew(at)
            return 0, self.stream
        if command.do == "next":
            self._change(self._other(command.record))
            return 0, self.stream
        raise UserError(f"{command.do} is for simulated beds: {self.name} replays record {self.record.name}")

    def _rhythm(self, command: Command) -> int:
        """The record's own beats in another rhythm from the next one on; the first sample that may differ."""
        here = self._offset + self.index
        made = steered(self.own or self.record, self.record, here, command)
        if made.rhythm:
            self.made = made
        elif self.made:  # what is left of the stretch, up to the next beat
            self.made = self.made._replace(end=min(self.made.end, made.begin))
        self.record, self.own = made.record, made.own
        if self.record.annotations is not None:
            self._mark = int(np.searchsorted(self.record.annotations.index, here))
        return made.begin - self._offset

    def _other(self, name: str | None) -> Record:
        """The record of that name among those this bed may send, else the next one. Raises UserError."""
        others = self.others or [self.record]
        names = [one.name for one in others]
        if name is not None:
            if name not in names:
                raise UserError(f"there is no record {name!r} to send: this producer has {', '.join(names[:20])}")
            return others[names.index(name)]
        here = names.index(self.record.name) if self.record.name in names else -1
        return others[(here + 1) % len(others)]

    def _change(self, record: Record) -> None:
        """Another record, with the leads that the present one sent where it has them, else all of its own."""
        kept = [record.leads.index(name) for name in self.leads if name in record.leads]
        columns = kept if len(kept) == len(self.columns) else sent_columns(record)
        self.record, self.own, self.made, self.columns = record, None, None, columns
        self._begin()
        self._anew(0)

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
    lead: "all", or the only lead sent (the record's best lead where it has no such lead, or no samples of it).
    """
    count = beds or len(records)
    made: list[Bed] = []
    taken: set[str] = set()
    for number in range(count):
        record = records[number % len(records)]
        columns = sent_columns(record) if lead == "all" else [record.best_lead(lead)]
        name = record.name.rpartition(": ")[2]  # what stands before is said of it
        name = name if count <= len(records) else f"{name}-{number // len(records) + 1}"
        begun = later(record, number // len(records))
        made.append(
            Bed(
                name=bed_name(name, taken),
                record=begun,
                columns=columns,
                chunk_seconds=min(chunk_seconds, MOST_SAMPLES / (len(columns) * record.rate)),
                run=run,
                loop=loop,
                truth=truth,
                others=records,
            )
        )
    return made
