"""The end of a service that is behind: what has not been read is lost, and counted, so that it ends soon."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from ecg.wire.messages import BedStatus, MessageError, decode_json, decode_wave
from ecg.wire.topics import Topics
from monitor.service.connection import Arrival
from monitor.ward.ward import Ward

STOP_SECONDS: Final = 2.2
"""A service that is told to end has so long; each part of its end has LEAST_SECONDS, whatever came before."""
LEAST_SECONDS: Final = 0.2


class Ending:
    """How much time is left to a service that was told to end."""

    def __init__(self) -> None:
        self._asked_s: float | None = None

    def ask(self) -> None:
        """It shall end now."""
        self._asked_s = self._asked_s or time.monotonic()

    def left(self, most: float) -> float:
        """Seconds for the next part of the end: `most`, or less where it was told to end."""
        if self._asked_s is None:
            return most
        return min(most, max(self._asked_s + STOP_SECONDS - time.monotonic(), LEAST_SECONDS))


def give_up(ward: Ward, topics: Topics, unread: Iterable[Arrival], seconds: float) -> int:
    """Count all signal that waits in the ward and in these messages as lost; its beds would begin anew behind it.

    Returns messages that were not even looked at, because that would have taken longer than `seconds`: their samples
    turn up as lost where the final status is known.
    """
    read_to = {}
    for bed in ward.beds.values():
        read_to[bed.name] = bed.intake.next - bed.backlog
        ward.give_up(bed.name)
    limit_s, left = time.monotonic() + seconds, 0
    for arrival in unread:
        if time.monotonic() > limit_s:
            left += 1
            continue
        name, kind = topics.parse(arrival.topic) or ("", "")
        try:
            if kind == "wave":
                ward.forgo(name, decode_wave(arrival.payload), arrival.received_ns)
            elif kind == "status" and arrival.payload:
                ward.status(name, decode_json(arrival.payload, BedStatus), arrival.retained)
        except MessageError:
            ward.ledger.junk += 1
    for name, read in read_to.items():
        present = ward.beds.get(name)  # it may have made room for another
        if present is not None and present.rate and present.intake.next > read:
            ward.resume(name, (present.intake.next - read) / present.rate)
    return left
