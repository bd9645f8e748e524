"""Messages of many beds that go on where their bed's signal ends, as arrays: what compiled code knows of each bed.

A bed's next message is nearly always the one before with other numbers: the same bytes but for its number, the index of
its first sample, when it was sent, and the samples. What is not like that is not known here.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

ON, NEXT, COLUMNS, SIGNALS, LEADS, LIMIT, ROOM, STOOD = range(8)
HEARD_NS, LENGTH, RECEIVED, FILLED, WAITING, PRINTS, FULL = range(8, 15)
"""Whole numbers of a bed, by column of `Lane.numbers`.

ON: are its messages known here? NEXT: index of the next sample. COLUMNS: of the samples. SIGNALS: that are listened to,
of which the first LEADS are leads. LIMIT: samples for which a line must stand to be off. ROOM: samples that may wait.
STOOD: samples for which the line has that has stood the longest. HEARD_NS: when the last message came. LENGTH: its
samples. RECEIVED: samples since the bed is on the lane. FILLED: codes that have not been kept yet. WAITING: samples
that wait to be read. PRINTS: of messages. FULL: has it been said that there is little room for codes?
"""
PARTS: Final = FULL + 1
"""From this column on: how many bytes of the template stand before each varying value and behind the last one."""
KINDS: Final = PARTS + 5
"""From this column on: which those values are."""
NUMBER, INDEX, SENT, SAMPLES = range(4)
"""What varies: the message's number, its index, when it was sent, its samples."""
PAUSE_S, HEARD_S, ENDS = range(3)
"""Real numbers of a bed, by column of `Lane.reals`: the longest pause between messages, as it fades; when the last one
came, monotonic clock; from here on the last value of each signal.
"""
MOST_SIGNALS: Final = 4
TEMPLATE: Final = 640
"""Bytes of a template at most."""
CODES: Final = 4096
"""Codes of a bed that are kept here."""
KNOWN: Final = 256
"""Messages whose prints are kept."""

PRIME: Final = (1 << 61) - 1
BY_INDEX: Final = 0x1E3779B97F4A7C15
BY_LENGTH: Final = 0x42B2AE3D27D4EB4F
PRINT: Final = (1 << 63) - 1


class Lane(NamedTuple):
    """What is known of each bed: arrays [slots, ...].

    terms: by signal, as `hearing.hear` has them. lines: by signal, as they stand. template: bytes. codes: of messages,
    row by row, as they came. prints: a ring. came, counts: the last messages, as `monitor.ward.arrivals` has them.
    noted: 1 where a bed's objects have not been told yet.
    """

    numbers: Any
    reals: Any
    terms: Any
    lines: Any
    template: Any
    codes: Any
    prints: Any
    came: Any
    counts: Any
    noted: Any


def fresh(slots: int, came: Any, counts: Any) -> Lane:
    """Of no bed anything is known."""
    return Lane(
        np.zeros((slots, KINDS + 4), np.int64),
        np.zeros((slots, ENDS + MOST_SIGNALS)),
        np.zeros((slots, MOST_SIGNALS, 6)),
        np.zeros((slots, MOST_SIGNALS, 4), np.int64),
        np.zeros((slots, TEMPLATE), np.uint8),
        np.zeros((slots, CODES), np.int16),
        np.zeros((slots, KNOWN), np.int64),
        came,
        counts,
        np.zeros(slots, np.uint8),
    )


def print_of(index: int, codes: bytes, length: int) -> int:
    """What tells a message of a stream from the others. codes: of so many samples."""
    return (int.from_bytes(codes, "little") % PRIME + index * BY_INDEX + length * BY_LENGTH) & PRINT
