"""Every bed has its turn: who floods the monitor keeps itself waiting, in order, within bounds, and nobody else."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.wire.lots import Lot, TopicTable
from ecg.wire.messages import SCHEMA, ProducerStatus, encode_json
from ecg.wire.packets import Arrival
from ecg.wire.topics import Topics
from monitor.service import inbox as of
from monitor.service import reading
from monitor.service.fresh import OVERHEAD
from monitor.service.inbox import Inbox
from tests.support.services import FINAL, JUST_CAME_S, QUARTERS, put, service

TOPICS = Topics("ecg/v1")
PROGRAM = TOPICS.producer("p")
FLOOD = 5000
HONEST = [f"bed-{number}" for number in range(5)]


def inbox(known: set[str] | None = None) -> Inbox:
    """An inbox that nobody waits at. known: names of beds that are here; all of them where it is None."""
    waker = asyncio.new_event_loop()
    waker.close()
    box = Inbox(waker, TOPICS, (lambda _name: True) if known is None else known.__contains__)
    box._woken = True
    return box


def wave(bed: str, number: int = 0, size: int = 300, at: int = 1) -> Arrival:
    return Arrival(TOPICS.of(bed, "wave"), number.to_bytes(4, "big") + bytes(size - 4), False, at)


def beds(taken: list[Arrival]) -> Counter[str]:
    return Counter(one.topic.split("/")[2] for one in taken)


def test_a_flood_on_one_bed_keeps_no_other_waiting_for_more_than_its_turn() -> None:
    box = inbox()
    box.put([wave("flood", number) for number in range(FLOOD)])
    left = FLOOD
    for tick in range(20):
        box.put([wave(bed, tick) for bed in HONEST])
        box.put([wave("flood", FLOOD + tick)] * 100)  # and it goes on
        taken = beds(box.take(64))
        assert [taken[bed] for bed in HONEST] == [1] * len(HONEST)
        assert taken["flood"] == 64 - len(HONEST)  # nobody else wants the rest
        left += 100 - taken["flood"]
    assert len(box) == left


def test_whoever_sends_large_messages_owes_turns_for_them() -> None:
    box = inbox()
    box.put([wave("big", number, 1 << 20) for number in range(20)])
    for bed in HONEST:
        box.put([wave(bed, number) for number in range(100)])
    taken: Counter[str] = Counter()
    while any(taken[bed] < 100 for bed in HONEST):
        taken += beds(box.take(64, 1 << 20))
    assert taken["big"] <= 2
    assert len(box.take(64, 64 << 20)) == 20 - taken["big"]
    assert (len(box), box._bytes) == (0, 0)


def test_names_that_are_no_beds_share_one_turn_until_they_are_beds() -> None:
    known = set(HONEST)
    box = inbox(known)
    box.put([wave(f"stranger-{number}") for number in range(FLOOD)])
    for tick in range(20):
        for bed in HONEST:
            box.put([wave(bed, number) for number in range(12)])  # more than a turn
        taken = beds(box.take(64))
        assert [taken[bed] for bed in HONEST] == [12] * len(HONEST)
        assert 1 <= sum(taken.values()) - 12 * len(HONEST) <= 4, tick
    box.put([wave("stranger-4999", number) for number in range(30)])
    known.add("stranger-4999")
    while box._lanes["stranger-4999"].waiting:  # its turn among strangers comes once, and then it is one of us
        box.take(64)
    assert box._lanes["stranger-4999"] not in box._strangers


def test_what_a_connection_says_of_its_beds_is_heard_after_what_it_had_sent_of_them() -> None:
    box = inbox()
    said = Arrival(PROGRAM, b"offline", False, 50)
    box.put([wave("a", number, at=number) for number in range(1, 50)])
    box.put([said, *(wave("a", number, at=number) for number in range(51, 60))])
    order = [one.received_ns for one in box.take(1000)]
    assert order.index(50) >= 49 and sorted(order) == list(range(1, 60))
    box.put([said, said])
    assert box.take(10) == [said, said]


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.integers(4, 40_000), st.booleans()), max_size=60),
    st.integers(1, 9),
)
def test_each_bed_s_messages_come_out_once_and_in_order(sent: list[tuple[str, int, bool]], most: int) -> None:
    box = inbox({"a", "b"})
    out: list[Arrival] = []
    for number, (bed, size, look) in enumerate(sent):
        box.put([wave(bed, number, size)])
        if look:
            out += box.take(most, 30_000)
    while box:
        taken = box.take(most, 30_000)
        assert 1 <= len(taken) <= most
        out += taken
    for bed in "abcd":
        numbers = [int.from_bytes(one.payload[:4], "big") for one in out if one.topic == TOPICS.of(bed, "wave")]
        assert numbers == [number for number, (name, _, _) in enumerate(sent) if name == bed]
    assert (len(box), box._bytes, box.waited_s) == (0, 0, 0.0)


def test_a_flood_fills_its_share_of_the_memory_and_a_bed_with_little_that_waits_still_has_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(of, "MOST_BYTES", 4 << 20)
    monkeypatch.setattr(of, "LITTLE_BYTES", 64 << 10)
    known = {"a", "flood"}
    box = inbox(known)
    empty = Arrival(TOPICS.of("flood", "wave"), b"", False, 1)
    box.put([empty] * 20_000)  # empty ones fill a memory too
    kept = len(box)
    assert kept * OVERHEAD <= 3 << 20 and box.overflowed == 20_000 - kept and box.crowded == "flood"
    box.put([wave("a")] * 20 + [wave("stranger")])
    assert len(box) == kept + 20 and box.overflowed == 20_001 - kept
    box.put([wave("a", 0, 1 << 16)] * 99)  # but not for a second flood
    assert len(box) == kept + 21
    taken = 0
    while box:
        taken += len(box.take(64))
    assert (taken, box._bytes) == (kept + 21, 0)


def test_names_without_end_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of, "MOST_BYTES", 4 << 20)
    monkeypatch.setattr(of, "MOST_TOPICS", 256)
    box = inbox(set())
    box.put([wave(f"s-{number}", size=4) for number in range(5000)])
    each = 4 + OVERHEAD + of.LANE_BYTES
    assert len(box) <= (3 << 20) / each + 1 and len(box) + box.overflowed == 5000
    while box:
        box.take(64)
    box.put([wave(f"t-{number}") for number in range(300)])
    box.take(1)
    assert len(box._by_topic) <= 256 and len(box._lanes) <= 600


def test_a_topic_that_a_terminal_would_obey_is_made_readable() -> None:
    box = inbox()
    for _ in range(2):
        box.put([Arrival("ecg/v1/\x1b[2J/wave", b"x", False, 0), Arrival("ecg/v1/" + "b" * 60_000, b"x", True, 0)])
        first, second = box.take(2)
        assert first.topic == "ecg/v1/\\x1b[2J/wave"
        assert len(second.topic) <= 200 and second.retained


async def test_beds_are_read_on_time_beside_a_flood_and_the_ledger_balances() -> None:
    running = service()
    box, ward = running._connection.inbox, running.ward
    for bed in ("a", "b", "flood"):
        put(running, QUARTERS[:4], JUST_CAME_S, bed)
    while box or running.reading.busy:
        running.step()
    junk = Arrival("ecg/v1/flood/wave", b"\xdf\xff\xff\xff\xff", False, time.time_ns() + 60 * 10**9)
    box.put([junk] * FLOOD)
    again = msgspec.structs.replace(QUARTERS[0], stream="other-1-0")
    put(running, [again] * FLOOD, JUST_CAME_S, "flood")
    for at in range(4, 24):
        put(running, QUARTERS[at : at + 1], JUST_CAME_S, "a")
        put(running, QUARTERS[at : at + 1], JUST_CAME_S, "b")
        running.take(box.take(reading.AT_A_TIME))  # the least that a step takes
        assert [ward.beds[bed].intake.next for bed in ("a", "b")] == [(at + 1) * 90] * 2
        assert len(box) > FLOOD
    put(running, QUARTERS[4:], JUST_CAME_S, "flood")
    while box or running.reading.busy:
        running.step()
    assert ward.ledger.junk == 2 * FLOOD
    for bed, published in (("a", 24 * 90), ("b", 24 * 90), ("flood", 21_600)):
        ward.status(bed, msgspec.structs.replace(FINAL, published=published), False)
    ledger = ward.ledger
    assert ledger.balances() and (ledger.received, ledger.lost) == (48 * 90 + 21_600, 0)


async def test_a_bed_goes_offline_only_after_its_last_signal() -> None:
    running = service()
    now_ns = time.time_ns()
    put(running, QUARTERS, 1.0)
    gone = encode_json(ProducerStatus(v=SCHEMA, state="offline", beds=["a"]))
    running._connection.inbox.put([Arrival(PROGRAM, gone, False, now_ns)])
    while running._connection.inbox or running.reading.busy:
        running.step()
    assert running.ward.beds["a"].intake.next == 21_600 and not running.ward.beds["a"].online


def test_what_is_taken_at_once_stays_as_it_came_and_goes_into_lanes_where_it_is_more_or_lanes_are_served() -> None:
    box = inbox()
    first, second = [wave("a", 1), wave("b", 2)], [wave("a", 3)]
    box.put(first)
    box.put(second)
    assert box.take_fresh(3, 10_000) == [first, second] and len(box) == 0 and box.waited_s == 0
    box.put_back([first, second])
    assert len(box) == 3 and box.take_fresh(10, 10_000) == []
    assert box.take(10) == [first[0], *second, first[1]]  # the lanes' order
    box.put(first)
    assert box.take_fresh(1, 10_000) == [] and box.take_fresh(2, 600) == [first]
    box.put(first)
    box.park("b")
    assert box.take_fresh(10, 10_000) == [] and box.take(10) == first[:1]


def test_lots_and_messages_keep_their_order() -> None:
    topics, box = TopicTable(), inbox()
    raw = TOPICS.of("a", "wave").encode()
    data, number = raw + b"one" + b"two", topics.add(raw, 1)
    table = np.array([[number, len(raw), len(raw) + 3, 0], [number, len(raw) + 3, len(raw) + 6, 1]])
    box.put([wave("a", 0)])
    box.put_lot(Lot(data, table, 7, topics))
    box.put([wave("a", 9)])
    assert (len(box), box.received) == (4, 3)
    assert [one.payload[:3] for one in box.take(9)] == [bytes(3), b"one", b"two", bytes(3)]
    assert box._bytes == 0 == len(box)
