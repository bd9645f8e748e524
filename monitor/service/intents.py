"""What screens want of the ward, and what their wishes bring about."""

from __future__ import annotations

from collections.abc import Callable

from ecg.wire.messages import MessageError, encode_json
from monitor.link.protocol import Acknowledge, Adjust, Intent, Silence, Teach
from monitor.service import teaching
from monitor.service.connection import Connection, Outgoing
from monitor.service.problems import Problems
from monitor.ward.events import Event
from monitor.ward.ward import Ward


class Intents:
    """Carries out what screens ask for. hand_out: tells what has happened."""

    def __init__(
        self, ward: Ward, connection: Connection, problems: Problems, hand_out: Callable[[list[Event]], None]
    ) -> None:
        self._ward, self._connection, self._problems, self._hand_out = ward, connection, problems, hand_out

    def take(self, intent: Intent) -> None:
        """What a screen wants of the ward; other intents are not for it."""
        if isinstance(intent, Acknowledge):
            self._ward.acknowledge(intent.bed, intent.kind, intent.who)
            self._hand_out(self._ward.tell())
        elif isinstance(intent, Silence):
            self._ward.silence(intent.bed, intent.seconds)
            self._hand_out(self._ward.tell())
        elif isinstance(intent, Adjust):
            self._adjust(intent)
        elif isinstance(intent, Teach):
            self._teach(intent)

    def _adjust(self, asked: Adjust) -> None:
        """Limits of a bed, and the retained message that keeps them."""
        limits = asked.limits
        try:
            self._ward.limit(asked.bed, limits)
        except MessageError as error:
            self._problems.add(str(error))
            return
        self._hand_out(self._ward.tell())
        topic = self._connection.topics.of(asked.bed, "limits")
        self._connection.publish([Outgoing(topic, b"" if limits is None else encode_json(limits), True)])

    def _teach(self, asked: Teach) -> None:
        """Pass a teacher's wish on to the bed's producer."""
        command = teaching.command(asked)
        if command is not None and asked.bed in self._ward.beds:
            topic = self._connection.topics.of(asked.bed, "command")
            self._connection.publish([Outgoing(topic, encode_json(command), False)])
