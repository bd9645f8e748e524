"""MQTT 3.1.1 packets that come and go in great numbers: PUBLISH of QoS 0 and 1, PUBACK. Bytes, no socket, no clock.

All other packets, and all that a connection needs besides, are the MQTT library's business (`ecg.wire.client`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from ecg.wire.bounds import MOST_WAVE_BYTES
from ecg.wire.lots import NOT_UTF8, Lot
from ecg.wire.lots import Arrival as Arrival

PUBLISH: Final = 0x30
PUBACK: Final = 0x40
MOST_REMAINING: Final = (1 << 28) - 1
MOST_TOPIC: Final = (1 << 16) - 1
MOST_KEPT: Final = MOST_WAVE_BYTES + (1 << 17)
"""Bytes of a packet that are kept: of a longer message there is so much that whoever decodes it sees it is too long."""
KNOWN_TOPICS: Final = 1 << 16
LONGEST_KNOWN: Final = 256
"""Bytes of a topic that is remembered: strangers may use many and long ones."""


class PacketError(ValueError):
    """Bytes that are no MQTT, or a message that cannot be sent as MQTT; the text is one sentence."""


class Taken(NamedTuple):
    """What some bytes held. confirmed: numbers of PUBACKs. answers: PUBACKs to send. others: other packets, whole.

    lot: the messages, in place of arrivals.
    """

    arrivals: list[Arrival]
    confirmed: list[int]
    answers: bytes
    others: bytes
    lot: Lot | None = None


class Splitter:
    """Packets out of a stream of bytes, however it is cut."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 0
        self._kept = 0
        self._topics: dict[bytes, str] = {}

    def split(self, data: bytes, received_ns: int) -> Taken:
        """The packets that end in these bytes; what is begun is kept. Raises PacketError."""
        if self._parts:
            self._have += len(data)
            if self._have < self._need:
                if self._kept < MOST_KEPT:
                    self._parts.append(data)
                    self._kept += len(data)
                return Taken([], [], b"", b"")
            data = self._shortened(data) if self._need > MOST_KEPT else b"".join((*self._parts, data))
            self._parts.clear()
        taken, at, stop = self._packets(data, received_ns)
        if at < len(data):
            self._parts, self._have, self._kept = [data[at:]], len(data) - at, len(data) - at
            self._need = max(stop - at, self._have + 1)
        return taken

    def _packets(self, data: bytes, received_ns: int) -> tuple[Taken, int, int]:
        """The packets that end in these bytes, which begin with one; where the first one begins that does not, and
        where that ends, or 0. Raises PacketError.
        """
        arrivals: list[Arrival] = []
        confirmed: list[int] = []
        answers = bytearray()
        others = bytearray()
        at, end, stop = 0, len(data), 0
        while end - at >= 2:
            first, length, body = data[at], data[at + 1], at + 2
            if length > 127:
                length, body = _length(data, at + 1)
                if not body:
                    stop = 0
                    break
            stop = body + length
            if stop > end:
                break
            kind = first & 0xF0
            if kind == PUBLISH:
                begin = body + 2
                name = begin + (data[body] << 8 | data[body + 1] if length > 1 else stop)
                qos = first & 6
                start = name + 2 if qos else name
                if start > stop or qos > 2:
                    raise PacketError("a PUBLISH that is cut short, or of a quality nobody asked for")
                if qos:
                    answers += b"\x40\x02"
                    answers += data[name:start]
                arrivals.append(Arrival(self._topic(data[begin:name]), data[start:stop], bool(first & 1), received_ns))
            elif kind == PUBACK and length == 2:
                confirmed.append(data[body] << 8 | data[body + 1])
            else:
                others += data[at:stop]
            at = stop
        return Taken(arrivals, confirmed, bytes(answers), bytes(others)), at, stop

    def _shortened(self, last: bytes) -> bytes:
        """A packet that ends here, cut where nobody reads it any more, and what follows. Raises PacketError."""
        end = len(last) - (self._have - self._need)
        packet = b"".join((*self._parts, last[:end]))[:MOST_KEPT]
        if packet[0] & 0xF0 != PUBLISH:
            raise PacketError(f"{self._need} bytes that are no message")
        body = packet[_length(packet, 1)[1] :]
        return b"".join((_head(packet[0], len(body)), body, last[end:]))

    def _topic(self, raw: bytes) -> str:
        known = self._topics.get(raw)
        if known is not None:
            return known
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            topic = NOT_UTF8
        if len(raw) <= LONGEST_KNOWN:
            if len(self._topics) >= KNOWN_TOPICS:
                self._topics.clear()
            self._topics[raw] = topic
        return topic


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Remaining length of a packet, and where it ends; (0, 0) where more bytes are needed. Raises PacketError."""
    length = 0
    for place in range(4):
        if at + place >= len(data):
            return 0, 0
        byte = data[at + place]
        length |= (byte & 127) << 7 * place
        if byte < 128:
            return length, at + place + 1
    raise PacketError("a length of more than four bytes")


def publish(out: list[bytes], topic: str, payload: bytes, retain: bool, number: int) -> int:
    """Add the parts of a PUBLISH packet; returns their bytes. number: 0 for QoS 0. Raises PacketError."""
    name = _name(topic)
    rest = len(name) + len(payload) + (2 if number else 0)
    if rest > MOST_REMAINING:
        raise PacketError(f"{len(payload)} bytes are too many for a message")
    head = _head(PUBLISH | (2 if number else 0) | retain, rest)
    head += name
    if number:
        head += number.to_bytes(2, "big")
    out.append(bytes(head))
    out.append(payload)
    return len(head) + len(payload)


def _head(first: int, rest: int) -> bytearray:
    """The beginning of a packet: its kind, and how many bytes follow."""
    head = bytearray((first,))
    while rest > 127:
        head.append(rest & 127 | 128)
        rest >>= 7
    head.append(rest)
    return head


@lru_cache(KNOWN_TOPICS)
def _name(topic: str) -> bytes:
    """A topic as it stands in a packet. Raises PacketError."""
    raw = topic.encode()
    if not raw or len(raw) > MOST_TOPIC or "+" in topic or "#" in topic or "\0" in topic:
        raise PacketError(f"{topic[:80]!r} is no topic that can be published to")
    return len(raw).to_bytes(2, "big") + raw
