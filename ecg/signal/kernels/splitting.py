"""A stream of MQTT packets taken apart, compiled: what `ecg.wire.packets.Splitter` does, whose words these are.

Topics are told from one another by a table of those that are known (`ecg.wire.lots.TopicTable`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

PUBLISH = 0x30
PUBACK = 0x40
FIRST = np.uint64(14695981039346656037)
PRIME = np.uint64(1099511628211)


@njit(cache=True, nogil=True, error_model="numpy")
def _hash(data: Any, begin: int, end: int) -> Any:
    """FNV-1a of some bytes."""
    found = FIRST
    for at in range(begin, end):
        found = (found ^ np.uint64(data[at])) * PRIME
    return np.int64(found)


@njit(cache=True, nogil=True, error_model="numpy")
def _number(data: Any, begin: int, end: int, hashed: int, known: Any, starts: Any, texts: Any) -> int:
    """The number of a topic; -1 where it is not known."""
    mask = len(known) - 1
    place = hashed & mask
    while known[place, 1] >= 0:
        number = known[place, 1]
        if known[place, 0] == hashed and starts[number + 1] - starts[number] == end - begin:
            start, same = starts[number] - begin, True
            for at in range(begin, end):
                same = same and data[at] == texts[start + at]
            if same:
                return int(number)
        place = (place + 1) & mask
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def split(data: Any, known: Any, starts: Any, texts: Any, out: tuple[Any, ...], told: Any) -> None:
    """The packets that end in these bytes.

    data: uint8. known: int64 [2^k, 2], hashes and numbers of topics, open addressing. starts: int64, where in texts
    (uint8) each topic begins. out: messages, int64 [room, 7] (topic's number or -1, begin and end of the payload,
    retained, begin and end of the topic, its hash), numbers of PUBACKs, int64, answers, uint8, and begin and end of
    other packets, int64 [room, 2]. told: int64 [7], gets how many of each there are, where the first packet begins
    that does not end here, where that ends or 0, and whether something is wrong: 1 a message, 2 a length.
    """
    messages, confirmed, answers, others = out
    length: Any
    name: Any
    told[:] = 0
    at, stop, end = 0, 0, len(data)
    while end - at >= 2:
        first, length, body = data[at], np.int64(data[at + 1]), at + 2
        if length > 127:
            length, body = 0, 0
            for place in range(4):
                if at + 1 + place >= end:
                    break
                byte = np.int64(data[at + 1 + place])
                length |= (byte & 127) << (7 * place)
                if byte < 128:
                    body = at + 2 + place
                    break
                if place == 3:
                    told[6] = 2
            if body == 0:
                stop = 0
                break
        stop = body + length
        if stop > end:
            break
        kind = first & 0xF0
        if kind == PUBLISH:
            begin = body + 2
            name = begin + (np.int64(data[body]) << 8 | np.int64(data[body + 1])) if length > 1 else begin + stop
            qos = first & 6
            start = name + 2 if qos else name
            if start > stop or qos > 2:
                told[6] = 1
                break
            if qos:
                answer = answers[told[2] : told[2] + 4]
                answer[0], answer[1], answer[2], answer[3] = PUBACK, 2, data[name], data[name + 1]
                told[2] += 4
            row = messages[told[0]]
            hashed = _hash(data, begin, name)
            row[0] = _number(data, begin, name, hashed, known, starts, texts)
            row[1], row[2], row[3], row[4], row[5], row[6] = start, stop, first & 1, begin, name, hashed
            told[0] += 1
        elif kind == PUBACK and length == 2:
            confirmed[told[1]] = np.int64(data[body]) << 8 | np.int64(data[body + 1])
            told[1] += 1
        else:
            others[told[3], 0], others[told[3], 1] = at, stop
            told[3] += 1
        at = stop
    told[4], told[5] = at, stop
