"""Commands to running beds, over MQTT: checked, carried out between two messages, answered.

Whoever may publish under the topic root may command: the broker's access rules say who that is, and `control` of
[producer] switches it off. Nothing that comes stops a bed: what cannot be done is refused in one sentence.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, Ack, Command, MessageError, decode_json, encode_json
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from ecg.wire.topics import Topics, readable
from producer.faults import FAULTS
from producer.schedule import Lane

MOST_ANSWERS: Final = 4096
"""Answers kept while the broker is away."""
MOST_WAITING: Final = 64
"""Commands to one bed that wait: a rhythm of a record's own beats takes as long as 0.1 s."""
FEW: Final = 1
"""Messages that a fault happens to, unless asked otherwise."""


class Control:
    """Takes the commands for these beds. They come over a connection of their own."""

    def __init__(self, mqtt: MqttSettings, broker: Broker, lanes: list[Lane], name: str) -> None:
        self._topics = Topics(mqtt.topic_root)
        self._lanes = {lane.bed.name: lane for lane in lanes}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, deque[bytes]] = {}
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self.taken = self.refused = 0
        self._session = Session(
            mqtt,
            broker,
            name,
            lambda: None,
            filters=[self._topics.every("command")],
            arrived=self._arrived,
            most=MOST_ANSWERS,
        )

    async def open(self) -> None:
        """Connect. Raises UserError where the broker refuses."""
        await self._session.open()
        self._worker = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Send the last answers and disconnect."""
        if self._worker:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        await self._session.flush(2.0)
        await self._session.close()

    def _arrived(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message on a command's topic. One that was retained is a command of the past."""
        place = self._topics.parse(topic)
        lane = self._lanes.get(place[0]) if place else None
        if lane is None or retained or not payload:
            return
        waiting = self._waiting.setdefault(lane.bed.name, deque())
        if len(waiting) < MOST_WAITING:
            waiting.append(payload)
            self._wake.set()
        else:
            self.refused += 1
            said = f"{MOST_WAITING} commands to bed {lane.bed.name} wait already"
            self._answer(lane, Ack(v=SCHEMA, ok=False, do="", stream=lane.bed.stream, said=said))

    def _answer(self, lane: Lane, answer: Ack) -> None:
        self._session.publish([Outgoing(self._topics.of(lane.bed.name, "ack"), encode_json(answer), False)])

    async def _work(self) -> None:
        """Carry commands out, one of each bed in turn; the beds' signal has as much time as they take."""
        while True:
            await self._wake.wait()
            for name in list(self._waiting):
                lane, begin_s = self._lanes[name], time.perf_counter()
                self._answer(lane, self._tried(lane, self._waiting[name].popleft()))
                if not self._waiting[name]:
                    del self._waiting[name]
                await asyncio.sleep(time.perf_counter() - begin_s)
            if not self._waiting:
                self._wake.clear()

    def _tried(self, lane: Lane, payload: bytes) -> Ack:
        """Carry out one command, whatever breaks over it, and answer."""
        try:
            return self.command(lane, payload)
        except Exception as error:
            self.refused += 1
            said = readable(f"the command failed ({type(error).__name__}: {error})", 256)
            return Ack(v=SCHEMA, ok=False, do="", stream=lane.bed.stream, said=said)

    def command(self, lane: Lane, payload: bytes) -> Ack:
        """Carry out one command, and answer."""
        try:
            command = decode_json(payload, Command)
        except MessageError as error:
            self.refused += 1
            return Ack(v=SCHEMA, ok=False, do="", said=readable(str(error)))
        try:
            index, stream = self._do(lane, command)
        except UserError as error:
            self.refused += 1
            said = readable(str(error), 256)
            return Ack(v=SCHEMA, ok=False, do=command.do, id=command.id, stream=lane.bed.stream, said=said)
        self.taken += 1
        return Ack(v=SCHEMA, ok=True, do=command.do, id=command.id, stream=stream, index=index)

    def _do(self, lane: Lane, command: Command) -> tuple[int, str]:
        """The first sample index that may differ, and its stream. Raises UserError, and changes nothing then."""
        bed, faults = lane.bed, lane.faults
        fault = next((one for one in FAULTS if one == command.do), None)
        if bed.done:
            raise UserError(f"bed {bed.name} has ended")
        if command.do == "pause":
            lane.paused = True
        elif command.do == "resume":
            lane.paused = False
            faults.end()
        elif command.do == "freeze":
            faults.frozen = True
        elif command.do == "speed":
            self._pace(lane, command)
        elif fault is not None:
            faults.ask(fault, command.messages or FEW, command.behind)
        else:
            return bed.obey(command)
        return bed.index, bed.stream

    def _pace(self, lane: Lane, command: Command) -> None:
        if command.factor is None:
            raise UserError("speed needs a factor: 1 is real time, 0.1 to 100")
        lane.pace(command.factor)
        task = asyncio.get_running_loop().create_task(lane.link.paced(lane.bed, command.factor))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
