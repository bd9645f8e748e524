"""The service: messages from the connection into the ward, its events out to the sinks, at the pace they come."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Literal, Protocol

import msgspec

from ecg import logs, notify
from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.settings import Config
from ecg.wire.broker import Broker
from ecg.wire.messages import Ack, Beat, MessageError, MonitorStatus, encode_json
from monitor.link.protocol import Acknowledge, Adjust, Intent, Quit, ServiceStatus, Silence, Teach
from monitor.service import checkpoint as memory
from monitor.service import runtime, teaching
from monitor.service.aside import PATIENCE_SECONDS, Aside
from monitor.service.bed_states import BedStates
from monitor.service.connection import Arrival, Connection, Outgoing
from monitor.service.ending import Ending, give_up
from monitor.service.event_log import EventLog
from monitor.service.feed import View, Views
from monitor.service.latency import Latencies
from monitor.service.overload import Lag
from monitor.service.pace import AHEAD_SECONDS, Pace
from monitor.service.printing import Printing
from monitor.service.problems import Problems
from monitor.service.publisher import Publisher
from monitor.service.pulse import Pulse
from monitor.service.reading import Reading
from monitor.service.recorder.recorder import Recorder
from monitor.service.router import Router
from monitor.service.status import Health, message, misunderstood
from monitor.service.timers import Timers
from monitor.ward.events import Event
from monitor.ward.ward import Ward

IDLE_TICK_SECONDS: Final = 0.25
STEP_SECONDS: Final = 0.1
"""So long messages are read in a step, and after so long they are looked at again, whatever waits in the ward."""
FIRST_MESSAGE_SECONDS: Final = 60.0
"""So long a run that ends when idle waits for the first message."""
MEASURE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 1.0
GIVE_BACK_SECONDS: Final = 60.0
TELL_SECONDS: Final = 0.25
BEHIND_SECONDS: Final = 0.1
"""Who is further behind says so every TELL_SECONDS: a producer of fast replay waits then."""
SAVED_AT_ONCE: Final = 16
"""Beds saved before messages are looked at again: 10 ms or so."""
FLUSH_SECONDS: Final = 120.0
CLOSE_SECONDS: Final = 10.0
WIND_UP_SECONDS: Final = 0.3
FAR_SECONDS: Final = 1.0
UNREAD_SECONDS: Final = 0.3
AT_THE_END: Final = 64
"""Messages taken in one step at the end."""
MOST_PRINTED: Final = 100_000
"""Beats kept for whoever reads them from this process, where that is slow."""


class Sink(Protocol):
    """Whoever wants to know what happens in the ward. It must neither change the ward nor keep it waiting."""

    def take(self, events: list[Event]) -> None:
        """What happened, in that order."""


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
        self._saved, self._saving = saved, asyncio.Lock()
        self._resumed = resumed or []
        self._failed = ""
        self._ending = Ending()
        self._problems = Problems()
        self._latencies = Latencies()
        self._lag = Lag(config.monitor.max_lag_seconds)
        self._pace = Pace(config.monitor.batch_deadline_ms / 1000)
        self._connection = Connection(
            config.mqtt, broker, self.name, self._latencies.confirmed, lambda name: name in ward.beds
        )
        topics = self._connection.topics
        router = Router(ward, topics, self._lag, self._problems, self._answer)
        self._health = Health(config, broker, ward, self._connection, self._latencies, about, self.views.book)
        self.reading = Reading(self._connection.inbox, ward, router, self._lag, self._health.took)
        self._states = BedStates(ward, topics, self.name, self.views.book)
        self._tasks: Callable[[], int] = lambda: 0
        self._said: MonitorStatus | None = None
        self._pulse = Pulse(lambda: self._connection.connected, lambda: len(ward.beds))
        self._log = EventLog(config.alarms.log) if config.alarms.log else None
        self._printing = Printing(on_beat) if on_beat else None
        self._printer = Aside("beats", self._printing.work, MOST_PRINTED) if self._printing else None
        publish = self._connection.publish
        on_beats = self._printer.put if self._printer else None
        self._sinks: dict[str, Sink] = {
            "latencies": self._latencies,
            "publisher": Publisher(topics, self.name, ward.model, publish, on_beats),
            "screens": self.views,
        }
        if self._log:
            self._sinks["event log"] = self._log
        self._recorder = Recorder(config.recorder) if config.recorder.folder else None
        if self._recorder:
            self._sinks["recorder"] = self._recorder
            ward.heard = self._recorder.heard

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
            connection.every(TELL_SECONDS, self._behind)
            self._hand_out(self._resumed, but="recorder")
            timers.every(self.config.monitor.status_seconds, "the monitor's status", self._report, at_once=True)
            timers.every(MEASURE_SECONDS, "measuring", self._health.measure)
            timers.every(LOOK_SECONDS, "looking after the beds", self._look)
            timers.every(GIVE_BACK_SECONDS, "giving memory back", lambda: asyncio.to_thread(runtime.give_back))
            if self._saved:
                timers.every(self.config.monitor.save_seconds, "saving the memory", self._save_memory)
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
                self._publish_status("offline")
            await connection.close(self._ending.left(CLOSE_SECONDS))
            if stop_metrics:
                stop_metrics()
            await asyncio.to_thread(self._close_sinks, self._ending.left(PATIENCE_SECONDS))
        if self._printer and self._printer.error:
            raise self._printer.error
        if self._failed:
            raise UserError(f"the monitor cannot go on: {self._failed}")

    async def _work(self, until_idle: float | None) -> None:
        """The main loop; where it is stopped, what has been received is processed for a moment, and the rest lost."""
        inbox = self._connection.inbox
        while not self.stop.is_set():
            self._pulse.turn()
            gathers = not self.reading.busy and len(inbox) < self.config.monitor.batch_size
            if gathers:
                await self._gather()
            if self._printer and self._printer.error:
                raise self._printer.error
            if inbox or self.reading.busy:
                began_s = time.monotonic()
                self.step()
                self._pace.stepped(began_s, time.monotonic())
                if not gathers:
                    await asyncio.sleep(0)
            if until_idle is not None and not inbox and not self.reading.busy:
                limit = until_idle if inbox.received else max(FIRST_MESSAGE_SECONDS, until_idle)
                if time.monotonic() - inbox.last_s > limit:
                    break
        if self.stop.is_set():
            self._wind_up()
        if self._saved:
            await self._save_memory()
        self.ward.end_all()
        self._hand_out(self.ward.step())

    async def _gather(self) -> None:
        """Let the time until the next step pass; where nothing has come by then, wait for the first message.

        In this order the connection need not wake this loop for every message, and is asked to only when it is quiet.
        """
        inbox, now_s = self._connection.inbox, time.monotonic()
        pause_s = self._pace.pause_s(now_s)
        self._connection.rest(now_s + pause_s - AHEAD_SECONDS)
        await asyncio.sleep(pause_s)
        if not inbox:
            await inbox.wait(IDLE_TICK_SECONDS)
            if inbox:
                await asyncio.sleep(self._pace.pause_s(time.monotonic()))

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
            self._hand_out(self.ward.step(patience_s))

    def _hand_out(self, events: list[Event], but: str = "") -> None:
        """What happened, to all sinks; one that fails keeps no other from it. but: the name of one that knows it."""
        for name, sink in self._sinks.items():
            try:
                if name != but:
                    sink.take(events)
            except Exception as error:
                self._problems.failed(name, error)

    def open_feed(self) -> View:
        """What one more screen gets to see."""
        return self.views.open()

    def intent(self, intent: Intent) -> None:
        """What a screen wants of the ward."""
        if self._recorder:
            self._recorder.command(intent)
        if isinstance(intent, Quit):
            self.halt()
        elif isinstance(intent, Acknowledge):
            self.ward.acknowledge(intent.bed, intent.kind, intent.who)
            self._hand_out(self.ward.tell())
        elif isinstance(intent, Silence):
            self.ward.silence(intent.bed, intent.seconds)
            self._hand_out(self.ward.tell())
        elif isinstance(intent, Adjust):
            self._adjust(intent)
        elif isinstance(intent, Teach):
            self._teach(intent)

    def _adjust(self, asked: Adjust) -> None:
        """Limits of a bed, and the retained message that keeps them."""
        limits = asked.limits
        try:
            self.ward.limit(asked.bed, limits)
        except MessageError as error:
            self._problems.add(str(error))
            return
        self._hand_out(self.ward.tell())
        topic = self._connection.topics.of(asked.bed, "limits")
        self._connection.publish([Outgoing(topic, b"" if limits is None else encode_json(limits), True)])

    def _answer(self, bed: str, ack: Ack) -> None:
        """What became of a message that asks for something."""
        self._connection.publish([Outgoing(self._connection.topics.of(bed, "ack"), encode_json(ack), False)])

    def _teach(self, asked: Teach) -> None:
        """Pass a teacher's wish on to the bed's producer."""
        command = teaching.command(asked)
        if command is not None and asked.bed in self.ward.beds:
            topic = self._connection.topics.of(asked.bed, "command")
            self._connection.publish([Outgoing(topic, encode_json(command), False)])

    def _publish_status(self, state: Literal["online", "offline"]) -> None:
        self._said = message(state, self.status(), *self._health.burden(), self.reading.behind_s)
        topic = self._connection.topics.monitor(self.name)
        self._connection.publish([Outgoing(topic, encode_json(self._said), retain=state == "online")])

    def _report(self) -> None:
        """The monitor's own retained status, and those of its beds."""
        if self._connection.connected:
            self._publish_status("online")
            self._connection.publish(self._states.due())

    def _behind(self) -> list[Outgoing]:
        """Where signal waits, and once more when it does not any more, the last status with that.

        Asked for in the connection's thread: the main loop may be in a long step then.
        """
        said, behind_s = self._said, self.reading.behind_s
        if said is None or said.state != "online" or max(behind_s, said.behind_s) <= BEHIND_SECONDS:
            return []
        self._said = said = msgspec.structs.replace(said, behind_s=round(behind_s, 2))
        return [Outgoing(self._connection.topics.monitor(self.name), encode_json(said), True)]

    def _look(self) -> None:
        """Say which beds send and are not understood."""
        found = self.ward.look()
        if found:
            self._hand_out(found)

    async def _save_memory(self) -> None:
        """Save the memory of all beds, some at a time, between messages; a full disk does not stop a monitor."""
        assert self._saved is not None
        async with self._saving:
            making = memory.packing(self.ward)
            while True:
                try:
                    for _ in range(SAVED_AT_ONCE):
                        next(making)
                except StopIteration as done:
                    content: bytes = done.value
                    break
                await asyncio.sleep(0)
            try:
                await asyncio.to_thread(write_atomic, {self._saved: content})
            except UserError as error:
                self._problems.add(str(error))

    def _serve_metrics(self) -> Callable[[], None] | None:
        """Answer Prometheus and whoever asks whether all is well, where the settings ask for it."""
        port = self.config.monitor.metrics_port
        if not port:
            return None
        from monitor.service import metrics

        asked = self.config.monitor
        collector = metrics.ServiceCollector(
            self.status, lambda: self.ward.ledger.beats, self._latencies, self._queues, self._states.burdens
        )
        return metrics.serve(
            asked.metrics_host, port, metrics.Answers(collector, self._pulse.health, metrics.token(asked))
        )

    def _queues(self) -> tuple[int, int, int]:
        """Messages unread and unsent, and tasks; asked for in another thread."""
        return len(self._connection.inbox), self._connection.unsent, self._tasks()

    def _close_sinks(self, patience_s: float) -> None:
        """Let those that work aside finish."""
        for aside in (self._log, self._printer, self._recorder):
            if aside:
                aside.close(patience_s)

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
        found = self._problems.sentences()
        if self._log and self._log.lost:
            found.insert(0, f"{self._log.lost} changes of alarms are not in the event log. {self._log.problem}".strip())
        if self._recorder and (self._recorder.problem or self._recorder.lost):
            found.insert(0, f"{self._recorder.lost} samples and events not recorded. {self._recorder.problem}".strip())
        if self._printing and self._printing.lost:
            found.insert(0, f"{self._printing.lost} beats were not printed. {self._printing.problem}".strip())
        if self._printer and self._printer.lost:
            found.insert(0, f"{self._printer.lost} beats were not printed: what reads them is too slow")
        return found

    def status(self) -> ServiceStatus:
        """The status line."""
        unlogged = self._log.problem if self._log else ""
        unrecorded = self._recorder.problem if self._recorder else ""
        unprinted = self._printing.problem if self._printing else ""
        now = time.monotonic()
        problems = [
            self._lag.problem(now),
            misunderstood(self.ward.senders.misunderstood(now)),
            unlogged,
            unrecorded,
            unprinted,
            logs.problem(),
        ]
        return self._health.status([*problems, *self._problems.shown()])

    def ledger_line(self) -> str:
        """The last line of a headless run."""
        return msgspec.json.encode({"ledger": self.ward.ledger.as_dict()}).decode()


def _tasks_of(loop: asyncio.AbstractEventLoop) -> int:
    try:
        return len(asyncio.all_tasks(loop))
    except RuntimeError:  # they changed meanwhile
        return 0
