"""The service between the ward and its sinks: what is slow or broken outside changes nothing inside."""

from __future__ import annotations

import threading
import time

import msgspec
import numpy as np
import pytest

from ecg.settings import Config, MonitorSettings
from ecg.wire.broker import Broker
from ecg.wire.messages import Alarms, Beat, BedStatus, decode_json
from ecg.wire.topics import Topics
from monitor.link.protocol import ServiceStatus, Show
from monitor.service.connection import Arrival, Outgoing
from monitor.service.feed import View
from monitor.service.latency import Latencies
from monitor.service.loop import Service
from monitor.service.publisher import Publisher, rounded
from monitor.ward.events import AlarmChanged, BeatRead, Event
from monitor.ward.ward import Ward
from tests.support.services import JUST_CAME_S, QUARTERS, put, service, work
from tests.support.wards import ALONE, CARD, MINUTE, WEIGHTS, Run, messages, same


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def take(self, events: list[Event]) -> None:
        self.events += events


class Broken:
    """A sink that cannot take anything."""

    def take(self, events: list[Event]) -> None:
        raise LookupError("no room")


def beats(kept: Kept) -> list[BeatRead]:
    return [event for event in kept.events if isinstance(event, BeatRead)]


async def test_a_sink_that_fails_keeps_no_other_from_the_events_and_is_told() -> None:
    running, kept = service(), Kept()
    running._sinks.by_name = {"broken": Broken(), "kept": kept}
    put(running, QUARTERS, JUST_CAME_S)
    work(running)
    running.ward.end_all()
    running._sinks.take(running.ward.step())
    same(beats(kept), ALONE.beats)
    assert running.problems == ["broken failed (LookupError: no room)"]
    assert running.status().problem == "broken failed (LookupError: no room)"


async def test_a_reader_that_dozes_never_keeps_the_ward_waiting() -> None:
    awake = threading.Event()
    read: list[Beat] = []

    def on_beat(beat: Beat) -> None:
        assert awake.wait(60)
        read.append(beat)

    ward = Ward(Config(), WEIGHTS, CARD.name, "cpu")
    running, kept = Service(Config(), Broker("127.0.0.1", 1, "external"), ward, on_beat), Kept()
    running._sinks.by_name["kept"] = kept
    put(running, QUARTERS, JUST_CAME_S)
    work(running)  # would never return if it waited for the reader
    assert read == []
    assert len(beats(kept)) > 60
    awake.set()
    running._outlets.close(10.0)
    assert [beat.index for beat in read] == [beat.index for beat in beats(kept)]
    assert running.problems == []


async def test_an_unusable_message_is_a_whole_sentence() -> None:
    running = service()
    running._connection.inbox.put([Arrival("ecg/v1/a/wave", b"junk", False, 0)])
    work(running)
    (problem,) = running.problems
    assert problem.startswith("skipped a message on ecg/v1/a/wave: not a Wave message")
    assert running.status().junk == 1


def test_events_are_published_as_the_wire_has_them() -> None:
    run = Run()
    out: list[Outgoing] = []
    for wave in messages(MINUTE, [7000]):
        run.ward.wave("bed-1", wave, 5)
        run.step()
    publisher = Publisher(Topics("ecg/v1"), "m1", "memory-gru", out.extend)
    publisher.take(run.events)
    sent = [message for message in out if isinstance(message, Outgoing)]
    (together,) = [one for one in sent if one.topic == "ecg/v1/_monitor/m1/beats"]
    sent.remove(together)
    assert together.payload.splitlines() == [one.payload for one in sent if one.topic.endswith("/beat")]
    assert len(sent) == len([event for event in run.events if isinstance(event, BeatRead | AlarmChanged)])
    published = [decode_json(one.payload, Beat) for one in sent if one.topic == "ecg/v1/bed-1/beat"]
    for beat, event in zip(published, run.beats, strict=True):
        assert (beat.index, beat.class_, beat.model, beat.monitor) == (event.index, event.cls, "memory-gru", "m1")
        assert list(beat.probabilities) == list("NSVFQ")
        assert list(beat.probabilities.values()) == pytest.approx(event.probabilities, abs=1e-6)
    assert published[0].rr_ms is None
    alarms = [one for one in sent if one.topic == "ecg/v1/bed-1/alarm"]
    assert all(one.retain for one in alarms)
    assert decode_json(alarms[-1].payload, Alarms).monitor == "m1"
    assert decode_json(alarms[-1].payload, Alarms).active == list(
        [event for event in run.events if isinstance(event, AlarmChanged)][-1].active
    )
    assert [one.mark for one in sent if one.topic.endswith("/beat")] == [beat.sent_ns for beat in run.beats]


def test_latencies_are_of_the_stages_that_a_beat_goes_through() -> None:
    run = Run()
    run.ward.wave("a", messages(MINUTE, [])[0], 0)
    (first, *_) = [event for event in run.step() if isinstance(event, BeatRead)]
    beat = msgspec.structs.replace(first, sent_ns=1_000_000, received_ns=3_000_000, latency_ms=12.0)
    latencies = Latencies()
    latencies.take([beat, beat])
    latencies.take([])
    latencies.confirmed([time.time_ns() - 20_000_000])
    assert {stage: found.total for stage, found in latencies.stages.items()} == {"received": 2, "read": 2, "total": 1}
    assert latencies.stages["received"].quantile(0.5) == pytest.approx(2.0, rel=0.02)
    assert latencies.stages["read"].quantile(0.5) == pytest.approx(10.0, rel=0.02)


def test_a_bed_that_left_and_came_back_is_told_from_its_beginning() -> None:
    run = Run(Config(monitor=MonitorSettings(max_beds=1)))
    view = View(run.ward)
    view.show(Show(["a"], 600.0))
    status = service_status(run)
    whole = messages(MINUTE, [])[0]
    run.ward.wave("a", whole, 0)
    run.step()
    (before,) = view.build(status).shown
    assert before.fresh
    run.ward.status("a", goodbye(whole.stream), False)
    run.ward.wave("b", messages(MINUTE, [])[0], 0)  # takes the only place
    run.step()
    run.ward.status("b", goodbye(whole.stream), False)
    run.ward.wave("a", messages(MINUTE, [7200])[0], 0)
    run.step()
    (after,) = view.build(status).shown
    assert after.fresh
    assert after.strips[0].index == 0
    assert after.beats[0].index == before.beats[0].index


def goodbye(stream: str) -> BedStatus:
    return BedStatus(
        v=1, state="offline", record="r", source="wfdb", speed=1, rate=360.0, leads=["MLII"], stream=stream
    )


def service_status(run: Run) -> ServiceStatus:
    return ServiceStatus(
        broker="b",
        device="cpu",
        model=run.ward.model,
        beds=1,
        beats_per_s=1.0,
        latency_p50_ms=None,
        latency_p99_ms=None,
        lookahead_ms=467.4,
        received=0,
        lost=0,
        repeated=0,
        junk=0,
    )


def test_numbers_are_rounded_together_as_each_by_itself() -> None:
    rows = np.random.default_rng(0).uniform(0, 2000, (200, 3)).astype(np.float32).tolist()
    assert rounded(rows, 6) == [[round(value, 6) for value in row] for row in rows]
    assert rounded(rows, 3, 2, 1) == [[round(a, 3), round(b, 2), round(c, 1)] for a, b, c in rows]
    assert rounded(rows[:2], 3, 2, 1) == rounded(rows, 3, 2, 1)[:2]
