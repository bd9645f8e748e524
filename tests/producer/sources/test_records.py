"""A bed's messages hold the record, whole and in order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.errors import UserError
from ecg.records import library
from ecg.records.gaps import RECORDED
from ecg.records.record import MISSING, Record
from ecg.wire.messages import MOST_WAVE_BYTES, encode_wave, wave_samples
from producer.sources.choosing import notes_on, with_ecg
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
        assert wave is not None
        assert wave.index == expected
        parts.append(wave_samples(wave))
        expected += len(parts[-1])
        marks += [mark.index for mark in truth.annotations] if truth else []
        assert all(mark < expected for mark in marks)
    assert np.array_equal(np.concatenate(parts), record.samples)
    assert marks == sorted(i for i in (5, 400, length - 1) if i < length) or length <= 400
    assert bed.published == length


@given(st.floats(0.02, 2.0), st.lists(st.tuples(st.integers(0, 1900), st.integers(1, 400)), max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_recording_is_sent_as_it_came_gaps_and_all(chunk: float, holes: list[tuple[int, int]]) -> None:
    record = small(2000)
    for begin, count in holes:
        record.samples[begin : begin + count] = MISSING
    record.samples[50, 0] = MISSING  # one lead of two is no gap
    expected = ~(record.samples == MISSING).all(axis=1)
    bed = Bed(name="b", record=replace(record, source=RECORDED), columns=[0], chunk_seconds=chunk, run="run")
    sent = np.zeros(2000, bool)
    while not bed.done:
        wave, _ = bed.next(0)
        if wave is not None:
            rows = wave_samples(wave)
            assert np.array_equal(rows[:, 0], record.samples[wave.index : wave.index + len(rows), 0])
            assert not sent[wave.index : wave.index + len(rows)].any()
            sent[wave.index : wave.index + len(rows)] = True
    assert np.array_equal(sent, expected)
    assert bed.published == 2000


def test_missing_samples_of_other_records_are_sent() -> None:
    record = small(200)
    record.samples[:] = MISSING
    bed = Bed(name="b", record=record, columns=[0], chunk_seconds=1.0, run="run")
    wave, _ = bed.next(0)
    assert wave is not None
    assert (wave_samples(wave) == MISSING).all()


def test_each_lap_is_a_stream_of_its_own() -> None:
    bed = Bed(name="b", record=small(100), columns=[0], chunk_seconds=0.25, run="run", loop=True)
    streams = [wave.stream for wave, _ in (bed.next(0) for _ in range(6)) if wave]
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
    both, wave = (beds[lead].next(0)[0] for lead in ("all", "MLII"))
    assert both is not None and wave is not None
    assert both.units == ["mmHg", "mV"]
    assert (wave.leads, wave.units) == (["II"], ["mV"])


@pytest.mark.parametrize(("count", "names"), [(0, ["t1"]), (1, ["t1"]), (3, ["t1-1", "t1-2", "t1-3"])])
def test_beds_that_share_a_record_have_names_of_their_own(count: int, names: list[str]) -> None:
    assert [bed.name for bed in make_beds([small()], count, "all", 0.25, "r", False, True)] == names


def test_annotations_can_be_left_out() -> None:
    bed = Bed(name="b", record=small(), columns=[0], chunk_seconds=2.0, run="run", truth=False)
    assert bed.next(0)[1] is None


def test_the_excerpt_makes_a_bed() -> None:
    bed = make_beds([library.read("excerpt")], 0, "all", 0.25, "r", False, True)[0]
    wave, _ = bed.next(7)
    _, truth = bed.next(8)
    assert wave is not None and truth is not None
    assert (wave.leads, wave.rate, wave.sent_ns) == (["MLII"], 360.0, 7)
    assert [(mark.index, mark.symbol, mark.rhythm) for mark in truth.annotations] == [(125, "N", "")]


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


def named(name: str, *leads: str) -> Record:
    """The excerpt's first minute with other names."""
    whole = library.read("excerpt")
    return replace(whole, name=name, leads=leads, samples=np.repeat(whole.samples[:3600], len(leads), axis=1))


def test_a_lead_that_no_record_has_is_refused_with_the_leads_there_are() -> None:
    with pytest.raises(UserError, match=r"no record has a lead 'V9': give one of MLII, V1, V5, or \"all\""):
        notes_on([named("a", "MLII", "V1"), named("b", "MLII", "V5")], "V9", truth=False)


def test_records_that_lack_the_lead_are_named() -> None:
    some = [named("a", "MLII"), named("b", "V5"), named("c", "V2"), named("b", "V5")]
    assert notes_on(some, "mlii", truth=True) == ["no lead 'mlii' in b, c: their best lead is sent"]


@pytest.mark.parametrize("lead", ["all", "MLII", "mlii", "Lead MLII"])
def test_nothing_is_said_where_every_record_has_the_lead(lead: str) -> None:
    assert notes_on([named("a", "MLII", "V1")], lead, truth=True) == []


def test_a_record_without_annotations_is_sent_and_said() -> None:
    bare = replace(small(), annotations=None)
    assert notes_on([bare], "all", truth=True) == ["no annotations in t1: sent without truth"]
    assert notes_on([bare], "all", truth=False) == []
    assert make_beds([bare], 0, "all", 0.25, "r", False, True)[0].next(0)[1] is None


def test_a_first_lead_without_samples_gives_way_to_the_second() -> None:
    record = small()
    record.samples[:, 1] = MISSING
    assert make_beds([record], 0, "MLII", 0.25, "r", False, True)[0].columns == [0]
    assert make_beds([record], 0, "all", 0.25, "r", False, True)[0].columns == [0]
    assert notes_on([record], "all", truth=True) == ["no samples of MLII in t1: not sent"]


def test_a_record_without_an_ecg_lead_is_refused() -> None:
    record = replace(small(), leads=("ABP", "PLETH"), units=("mmHg", "NU"))
    with pytest.raises(UserError, match="t1 has no ECG lead: its signals are ABP in mmHg, PLETH in NU"):
        with_ecg([record])
    kept, said = with_ecg([record, small()])
    assert ([one.leads for one in kept], len(said)) == ([("V5", "MLII")], 1)


def test_of_a_hundred_signals_the_ecg_leads_and_the_pulse_are_sent() -> None:
    names = (*(f"EEG {number}" for number in range(98)), "ECG II", "PLETH")
    record = replace(named("night", *names), gain=np.ones(100), baseline=np.zeros(100))
    columns = make_beds([record], 0, "all", 0.25, "r", False, True)[0].columns
    assert len(columns) == 64 and columns[-2:] == [98, 99]


def test_the_longest_message_of_many_fast_signals_can_be_decoded() -> None:
    record = replace(named("fast", *["II"] * 64), rate=10_000.0, gain=np.ones(64), baseline=np.zeros(64))
    record = replace(record, samples=np.zeros((40_000, 64), np.int16))
    bed = make_beds([record], 0, "all", 15.0, "r", False, True)[0]
    wave, _ = bed.next(0)
    assert wave is not None
    assert len(encode_wave(wave)) < MOST_WAVE_BYTES and not bed.done


@pytest.mark.parametrize(
    ("name", "bed"), [("p1/s 2.x", "p1-s-2-x"), ("患者", "bed"), ("a" * 70, "a" * 64), ("ok_1", "ok_1")]
)
def test_a_record_of_any_name_has_a_bed(name: str, bed: str) -> None:
    assert make_beds([named(name, "II")], 0, "all", 0.25, "r", False, True)[0].name == bed


def test_two_records_of_one_name_are_two_beds() -> None:
    beds = make_beds([named("p1/a", "II"), named("p1-a", "II")], 0, "all", 0.25, "r", False, True)
    assert [bed.name for bed in beds] == ["p1-a", "p1-a-2"]
