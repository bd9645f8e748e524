"""The service: messages from the connection into the ward, its events out to the sinks, at the pace they come."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from ecg import notify
from ecg.errors import UserError
from ecg.settings import Config
from ecg.wire.broker import Broker
from ecg.wire.messages import Ack, Beat, encode_json
from monitor.link.protocol import Intent, Quit, ServiceStatus
from monitor.service import outlets, runtime
from monitor.service.aside import PATIENCE_SECONDS
from monitor.service.bed_states import BedStates
from monitor.service.connection import Arrival, Connection, Outgoing
from monitor.service.ending import Ending, give_up
from monitor.service.feed import View, Views
from monitor.service.gathering import Gathering
from monitor.service.intents import Intents
from monitor.service.latency import Latencies
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.publisher import Publisher
from monitor.service.pulse import Pulse
from monitor.service.reading import Reading
from monitor.service.router import Router
from monitor.service.saving import Saving
from monitor.service.sayings import Sayings
from monitor.service.sinks import Sink, Sinks
from monitor.service.status import Health
from monitor.service.timers import Timers
from monitor.ward.events import Event
from monitor.ward.ward import Ward

STEP_SECONDS: Final = 0.1
"""So long messages are read in a step, and after so long they are looked at again, whatever waits in the ward."""
FIRST_MESSAGE_SECONDS: Final = 60.0
"""So long a run that ends when idle waits for the first message."""
MEASURE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 1.0
GIVE_BACK_SECONDS: Final = 60.0
TELL_SECONDS: Final = 0.25
"""How often a monitor that is behind says so."""
FLUSH_SECONDS: Final = 120.0
CLOSE_SECONDS: Final = 10.0
WIND_UP_SECONDS: Final = 0.3
FAR_SECONDS: Final = 1.0
UNREAD_SECONDS: Final = 0.3
AT_THE_END: Final = 64
"""Messages taken in one step at the end."""


class Service:
    """Runs one ward on one connection.

    on_beat: called with each beat in a thread of its own, for a headless run. saved: file that the memory of all beds
    is kept in. about: the records that the network was fitted on, for screens. resumed: what happened before it ran,
    is recorded, and is to be published.
    """

    def __init__(
        self,
        config: Config,
        broker: Broker,
        ward: Ward,
        on_beat: Callable[[Beat], None] | None = None,
        saved: Path | None = None,
        about: str = "",
        resumed: list[Event] | None = None,
    ) -> None:
        self.config, self.broker, self.ward = config, broker, ward
        self.name = secrets.token_hex(3)
        self.stop = asyncio.Event()
        self.on_listening: Callable[[], None] = lambda: None
        self.views = Views(ward)
        self._resumed = resumed or []
        self._failed = ""
        self._ending = Ending()
        self._problems = Problems()
        self._saving = Saving(ward, saved, self._problems)
        self._latencies = Latencies()
        self._lag = Lag(config.monitor.max_lag_seconds)
        self._connection = Connection(
            config.mqtt, broker, self.name, self._latencies.confirmed, lambda name: name in ward.beds
        )
        self._gathering = Gathering(self._connection, config.monitor.batch_deadline_ms / 1000)
        topics = self._connection.topics
        router = Router(ward, topics, self._lag, self._problems, self._answer)
        self._health = Health(config, broker, ward, self._connection, self._latencies, about, self.views.book)
        self.reading = Reading(self._connection.inbox, ward, router, self._lag, self._health.took)
        self._states = BedStates(ward, topics, self.name, self.views.book)
        self._tasks: Callable[[], int] = lambda: 0
        self._pulse = Pulse(lambda: self._connection.connected, lambda: len(ward.beds))
        self._outlets = outlets.opened(config, on_beat)
        publish = self._connection.publish
        log, self._recorder, _, printer = self._outlets
        on_beats = printer.put if printer else None
        sinks: dict[str, Sink | None] = {
            "latencies": self._latencies,
            "publisher": Publisher(topics, self.name, ward.model, publish, on_beats),
            "screens": self.views,
            "event log": log,
            "recorder": self._recorder,
        }
        self._sinks = Sinks(self._problems, sinks)
        if self._recorder:
            ward.heard = self._recorder.heard
        self._intents = Intents(ward, self._connection, self._problems, self._sinks.take)
        self._sayings = Sayings(
            ward,
            self._health,
            self._lag,
            self._problems,
            self.reading,
            self._outlets,
            topics.monitor(self.name),
            publish,
        )

    async def run(self, until_idle: float | None = None) -> None:
        """Process until `stop`, or until nothing has come for `until_idle` seconds (a minute for the first message).

        Raises UserError where the broker refuses, or where something fails that the service cannot go on without, and
        what `on_beat` raises.
        """
        connection = self._connection
        timers = Timers(self._problems, self._fail)
        self.ward.engine.warm_up()
        runtime.settle()
        self._tasks = partial(_tasks_of, asyncio.get_running_loop())
        stop_metrics = self._serve_metrics()
        try:
            await connection.open()
            connection.every(TELL_SECONDS, self._sayings.behind)
            self._sinks.take(self._resumed, but="recorder")
            timers.every(self.config.monitor.status_seconds, "the monitor's status", self._report, at_once=True)
            timers.every(MEASURE_SECONDS, "measuring", self._health.measure)
            timers.every(LOOK_SECONDS, "looking after the beds", self._look)
            timers.every(GIVE_BACK_SECONDS, "giving memory back", lambda: asyncio.to_thread(runtime.give_back))
            if self._saving.file:
                timers.every(self.config.monitor.save_seconds, "saving the memory", self._saving.save)
            if wanted := notify.watchdog_seconds():
                timers.every(wanted, "the watchdog", lambda: self._pulse.beat(wanted))
            self.on_listening()
            notify.tell("READY=1")
            connection.inbox.last_s = time.monotonic()
            await self._work(until_idle)
            await connection.flush(self._ending.left(FLUSH_SECONDS))
        finally:
            await timers.close()
            if connection.connected:
                connection.publish(self._states.due())
                self._sayings.report("offline")
            await connection.close(self._ending.left(CLOSE_SECONDS))
            if stop_metrics:
                stop_metrics()
            await asyncio.to_thread(self._outlets.close, self._ending.left(PATIENCE_SECONDS))
        if self._outlets.error:
            raise self._outlets.error
        if self._failed:
            raise UserError(f"the monitor cannot go on: {self._failed}")

    async def _work(self, until_idle: float | None) -> None:
        """The main loop; where it is stopped, what has been received is processed for a moment, and the rest lost."""
        inbox = self._connection.inbox
        while not self.stop.is_set():
            self._pulse.turn()
            gathers = not self.reading.busy and len(inbox) < self.config.monitor.batch_size
            if gathers:
                await self._gathering.messages()
            else:
                self._gathering.skip()
            if self._outlets.error:
                raise self._outlets.error
            if inbox or self.reading.busy:
                began_s = time.monotonic()
                self.step()
                self._gathering.stepped(began_s)
                if not gathers:
                    await asyncio.sleep(0)
            if self._states.waiting and self._connection.connected:
                self._connection.publish(self._states.some())
            if until_idle is not None and not inbox and not self.reading.busy:
                limit = until_idle if inbox.received else max(FIRST_MESSAGE_SECONDS, until_idle)
                if time.monotonic() - inbox.last_s > limit:
                    break
        self._gathering.skip()
        if self.stop.is_set():
            self._wind_up()
        await self._saving.save()
        self.ward.end_all()
        self._sinks.take(self.ward.step())

    def _wind_up(self) -> None:
        """Process what has been received for a moment, which is of no use to who is far behind; the rest is lost."""
        spend_s = WIND_UP_SECONDS if self.reading.behind_s < FAR_SECONDS else 0.0
        inbox, limit_s = self._connection.inbox, time.monotonic() + spend_s
        while (inbox or self.reading.busy) and time.monotonic() < limit_s:
            self.take(inbox.take(AT_THE_END), WIND_UP_SECONDS / 10)
        unread = self.reading.rest()
        left = give_up(self.ward, self._connection.topics, unread, UNREAD_SECONDS)
        if unread:
            self._problems.add(f"{len(unread)} messages were not read before the end, {left} of them not counted")

    def step(self) -> None:
        """Messages into the ward, and the ward's step."""
        self.reading.shed()
        self.reading.some(STEP_SECONDS)
        self._step(STEP_SECONDS)

    def take(self, arrivals: list[Arrival], patience_s: float = STEP_SECONDS) -> None:
        """Process these messages. patience_s: as for `Ward.step`."""
        self.reading.take(arrivals)
        self._step(patience_s)

    def _step(self, patience_s: float) -> None:
        if self.ward.waiting:
            self._sinks.take(self.ward.step(patience_s))

    def open_feed(self) -> View:
        """What one more screen gets to see."""
        return self.views.open()

    def intent(self, intent: Intent) -> None:
        """What a screen wants of the ward."""
        if self._recorder:
            self._recorder.command(intent)
        if isinstance(intent, Quit):
            self.halt()
        else:
            self._intents.take(intent)

    def _answer(self, bed: str, ack: Ack) -> None:
        """What became of a message that asks for something."""
        self._connection.publish([Outgoing(self._connection.topics.of(bed, "ack"), encode_json(ack), False)])

    def _report(self) -> None:
        """The monitor's own retained status; from now on the main loop sees to those of its beds."""
        if self._connection.connected:
            self._sayings.report("online")
            if not self._states.waiting:
                self._states.begin()

    def _look(self) -> None:
        """Say which beds send and are not understood."""
        found = self.ward.look()
        if found:
            self._sinks.take(found)

    def _serve_metrics(self) -> Callable[[], None] | None:
        """Answer Prometheus and whoever asks whether all is well, where the settings ask for it."""
        port = self.config.monitor.metrics_port
        if not port:
            return None
        from monitor.service import metrics

        asked = self.config.monitor
        figures = metrics.ServiceCollector(self.status, lambda: self.ward.ledger.beats, self._latencies, self._queues)
        collectors = figures, metrics.BedCollector(self._states.burdens)
        return metrics.serve(
            asked.metrics_host, port, metrics.Answers(collectors, self._pulse.health, metrics.token(asked))
        )

    def _queues(self) -> tuple[int, int, int]:
        """Messages unread and unsent, and tasks; asked for in another thread."""
        return len(self._connection.inbox), self._connection.unsent, self._tasks()

    def _fail(self, sentence: str) -> None:
        """Something has ended that the service cannot go on without."""
        self._failed = sentence
        self.halt()

    def halt(self) -> None:
        """End within 3 s: what has been processed by then is published and saved."""
        notify.tell("STOPPING=1")
        self._ending.ask()
        self._connection.deafen()
        self.stop.set()

    @property
    def problems(self) -> list[str]:
        """What went wrong of late, in sentences."""
        return self._sayings.problems()

    def status(self) -> ServiceStatus:
        """The status line."""
        return self._sayings.status()

    def ledger_line(self) -> str:
        """The last line of a headless run."""
        return msgspec.json.encode({"ledger": self.ward.ledger.as_dict()}).decode()


def _tasks_of(loop: asyncio.AbstractEventLoop) -> int:
    try:
        return len(asyncio.all_tasks(loop))
    except RuntimeError:  # they changed meanwhile
        return 0
