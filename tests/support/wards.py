"""A ward in a test: messages of a record, and everything that the ward makes of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ecg.model import weights
from ecg.model.doubt import Doubt
from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire.messages import SCHEMA, BedStatus, Wave
from monitor.alarms import Change
from monitor.ward.events import AlarmChanged, BeatRead, Event, MemoryReset
from monitor.ward.ward import Ward

WEIGHTS, CARD = weights.load("memory-gru")


EXCERPT = library.read("excerpt")


def messages(record: Record, bounds: list[int], stream: str = "") -> list[Wave]:
    """The record as wave messages that end at these sample indices."""
    edges = sorted({0, *(bound for bound in bounds if 0 < bound < len(record.samples)), len(record.samples)})
    gain, baseline = record.gain.tolist(), record.baseline.tolist()
    return [
        Wave(
            v=SCHEMA,
            stream=stream or f"{record.name}-t-0",
            record=record.name,
            seq=seq,
            index=begin,
            rate=record.rate,
            leads=list(record.leads),
            gain=gain,
            baseline=baseline,
            sent_ns=0,
            samples=record.samples[begin:end].astype("<i2").tobytes(),
        )
        for seq, (begin, end) in enumerate(pairwise(edges))
    ]


def announced(stream: str) -> BedStatus:
    """A producer's word that this stream is the bed's from now on."""
    return BedStatus(
        v=SCHEMA,
        state="online",
        record="r",
        source="wfdb",
        speed=1.0,
        rate=360.0,
        leads=["MLII"],
        stream=stream,
    )


def part(record: Record, begin: int, end: int) -> Record:
    """Some of a record's samples."""
    return Record(
        name=record.name,
        rate=record.rate,
        leads=record.leads,
        gain=record.gain,
        baseline=record.baseline,
        samples=record.samples[begin:end],
        source="wfdb",
    )


DOUBT = Doubt(unsure_below=0.8, early_s=0.25)


class Run:
    """A ward and everything it said."""

    def __init__(self, config: Config | None = None, doubt: Doubt = CARD.doubt) -> None:
        self.ward = Ward(config or Config(), WEIGHTS, CARD.name, "cpu", doubt=doubt)
        self.events: list[Event] = []

    def step(self) -> list[Event]:
        events = self.ward.step()
        self.events += events
        return events

    @property
    def beats(self) -> list[BeatRead]:
        return [event for event in self.events if isinstance(event, BeatRead)]

    @property
    def resets(self) -> list[MemoryReset]:
        return [event for event in self.events if isinstance(event, MemoryReset)]

    def of(self, bed: str) -> list[BeatRead]:
        return [beat for beat in self.beats if beat.bed == bed]

    def finish(self) -> Run:
        self.ward.end_all()
        self.step()
        return self


def whole(record: Record) -> Run:
    """The record in one piece."""
    run = Run()
    for wave in messages(record, []):
        run.ward.wave("a", wave, 0)
    return run.finish()


def same(one: list[BeatRead], other: list[BeatRead]) -> None:
    """The same beats at the same samples, with probabilities within 1e-5."""
    assert [(beat.index, beat.cls, beat.rr_ms, beat.unsure) for beat in one] == [
        (beat.index, beat.cls, beat.rr_ms, beat.unsure) for beat in other
    ]
    for a, b in zip(one, other, strict=True):
        assert b.probabilities == pytest.approx(a.probabilities, abs=1e-5)


MINUTE = part(EXCERPT, 0, 21_600)


ALONE = whole(MINUTE)


def alarm_story(run: Run, bed: str) -> list[Change]:
    """Everything that happened to a bed's alarms."""
    return [
        change
        for event in run.events
        if isinstance(event, AlarmChanged) and event.bed == bed
        for change in event.changes
    ]
