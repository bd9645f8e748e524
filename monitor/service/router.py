"""From topics to the ward: every message decoded and handed to whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from msgspec.structs import replace

from ecg import clock
from ecg.wire.messages import (
    SCHEMA,
    Ack,
    BedStatus,
    Limits,
    MessageError,
    ProducerStatus,
    Truth,
    decode_json,
    decode_wave,
)
from ecg.wire.topics import Topics
from monitor.service.commands import Commands
from monitor.service.connection import Arrival
from monitor.service.express import Express
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.ward.ward import Ward

T = TypeVar("T")
MOST_TOPICS: Final = 16_384
"""Topics whose bed is remembered: anyone can make up more."""


class Router:
    """Messages into one ward. One that cannot be used is counted, said in `problems`, and skipped.

    answer: called with a bed's name and what became of limits that were sent for it. held: messages of beds at which
    another stream begins once the ward has taken all of the present one.
    """

    def __init__(
        self,
        ward: Ward,
        topics: Topics,
        lag: Lag,
        problems: Problems,
        answer: Callable[[str, Ack], None] = lambda _bed, _ack: None,
    ) -> None:
        self._answer = answer
        self._ward, self._topics, self._lag, self._problems = ward, topics, lag, problems
        self._commands = Commands(ward)
        self._express = Express(ward, lag, self._place)
        self._places: dict[str, tuple[str, str] | None] = {}
        self.held: dict[str, list[Arrival]] = {}

    def take(self, arrivals: Iterable[Arrival]) -> None:
        """Messages in the order in which they came."""
        for arrival in self._express.left(list(arrivals)):
            if self.held and (place := self._place(arrival.topic)) and place[0] in self.held:
                self.held[place[0]].append(arrival)
            else:
                self._tried(arrival.topic, self._message, arrival)

    def go_on(self) -> list[str]:
        """Take what is held of beds at which the other stream can begin; returns their names."""
        ready = [bed for bed in self.held if not self._ward.ending(bed)]
        for bed in ready:
            waiting = self.held.pop(bed)
            self._tried(self._topics.of(bed, "wave"), self._ward.begin, bed)
            self.take(waiting)
        return ready

    def _tried(self, topic: str, read: Callable[[T], None], of: T) -> None:
        """Whatever a message breaks, the others are read."""
        try:
            read(of)
        except MessageError as error:
            self._ward.ledger.junk += 1
            self._problems.unusable(topic, str(error))
        except Exception as error:
            self._ward.ledger.junk += 1
            self._problems.failed(f"reading a message on {topic}", error)

    def _message(self, arrival: Arrival) -> None:
        """One message, by its topic. Raises MessageError."""
        place = self._place(arrival.topic)
        if place is None:
            self._producer(arrival)
            return
        bed, kind = place
        if kind == "wave":
            late = self._lag.forgo(bed)
            try:
                self._wave(bed, arrival, late)
            finally:
                behind_s = self._lag.over(bed) if late else None
                if behind_s is not None:
                    self._ward.resume(bed, behind_s)
        elif kind == "truth":
            self._ward.truth(bed, decode_json(arrival.payload, Truth))
        elif kind == "command" and not arrival.retained:
            self._commands.asked(bed, arrival.payload)
        elif kind == "ack" and not arrival.retained:
            self._commands.answered(bed, arrival.payload)
        elif kind == "limits":
            self._limits(bed, arrival)
        elif kind == "status" and arrival.payload:
            self._ward.status(bed, decode_json(arrival.payload, BedStatus), arrival.retained)

    def _place(self, topic: str) -> tuple[str, str] | None:
        """(bed, kind) of a topic: the same ones come again and again."""
        try:
            return self._places[topic]
        except KeyError:
            if len(self._places) >= MOST_TOPICS:
                self._places.clear()
            place = self._places[topic] = self._topics.parse(topic)
            return place

    def _limits(self, bed: str, arrival: Arrival) -> None:
        """A bed's own limits; an empty message gives those of the settings back. Raises MessageError."""
        said = ""
        try:
            self._ward.limit(bed, decode_json(arrival.payload, Limits) if arrival.payload else None)
        except MessageError as error:
            said = str(error)
            raise
        finally:
            if not arrival.retained:
                self._answer(bed, Ack(v=SCHEMA, ok=not said, do="limits", said=said))

    def _wave(self, bed: str, arrival: Arrival, late: bool) -> None:
        """One wave message: read it, or forgo it where it is too late. Raises MessageError."""
        try:
            wave = decode_wave(arrival.payload)
        except MessageError:
            self._ward.unusable(bed)
            raise
        if wave.sent_ns and (stepped_ns := clock.stepped_ns()):  # its sender's clock is that of now
            wave = replace(wave, sent_ns=wave.sent_ns - stepped_ns)
        if not late and self._ward.usual(bed, wave, arrival.received_ns, (arrival.topic, arrival.payload)):
            return
        if late:
            self._ward.forgo(bed, wave, arrival.received_ns)
        else:
            self._ward.wave(bed, wave, arrival.received_ns, by_steps=True)
            if self._ward.ending(bed):
                self.held[bed] = []
        for sentence in self._ward.refused(bed):
            self._problems.unusable(arrival.topic, sentence)

    def _producer(self, arrival: Arrival) -> None:
        """The status of a connection that many beds share. Raises MessageError."""
        if "/_producer/" not in arrival.topic:
            raise MessageError("the topic names no bed (allowed are 1 to 64 of A-Z, a-z, 0-9, _ and -)")
        if arrival.payload:
            producer = decode_json(arrival.payload, ProducerStatus)
            if producer.state == "offline" and not arrival.retained:
                self._ward.offline(producer.beds)
