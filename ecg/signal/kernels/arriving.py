"""Messages that go on where their bed's signal ends, compiled: their bytes in, signals and what they say of a bed out.

A message that is not known, byte by byte, changes nothing, and closes the lane for its bed: see `ecg.signal.lane`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ecg.signal.kernels.hearing import hear_one
from ecg.signal.lane import (
    BY_INDEX,
    BY_LENGTH,
    COLUMNS,
    ENDS,
    FILLED,
    FULL,
    HEARD_NS,
    HEARD_S,
    INDEX,
    KINDS,
    LEADS,
    LENGTH,
    LIMIT,
    MOST_SIGNALS,
    NEXT,
    ON,
    PARTS,
    PAUSE_S,
    PRIME,
    PRINT,
    PRINTS,
    RECEIVED,
    ROOM,
    SAMPLES,
    SENT,
    SIGNALS,
    STOOD,
    WAITING,
    Lane,
)

LARGEST = 1 << 53
"""Numbers and indices of a message at most."""
LATEST = 1 << 62
"""No message that is known here was sent later, ns."""
NO = (np.int64(-1), np.int64(-1))


@njit(cache=True, nogil=True, error_model="numpy")
def _whole(data: Any, at: Any, end: Any) -> tuple[Any, Any]:
    """A MessagePack integer at this place, and the place behind it; both -1 where it is none or below 0."""
    if at >= end:
        return NO
    first = np.int64(data[at])
    if first < 0x80:
        return first, at + 1
    if first < 0xCC or first > 0xD3:
        return NO
    size = 1 << ((first - 0xCC) & 3)
    if end - at <= size or (data[at + 1] >= 0x80 and (first >= 0xD0 or size == 8)):
        return NO
    value = np.int64(0)
    for place in range(at + 1, at + 1 + size):
        value = value << 8 | np.int64(data[place])
    return value, at + 1 + size


@njit(cache=True, nogil=True, error_model="numpy")
def _bytes(data: Any, at: Any, end: Any) -> tuple[Any, Any]:
    """Where MessagePack bytes at this place begin and end; both -1 where they are none, or more than there are."""
    if at >= end or data[at] < 0xC4 or data[at] > 0xC6:
        return NO
    wide = 1 << (np.int64(data[at]) - 0xC4)
    if end - at <= wide:
        return NO
    size = np.int64(0)
    for place in range(at + 1, at + 1 + wide):
        size = size << 8 | np.int64(data[place])
    begin = at + 1 + wide
    if end - begin < size:
        return NO
    return begin, begin + size


@njit(cache=True, nogil=True, error_model="numpy")
def _read(data: Any, at: Any, end: Any, row: Any, template: Any) -> tuple[Any, Any, Any, Any]:
    """Index, time of sending, and where the samples begin and end; an index of -1 for what is not like the template."""
    place, found = 0, (np.int64(-1), np.int64(-1), np.int64(-1), np.int64(-1))
    index, sent, first, last = found
    for part in range(5):
        size = row[PARTS + part]
        if end - at < size:
            return found
        differs = np.uint8(0)
        for offset in range(size):
            differs |= data[at + offset] ^ template[place + offset]
        if differs:
            return found
        at, place = at + size, place + size
        if part == 4:
            break
        kind = row[KINDS + part]
        if kind == SAMPLES:
            first, last = _bytes(data, at, end)
            at = last
        else:
            value, at = _whole(data, at, end)
            if kind == SENT:
                if value > LATEST:
                    return found
                sent = value
            elif value > LARGEST:
                return found
            elif kind == INDEX:
                index = value
        if at < 0:
            return found
    if at != end:
        return found
    return index, sent, first, last


@njit(cache=True, nogil=True, error_model="numpy")
def _print(index: Any, codes: Any, length: Any) -> Any:
    """`ecg.signal.lane.print_of`, of codes in place of their bytes: three at a time are a digit."""
    rest, place = np.int64(0), (len(codes) - 1) // 3 * 3
    while place >= 0:
        digit = np.int64(codes[place]) & 0xFFFF
        if place + 1 < len(codes):
            digit |= (np.int64(codes[place + 1]) & 0xFFFF) << 16
        if place + 2 < len(codes):
            digit |= (np.int64(codes[place + 2]) & 0xFFFF) << 32
        rest = ((rest & 0x1FFF) << 48 | rest >> 13) + digit  # 2 ** 61 is 1 there
        if rest >= PRIME:
            rest -= PRIME
        place -= 3
    return (rest + index * BY_INDEX + length * BY_LENGTH) & PRINT


@njit(cache=True, nogil=True, error_model="numpy")
def take(
    lane: Lane,
    data: Any,
    begins: Any,
    ends: Any,
    slots: Any,
    received: Any,
    rules: tuple[Any, ...],
    out: tuple[Any, ...],
) -> tuple[int, int, int]:
    """Messages of beds: data[begins[one]:ends[one]] each, of bed slots[one], and when it came, ns.

    rules: the monotonic clock; by how much the system's clock was set forward, ns; the code of what is missing and the
    samples that tell how a line stands, see `hearing.hear`; how a pause fades.
    out: taken, bool [n], which were known. signals: float32, what the known ones hold, each signal after the other.
    table: int64 [.., 4], of each message that waits, slot, index, samples, and where in signals they begin. full: slots
    whose codes are to be kept elsewhere now. From place and count on signals and table are filled.
    Returns place and count, and how many are full.
    """
    taken, signals, table, full, place, count = out
    now_s, stepped_ns, missing, tail, fades = rules
    fulls, lines, last = 0, np.empty((MOST_SIGNALS, 4), np.int64), np.empty(MOST_SIGNALS)
    for one in range(len(begins)):
        slot = slots[one]
        row, real = lane.numbers[slot], lane.reals[slot]
        taken[one] = False
        if row[ON] != 1:
            continue
        row[ON] = 0
        index, sent, begin, end = _read(data, begins[one], ends[one], row, lane.template[slot])
        columns, many = row[COLUMNS], (end - begin) // 2
        length = many // columns
        if index < 0 or index != row[NEXT] or length == 0 or (end - begin) != 2 * columns * length:
            continue
        codes = lane.codes[slot, row[FILLED] : row[FILLED] + many]
        if len(codes) < many or length > row[ROOM] - row[WAITING] or length > row[LIMIT] - row[STOOD]:
            continue
        for code in range(many):
            at = begin + 2 * code
            codes[code] = np.int16(np.uint16(data[at]) | np.uint16(data[at + 1]) << 8)
        heard = row[SIGNALS]
        made = signals[place : place + heard * length].reshape(heard, length)
        terms = lane.terms[slot, :heard]
        stood = hear_one(codes.reshape(length, columns), terms, row[LEADS], missing, tail, made, lines, last)
        if stood < 0:
            continue
        row[ON], taken[one], lane.noted[slot] = 1, True, 1
        lane.lines[slot, :heard] = lines[:heard]
        real[ENDS : ENDS + heard] = last[:heard]
        table[count, 0], table[count, 1], table[count, 2], table[count, 3] = slot, index, length, place
        count, place = count + 1, place + heard * length
        if row[HEARD_NS]:
            real[PAUSE_S] = max((received[one] - row[HEARD_NS]) / 1e9, fades * real[PAUSE_S])
        row[NEXT], row[STOOD], row[HEARD_NS], row[LENGTH] = index + length, stood, received[one], length
        row[RECEIVED] += length
        row[WAITING] += length
        row[FILLED] += many
        real[HEARD_S] = now_s
        prints, came = lane.prints[slot], lane.came[slot, lane.counts[slot] % lane.came.shape[1]]
        prints[row[PRINTS] % len(prints)] = _print(index, codes, length)
        row[PRINTS] += 1
        came[0], came[1], came[2] = index + length, sent - stepped_ns if sent else 0, received[one]
        lane.counts[slot] += 1
        if not row[FULL] and row[FILLED] + 2 * many > lane.codes.shape[1]:
            row[FULL], full[fulls] = 1, slot
            fulls += 1
    return place, count, fulls


@njit(cache=True, nogil=True, error_model="numpy")
def _span(row: Any, kind: int) -> tuple[int, int]:
    """Which signals of a bed are its leads (kind 0), or the first or second one behind them."""
    if kind == 0:
        return 0, row[LEADS]
    first = row[LEADS] + kind - 1
    return first, min(first + 1, max(row[SIGNALS], first))


@njit(cache=True, nogil=True, error_model="numpy")
def _kind(numbers: Any, signals: Any, table: Any, beds: Any, kind: int) -> tuple[Any, Any, Any]:
    """What waits of signals of one kind: twice the slot, and more for a second lead; the samples; where each begins."""
    rows, total = 0, 0
    for slot in beds:
        first, last = _span(numbers[slot], kind)
        rows += last - first
        total += (last - first) * numbers[slot, WAITING]
    names, flat, edges = np.empty(rows, np.int64), np.empty(total, np.float32), np.zeros(rows + 1, np.int64)
    if not rows:
        return names, flat, edges
    places, row = np.empty(len(numbers), np.int64), 0
    for slot in beds:
        first, last = _span(numbers[slot], kind)
        places[slot] = edges[row]
        for signal in range(first, last):
            names[row], edges[row + 1] = 2 * slot + signal - first, edges[row] + numbers[slot, WAITING]
            row += 1
    for one in range(len(table)):
        slot, length, begin = table[one, 0], table[one, 2], table[one, 3]
        if slot < 0:
            continue
        first, last = _span(numbers[slot], kind)
        for signal in range(first, last):
            place, at = places[slot] + (signal - first) * numbers[slot, WAITING], begin + signal * length
            flat[place : place + length] = signals[at : at + length]
        places[slot] += length
    return names, flat, edges


@njit(cache=True, nogil=True, error_model="numpy")
def gather(numbers: Any, signals: Any, table: Any) -> tuple[Any, ...]:
    """What waits, bed by bed. signals, table: as `take` has filled them; a slot of -1 is nothing.

    Returns slots of the beds in the order in which they came; rows of their leads (twice the slot, and one more for the
    second), their samples one behind the other, and where each begins and the last ends; the same of the signals that
    stand first behind the leads, and second. Nothing waits afterwards.
    """
    seen, beds, many = np.zeros(len(numbers), np.bool_), np.empty(len(table), np.int64), 0
    for one in range(len(table)):
        slot = table[one, 0]
        if slot >= 0 and not seen[slot]:
            seen[slot], beds[many] = True, slot
            many += 1
    found = beds[:many]
    leads = _kind(numbers, signals, table, found, 0)
    first, second = _kind(numbers, signals, table, found, 1), _kind(numbers, signals, table, found, 2)
    for slot in found:
        numbers[slot, WAITING] = 0
    return found, leads, first, second
