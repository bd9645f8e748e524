"""Records played through a ward as fast as it can take them: messages of many beds in, events out.

Scoring, benchmarks, golden digests: whoever wants to know how the monitor reads a record asks here, so that there is
one way from samples to alarms and not two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, zip_longest

from ecg import clock
from ecg.records.record import Record
from ecg.wire.messages import SCHEMA, Wave
from monitor.ward.events import Event
from monitor.ward.ward import Ward


def feed(ward: Ward, beds: Mapping[str, Iterable[Wave]]) -> Iterator[list[Event]]:
    """One message of every bed after the other, and what a step after each such round brings about.

    Beds may have messages of any number and length; the longer they are, the more is done at once.
    """
    for turn in zip_longest(*beds.values()):
        for name, wave in zip(beds, turn, strict=True):
            if wave is not None:
                ward.wave(name, wave, clock.steady_ns())
        yield ward.step()


def play(ward: Ward, beds: Mapping[str, Iterable[Wave]]) -> Iterator[list[Event]]:
    """`feed`, and then the end of all beds: what that brings about is the last list."""
    yield from feed(ward, beds)
    ward.end_all()
    yield ward.step()


def waves(record: Record, chunk_seconds: float) -> Iterator[Wave]:
    """The record as wave messages of that length, every lead, as a producer sends them."""
    size = max(round(chunk_seconds * record.rate), 1)
    for number, (begin, end) in enumerate(pairwise([*range(0, len(record.samples), size), len(record.samples)])):
        yield Wave(
            v=SCHEMA,
            stream=f"{record.name}-played-0",
            record=record.name,
            seq=number,
            index=begin,
            rate=record.rate,
            leads=list(record.leads),
            gain=record.gain.tolist(),
            baseline=record.baseline.tolist(),
            sent_ns=0,
            samples=record.samples[begin:end].astype("<i2").tobytes(),
            units=list(record.units),
        )
