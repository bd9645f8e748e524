"""Events as messages: what goes out over MQTT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ecg.records.aami import CLASSES
from ecg.wire.messages import SCHEMA, Alarms, Beat, encode_json
from ecg.wire.topics import Topics
from monitor.service.connection import Outgoing
from monitor.ward.events import AlarmChanged, BeatRead, Event

MOST_LINES: Final = 512
"""Beats in one message of the combined topic: 200 KB or so."""
FEW: Final = 8
"""Rows of numbers that Python rounds sooner than NumPy."""


class Publisher:
    """Publishes the beats and alarms of one monitor: each on its bed's topic, and the beats of each call together too.

    monitor: its id. model: name of its weights. send: puts messages on their way; a beat's mark is its `sent_ns`.
    on_beats: gets the beats of each call as published.
    """

    def __init__(
        self,
        topics: Topics,
        monitor: str,
        model: str,
        send: Callable[[list[Outgoing]], None],
        on_beats: Callable[[list[Beat]], None] | None = None,
    ) -> None:
        self._topics, self._monitor, self._model = topics, monitor, model
        self._send, self._on_beats = send, on_beats

    def take(self, events: Sequence[Event]) -> None:
        """Publish these, in their order."""
        out: list[Outgoing] = []
        lines: list[bytes] = []
        beats = self.beats([event for event in events if isinstance(event, BeatRead)])
        due = iter(beats)
        for event in events:
            if isinstance(event, BeatRead):
                lines.append(encode_json(next(due)))
                out.append(Outgoing(self._topics.of(event.bed, "beat"), lines[-1], False, event.sent_ns))
            elif isinstance(event, AlarmChanged):
                out.append(Outgoing(self._topics.of(event.bed, "alarm"), encode_json(self.alarms(event)), True))
        together = self._topics.beats(self._monitor)
        parts = [lines[at : at + MOST_LINES] for at in range(0, len(lines), MOST_LINES)]
        out += [Outgoing(together, b"\n".join(part), False) for part in parts]
        self._send(out)
        if self._on_beats and beats:
            self._on_beats(beats)

    def beats(self, events: list[BeatRead]) -> list[Beat]:
        """Beats as the wire has them."""
        if not events:
            return []
        shares = rounded([event.probabilities for event in events], 6)
        times = rounded([(event.latency_ms, event.rr_ms or 0.0, event.heart_rate or 0.0) for event in events], 3, 2, 2)
        return [
            Beat(
                v=SCHEMA,
                bed=event.bed,
                stream=event.stream,
                index=event.index,
                class_=event.cls,
                probabilities=dict(zip(CLASSES, said, strict=True)),
                rr_ms=None if event.rr_ms is None else rr_ms,
                heart_rate=None if event.heart_rate is None else heart_rate,
                latency_ms=latency_ms,
                lookahead_ms=round(event.lookahead_ms, 1),
                model=self._model,
                monitor=self._monitor,
                unsure=event.unsure,
            )
            for event, said, (latency_ms, rr_ms, heart_rate) in zip(events, shares, times, strict=True)
        ]

    def alarms(self, event: AlarmChanged) -> Alarms:
        """All alarms of a bed as the wire has them."""
        return Alarms(
            v=SCHEMA,
            bed=event.bed,
            stream=event.stream,
            index=event.index,
            active=list(event.active),
            monitor=self._monitor,
        )


def rounded(rows: Sequence[Sequence[float]], *digits: int) -> list[list[float]]:
    """Rows of numbers with so many digits behind the point, each column its own or all the same."""
    if len(rows) < FEW:
        places = digits * len(rows[0]) if len(digits) == 1 else digits
        return [[round(value, place) for value, place in zip(row, places, strict=True)] for row in rows]
    steps = 10.0 ** np.array(digits)
    found: list[list[float]] = (np.rint(np.array(rows) * steps) / steps).tolist()
    return found
