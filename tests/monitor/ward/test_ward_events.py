"""What the ward returns: events as they happened, with all that a sink needs."""

from __future__ import annotations

import dataclasses

import pytest

from ecg.records.record import Record
from monitor.ward.events import AlarmChanged, BeatRead, MemoryReset, ResetReason
from tests.support.wards import EXCERPT, MINUTE, Run, announced, messages, part


def flat(record: Record, begin: int) -> Record:
    """The record with a line without any heart from sample `begin` on: some alarm is active at its end."""
    samples = record.samples.copy()
    samples[begin:] = samples[begin]
    return dataclasses.replace(record, samples=samples)


def test_events_of_a_bed_come_in_the_order_of_its_samples() -> None:
    run = Run()
    for wave in messages(MINUTE, list(range(90, 21_600, 90))):
        run.ward.wave("a", wave, 0)
        run.step()
    run.finish()
    for kind in (BeatRead, AlarmChanged, MemoryReset):
        indices = [event.index for event in run.events if isinstance(event, kind)]
        assert indices == sorted(indices)
        assert indices
    assert isinstance(run.events[0], MemoryReset)


def test_a_beat_says_when_the_last_sample_it_needs_was_sent_and_received() -> None:
    run = Run()
    waves = messages(MINUTE, list(range(90, 21_600, 90)))
    for place, wave in enumerate(waves):
        timed = type(wave)(**{name: getattr(wave, name) for name in wave.__struct_fields__} | {"sent_ns": place + 1})
        run.ward.wave("a", timed, place + 1001)
        run.step()
    assert len(run.beats) > 60
    for beat in run.beats[3:]:  # the first wait until the detector has learned
        needed = beat.index + beat.lookahead_ms / 1000 * 360
        assert abs(beat.sent_ns - 1 - needed / 90) < 1.2
        assert beat.received_ns == beat.sent_ns + 1000
        assert beat.latency_ms > 0


def test_a_message_of_a_new_stream_loses_no_event_of_the_old_one() -> None:
    run = Run()
    for stream in ("r-1-0", "r-1-1"):
        run.ward.status("a", announced(stream), True)
        for wave in messages(MINUTE, [5000], stream):
            run.ward.wave("a", wave, 0)  # the old stream is processed within this call
    assert run.ward.waiting
    run.finish()
    assert [(reset.stream, reset.reason) for reset in run.resets] == [
        ("r-1-0", ResetReason.NEW_BED),
        ("r-1-1", ResetReason.NEW_RECORD),
    ]
    streams = [event.stream for event in run.events]
    assert streams == sorted(streams)


def test_what_a_person_does_is_told_after_what_happened_before() -> None:
    run = Run()
    run.ward.wave("a", messages(flat(MINUTE, 10_000), [], "r-1-0")[0], 0)
    run.ward.status("a", announced("r-1-1"), True)
    run.ward.wave("a", messages(part(EXCERPT, 0, 90), [], "r-1-1")[0], 0)  # ends the stream before
    before = run.ward.tell()
    alarms = [event for event in before if isinstance(event, AlarmChanged)]
    assert alarms[-1].stream == "r-1-0"
    assert alarms[-1].active
    (after,) = [event for event in run.step() if isinstance(event, AlarmChanged)]
    assert (after.stream, after.active, after.changes) == ("r-1-1", (), ())


def test_an_acknowledged_alarm_is_an_event_of_its_own() -> None:
    run = Run()
    run.ward.wave("a", messages(flat(MINUTE, 10_000), [])[0], 0)
    last = [event for event in run.step() if isinstance(event, AlarmChanged)][-1]
    kind = last.active[0].kind
    run.ward.acknowledge("a", kind)
    (told,) = run.ward.tell()
    assert isinstance(told, AlarmChanged)
    assert [(change.what, change.kind) for change in told.changes] == [("acknowledge", kind)]
    assert (told.active[0].kind, told.active[0].acknowledged) == (kind, True)
    assert run.ward.tell() == []


def test_a_ward_nobody_looks_at_keeps_no_more_than_the_v_beats_of_a_minute() -> None:
    run = Run()
    for wave in messages(EXCERPT, list(range(3600, 108_000, 3600))):
        run.ward.wave("a", wave, 0)
        run.step()
    kept = run.ward.beds["a"].recent_v
    told = [beat.index for beat in run.beats if beat.cls == "V"]
    assert list(kept) == [index for index in told if index >= told[-1] - 60 * 360][-len(kept) :]
    assert 0 < len(kept) < len(told)


def test_an_event_cannot_be_changed_by_a_sink() -> None:
    run = Run()
    run.ward.wave("a", messages(MINUTE, [])[0], 0)
    for event in run.step():
        with pytest.raises(AttributeError):  # of a dataclass or a Struct
            event.index = 0  # type: ignore[misc]
