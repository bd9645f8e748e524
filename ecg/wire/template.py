"""What does not vary between the wave messages of one stream, byte by byte."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from ecg.signal import lane

VARIES: Final = {"seq": lane.NUMBER, "index": lane.INDEX, "sent_ns": lane.SENT, "samples": lane.SAMPLES}
_fields = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode


class Template(NamedTuple):
    """The bytes before each value that varies, and behind the last one; and which values those are, in order."""

    parts: list[bytes]
    kinds: list[int]


def template_of(payload: bytes, most: int) -> Template | None:
    """The template of a wave message that was read, in MessagePack; None for another one, or of more bytes than `most`.

    A message with the template's bytes, integers for its numbers and bytes for its samples says what that one says of
    everything else.
    """
    try:
        fields = _fields(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    parts, kinds = [payload[: 1 if payload[0] & 0xF0 == 0x80 else 3]], []
    at = len(parts[0])
    for name, raw in fields.items():
        key, value = msgspec.msgpack.encode(name), bytes(raw)
        if payload[at : at + len(key) + len(value)] != key + value:  # a key twice, or written in another way
            return None
        at += len(key) + len(value)
        parts[-1] += key
        if name in VARIES:
            kinds.append(VARIES[name])
            parts.append(b"")
        else:
            parts[-1] += value
    if at != len(payload) or len(kinds) != len(VARIES) or sum(map(len, parts)) > most:
        return None
    return Template(parts, kinds)
