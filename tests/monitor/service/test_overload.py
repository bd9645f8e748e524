"""A bed that the monitor cannot keep up with is gapped, and everybody is told; one that is only sent fast is not."""

from __future__ import annotations

import time

from ecg.settings import Config, MonitorSettings
from ecg.wire.messages import SCHEMA, BedStatus, encode_json
from monitor.service.connection import Arrival
from monitor.service.loop import Service
from tests.support.services import JUST_CAME_S, QUARTERS, put, service, work
from tests.support.wards import ALONE, MINUTE, Run, messages, part, whole


def announce(to: Service, speed: float | str, bed: str = "a", *, online: bool = True) -> None:
    """The bed's retained status, as its producer sends it before its first wave."""
    status = BedStatus(
        v=SCHEMA,
        state="online" if online else "offline",
        record="r",
        source="wfdb",
        speed=speed,
        rate=360.0,
        leads=["MLII"],
        stream=QUARTERS[0].stream,
    )
    to._connection.inbox.put([Arrival(f"ecg/v1/{bed}/status", encode_json(status), online, time.time_ns())])


async def test_too_much_unread_signal_is_lost_and_the_bed_begins_anew() -> None:
    running = service()
    put(running, QUARTERS[:80], JUST_CAME_S)
    work(running)
    before = running.ward.ledger.beats
    put(running, QUARTERS[80:160], 12.0)  # 20 s of signal
    work(running)
    ledger = running.ward.ledger
    assert (ledger.received, ledger.lost, ledger.beats) == (80 * 90, 80 * 90, before)
    assert "bed a gapped: 20.0 s of signal waited unread" in running.status().problem
    told = running.open_feed().build(running.status())
    texts = [notice.text for notice in told.notices if notice.kind == "reset"]
    assert texts == ["memory reset: gap, 20.0 s of signal waited unread (max_lag_seconds)"]
    put(running, QUARTERS[160:170], JUST_CAME_S)
    work(running)
    bed = running.ward.beds["a"]
    assert bed.state(time.monotonic(), 30.0) == "gapped"
    put(running, QUARTERS[170:], JUST_CAME_S)
    work(running)
    running.ward.end_all()
    running.ward.step()
    after = [beat.index for beat in bed.history.beats if beat.index >= 160 * 90]
    assert after == [beat.index + 160 * 90 for beat in whole(part(MINUTE, 160 * 90, 21_600)).beats]
    ledger.run("a", QUARTERS[0].stream).published = 21_600
    assert ledger.balances()
    assert (ledger.received, ledger.lost) == (160 * 90, 80 * 90)


async def test_beds_that_keep_up_are_left_alone() -> None:
    running = service()
    put(running, QUARTERS[:20], 12.0)  # 5 s of signal
    put(running, QUARTERS[:80], 12.0, "b")  # 20 s
    work(running)
    runs = {bed: (run.received, run.lost) for (bed, _), run in running.ward.ledger.runs.items()}
    assert runs == {"a": (1800, 0), "b": (0, 7200)}
    assert "bed b gapped" in running.status().problem


async def test_a_fast_replay_that_is_read_in_time_is_not_late() -> None:
    running = service()
    announce(running, 60.0)
    put(running, messages(MINUTE, [5400, 10_800, 16_200]), 3.0)  # four messages of 15 s each
    work(running)
    assert (running.ward.ledger.received, running.ward.ledger.lost) == (21_600, 0)


async def test_a_replay_as_fast_as_it_can_be_sent_has_no_pace_to_fall_behind() -> None:
    for first in (True, False):  # its status read before, or waiting like its signal
        running = service()
        announce(running, "max")
        if first:
            work(running)
        put(running, QUARTERS, 60.0)
        work(running)
        assert (running.ward.ledger.received, running.ward.ledger.lost) == (21_600, 0)


async def test_two_streams_and_junk_may_wait_unread() -> None:
    running = service()
    put(running, QUARTERS[:10], JUST_CAME_S)
    work(running)
    second = messages(MINUTE, list(range(90, 21_600, 90)), "next-1-0")
    put(running, QUARTERS[10:], 20.0)
    running._connection.inbox.put([Arrival("ecg/v1/a/wave", b"junk", False, 0)])
    announce(running, 1.0, online=False)
    put(running, second[:100], 20.0)
    work(running, 7)
    put(running, second[100:], JUST_CAME_S)
    work(running)
    ledger = running.ward.ledger
    runs = {run: (count.received, count.lost) for (_, run), count in ledger.runs.items()}
    assert runs == {QUARTERS[0].stream[:-2]: (900, 20_700), "next-1": (12_600, 9000)}
    assert ledger.junk == 1


def test_chunks_that_wait_for_an_earlier_one_are_taken_after_a_gap() -> None:
    run = Run(Config(monitor=MonitorSettings(late_seconds=2.0)))
    for wave in (QUARTERS[0], QUARTERS[3], QUARTERS[4]):
        run.ward.wave("a", wave, 0)
    run.ward.forgo("a", QUARTERS[2], 0)
    run.ward.resume("a", 11.0)
    assert run.ward.beds["a"].intake.next == 5 * 90
    assert (run.ward.ledger.received, run.ward.ledger.lost) == (3 * 90, 2 * 90)


async def test_without_lag_nothing_changes() -> None:
    running = service()
    put(running, QUARTERS, JUST_CAME_S)
    work(running)
    running.ward.end_all()
    running.ward.step()
    assert running.ward.ledger.beats == len(ALONE.beats)
    assert running.status().problem == ""
