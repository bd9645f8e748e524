"""Packets out of bytes, however these are cut, and messages as packets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.wire.bounds import MOST_WAVE_BYTES
from ecg.wire.lots import NOT_UTF8, Arrival
from ecg.wire.messages import MessageError, decode_wave
from ecg.wire.packets import MOST_KEPT, PacketError, Splitter, publish

topics = st.sampled_from(["a", "ecg/v1/bed-1/wave", "ø/ü", "t" * 300])
messages = st.tuples(topics, st.sampled_from([b"", b"x", b"y" * 126, b"z" * 20_000]), st.booleans(), st.integers(0, 3))


def packet(topic: str, payload: bytes, retain: bool, number: int) -> bytes:
    parts: list[bytes] = []
    assert publish(parts, topic, payload, retain, number) == len(b"".join(parts))
    return b"".join(parts)


@given(st.lists(messages, max_size=6), st.lists(st.integers(1, 3000), max_size=20))
def test_what_was_packed_comes_out_again_however_the_bytes_are_cut(
    sent: list[tuple[str, bytes, bool, int]], cuts: list[int]
) -> None:
    data = b"".join(packet(*one) + b"\xd0\x00" + b"\x40\x02\x01\x02" for one in sent)
    splitter, arrivals, confirmed, answers, others = Splitter(), list[Arrival](), list[int](), b"", b""
    while data:
        size = cuts.pop() if cuts else len(data)
        taken = splitter.split(data[:size], 5)
        data = data[size:]
        arrivals += taken.arrivals
        confirmed += taken.confirmed
        answers += taken.answers
        others += taken.others
    assert arrivals == [Arrival(topic, payload, retain, 5) for topic, payload, retain, _ in sent]
    assert confirmed == [0x102] * len(sent)
    assert others == b"\xd0\x00" * len(sent)
    assert answers == b"".join(b"\x40\x02" + bytes([0, number]) for *_, number in sent if number)


@pytest.mark.parametrize("size", [1 << 16, 1_000_003, 100 << 20])
@pytest.mark.parametrize("beyond", [1, 20 << 20])
def test_of_a_message_that_nobody_will_read_the_beginning_is_kept(size: int, beyond: int) -> None:
    whole = packet("a", b"z" * (MOST_KEPT + beyond), True, 7) + packet("b", b"x", False, 0)
    splitter, arrivals, answers = Splitter(), list[Arrival](), b""
    for at in range(0, len(whole), size):
        taken = splitter.split(whole[at : at + size], 5)
        arrivals += taken.arrivals
        answers += taken.answers
        assert sum(map(len, splitter._parts)) <= MOST_KEPT + size
    long, short = arrivals
    assert (long.topic, long.retained, short, answers) == ("a", True, Arrival("b", b"x", False, 5), b"\x40\x02\x00\x07")
    kept = len(long.payload)
    assert kept == MOST_KEPT + beyond if size > len(whole) else MOST_WAVE_BYTES < kept <= MOST_KEPT
    with pytest.raises(MessageError, match="bytes"):
        decode_wave(long.payload)


def test_a_packet_without_end_that_is_no_message_is_no_mqtt() -> None:
    splitter = Splitter()
    splitter.split(b"\x20\x80\x80\x80\x03" + bytes(100), 0)
    with pytest.raises(PacketError, match="6291461 bytes that are no message"):
        splitter.split(bytes(6 << 20), 0)


def test_a_topic_that_is_not_utf8_is_said_to_be_none() -> None:
    (one,) = Splitter().split(b"\x30\x04\x00\x01\xffx", 0).arrivals
    assert (one.topic, one.payload) == (NOT_UTF8, b"x")


@given(st.binary(max_size=200), st.integers(1, 50))
def test_bytes_that_are_no_mqtt_raise_one_error_and_nothing_else(data: bytes, size: int) -> None:
    splitter = Splitter()
    try:
        for at in range(0, len(data), size):
            splitter.split(data[at : at + size], 0)
    except PacketError:
        pass


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0b", "x" * 70_000])
def test_what_is_no_topic_is_not_published_to(topic: str) -> None:
    with pytest.raises(PacketError, match="is no topic that can be published to"):
        publish([], topic, b"", False, 0)
