"""A bed's messages hold the record, whole and in order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.records import library
from ecg.wire.messages import wave_samples
from producer.sources.records import Bed, make_beds
from tests.support.beds import small


@given(st.floats(0.02, 2.0), st.floats(100, 1000), st.integers(10, 3000))
@settings(max_examples=60, deadline=None)
def test_the_chunks_together_are_the_record(chunk: float, rate: float, length: int) -> None:
    record = small(length, rate)
    bed = Bed(name="b", record=record, columns=[0, 1], chunk_seconds=chunk, run="run")
    parts, marks, expected = [], [], 0
    while not bed.done:
        wave, truth = bed.next(0)
        assert wave.index == expected
        parts.append(wave_samples(wave))
        expected += len(parts[-1])
        marks += [mark.index for mark in truth.annotations] if truth else []
        assert all(mark < expected for mark in marks)
    assert np.array_equal(np.concatenate(parts), record.samples)
    assert marks == sorted(i for i in (5, 400, length - 1) if i < length) or length <= 400
    assert bed.published == length


def test_each_lap_is_a_stream_of_its_own() -> None:
    bed = Bed(name="b", record=small(100), columns=[0], chunk_seconds=0.25, run="run", loop=True)
    streams = [bed.next(0)[0].stream for _ in range(6)]
    assert streams == ["t1-run-0"] * 2 + ["t1-run-1"] * 2 + ["t1-run-2"] * 2
    assert not bed.done


def test_chunks_do_not_drift_at_rates_that_do_not_divide() -> None:
    bed = Bed(name="b", record=small(3000, 333.3), columns=[0], chunk_seconds=0.25, run="run")
    ends = []
    while not bed.done:
        bed.next(0)
        ends.append(bed.index)
    assert all(abs(end - (k + 1) * 0.25 * 333.3) <= 0.5 for k, end in enumerate(ends[:-1]))


def test_one_lead_is_picked_by_name_and_the_best_where_it_is_not_there() -> None:
    assert make_beds([small()], 0, "mlii", 0.25, "r", False, True)[0].columns == [1]
    assert make_beds([small()], 0, "aVR", 0.25, "r", False, True)[0].columns == [1]
    assert make_beds([small()], 0, "all", 0.25, "r", False, True)[0].columns == [0, 1]


def test_a_wave_says_the_units_of_its_leads() -> None:
    record = replace(small(), leads=("ABP", "II"), units=("mmHg", "mV"))
    beds = {lead: make_beds([record], 0, lead, 0.25, "r", False, True)[0] for lead in ("all", "MLII")}
    assert beds["all"].next(0)[0].units == ["mmHg", "mV"]
    wave = beds["MLII"].next(0)[0]
    assert (wave.leads, wave.units) == (["II"], ["mV"])


@pytest.mark.parametrize(("count", "names"), [(0, ["t1"]), (1, ["t1"]), (3, ["t1-1", "t1-2", "t1-3"])])
def test_beds_that_share_a_record_have_names_of_their_own(count: int, names: list[str]) -> None:
    assert [bed.name for bed in make_beds([small()], count, "all", 0.25, "r", False, True)] == names


def test_annotations_can_be_left_out() -> None:
    bed = Bed(name="b", record=small(), columns=[0], chunk_seconds=2.0, run="run", truth=False)
    assert bed.next(0)[1] is None


def test_the_excerpt_makes_a_bed() -> None:
    bed = make_beds([library.read("excerpt")], 0, "all", 0.25, "r", False, True)[0]
    wave, truth = bed.next(7)
    assert (wave.leads, wave.rate, wave.sent_ns, truth) == (["MLII"], 360.0, 7, None)


def test_beds_of_the_same_record_begin_at_different_places() -> None:
    record = small(20000)
    beds = make_beds([record], 9, "all", 0.25, "r", False, True)
    assert len({bed.record.samples[:50].tobytes() for bed in beds}) == 9
    for copy, bed in enumerate(beds):
        start = len(record.samples) - len(bed.record.samples)
        assert len(bed.record.samples) >= len(record.samples) / 2
        assert start == round(copy * 7.3 * record.rate) % (len(record.samples) // 2)
        assert (bed.record.samples == record.samples[start:]).all()
        assert record.annotations is not None and bed.record.annotations is not None
        kept = record.annotations.index >= start
        assert (bed.record.annotations.index + start == record.annotations.index[kept]).all()
        assert (bed.record.annotations.symbol == record.annotations.symbol[kept]).all()
