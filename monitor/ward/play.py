"""Records played through a ward as fast as it can take them: the beds' messages in, what the ward says out.

Scoring, benchmarks, golden digests: whoever wants to know how the monitor reads a record asks here, so that there is
one way from samples to alarms and not two.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ecg.records.record import Record
from ecg.wire.messages import SCHEMA, Wave


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
        )
