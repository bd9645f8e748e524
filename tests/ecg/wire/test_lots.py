"""Messages left in the bytes they came in are the same messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.signal import compiled
from ecg.wire import lot_splitter, lots
from ecg.wire.lot_splitter import LotSplitter
from ecg.wire.lots import TopicTable
from ecg.wire.packets import Arrival, PacketError, Splitter, publish

pytestmark = pytest.mark.skipif(compiled.kernels() is None, reason="there are no compiled kernels")
TOPICS = ["a", "", "ecg/v1/bed-1/wave", "ecg/v1/bed-2/wave", "ø/ü", "t" * 300]
messages = st.tuples(st.sampled_from(TOPICS), st.sampled_from([0, 1, 126, 2000]), st.booleans(), st.integers(0, 3))
odd = st.sampled_from([b"\xd0\x00", b"\x40\x02\x01\x02", b"\x90\x03abc", b"\x30\x04\x00\x01\xffx"])


def packet(topic: str, size: int, retain: bool, number: int) -> bytes:
    parts: list[bytes] = []
    publish(parts, topic or "x", bytes([65 + size % 26]) * size, retain, number)
    return b"".join(parts)


def all_of(splitter: Splitter, data: bytes, cuts: list[int]) -> tuple[list[Arrival], list[int], bytes, bytes]:
    """What a splitter makes of bytes that come in pieces."""
    arrivals, confirmed, answers, others = list[Arrival](), list[int](), b"", b""
    while data:
        size = cuts.pop() if cuts else len(data)
        taken = splitter.split(data[:size], 5)
        data = data[size:]
        arrivals += taken.lot.arrivals() if taken.lot else taken.arrivals
        confirmed += taken.confirmed
        answers += taken.answers
        others += taken.others
    return arrivals, confirmed, answers, others


@given(st.lists(messages.map(lambda one: packet(*one)) | odd, max_size=12), st.lists(st.integers(1, 3000), max_size=20))
def test_lots_hold_what_a_splitter_gives_however_the_bytes_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lot_splitter, "LEAST_BYTES", 3)
        data, same = b"".join(parts), LotSplitter()
        for _ in range(2):  # the second time all topics are known
            assert all_of(same, data, cuts.copy()) == all_of(Splitter(), data, cuts.copy())


def test_topics_beyond_the_room_of_a_table_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lots, "MOST_TOPICS", 300)
    whole = b"".join(packet(f"topic/{number}", 40, False, 0) for number in range(1000))
    splitter = LotSplitter()
    first = splitter.table
    for _ in range(2):
        assert all_of(splitter, whole, [9000] * 5) == all_of(Splitter(), whole, [9000] * 5)
    assert splitter.table is not first and len(splitter.table.names) <= 300


def test_a_table_that_grows_keeps_its_numbers() -> None:
    table = TopicTable()
    numbers = [table.add(f"{number}/{'x' * (number % 180)}".encode(), number * 7) for number in range(2000)]
    assert numbers == list(range(2000)) and table.names[1999] == f"1999/{'x' * 19}"
    assert bytes(table.texts[table.starts[700] : table.starts[701]]).decode() == table.names[700]


def test_what_is_no_mqtt_is_refused_as_by_a_splitter() -> None:
    for said in (b"\x30\xff\xff\xff\xff\x7f", b"\x32\x03\x00\x09a", b"\x36\x05\x00\x01a\x00\x01"):
        with pytest.raises(PacketError):
            LotSplitter().split(packet("a", 5000, False, 0) + said + bytes(9), 0)
