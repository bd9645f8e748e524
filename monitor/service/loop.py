"""The service: messages from the connection into the ward, beats and alarms out, at the pace they come."""

from __future__ import annotations

import asyncio
import gc
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

import monitor
from ecg.errors import UserError
from ecg.settings import Config
from ecg.signal.path import lookahead_seconds
from ecg.wire.broker import Broker
from ecg.wire.messages import (
    SCHEMA,
    Beat,
    BedStatus,
    MessageError,
    MonitorStatus,
    ProducerStatus,
    Truth,
    Wave,
    decode_json,
    decode_wave,
    encode_json,
)
from monitor.link.protocol import Acknowledge, Intent, Quit, ServiceStatus, Show, Silence
from monitor.service import checkpoint as memory
from monitor.service.connection import Arrival, Connection, Outgoing, status
from monitor.service.event_log import EventLog
from monitor.service.feed import View
from monitor.service.latency import Latencies
from monitor.service.overload import Lag
from monitor.service.publisher import alarms_message, beat_message
from monitor.ward.bed import GAPPED_SECONDS
from monitor.ward.events import AlarmChanged, BeatRead, Event
from monitor.ward.ward import Ward

MOST_MESSAGES: Final = 4096
"""Messages taken in one step: more would keep the connection waiting."""
MOST_BYTES: Final = 1 << 20
"""Payload taken in one step, for the same reason: a minute of ECG of a dozen beds."""
IDLE_TICK_SECONDS: Final = 0.25
SWITCH_SECONDS: Final = 0.001
"""How long one thread may keep others from running: short, so that a message is read when it comes."""
COLLECT: Final = (10_000, 100, 1000)
"""Thresholds of Python's cycle collector: as it comes, it stops a ward of a thousand beds for 0.8 s every ten
seconds, to look through a history that holds no cycles.
"""
FIRST_MESSAGE_SECONDS: Final = 60.0
"""So long a run that ends when idle waits for the first message."""
RATE_SECONDS: Final = 2.0
JUNK_KEPT: Final = 5


class Service:
    """Runs one ward on one connection.

    on_beat: called with each beat, for a headless run. saved: file that the memory of all beds is kept in.
    """

    def __init__(
        self,
        config: Config,
        broker: Broker,
        ward: Ward,
        on_beat: Callable[[Beat], None] | None = None,
        saved: Path | None = None,
    ) -> None:
        self.config, self.broker, self.ward = config, broker, ward
        self.name = secrets.token_hex(3)
        self.stop = asyncio.Event()
        self.view = View(ward)
        self.latencies = Latencies()
        self.lag_s = 0.0
        self._lag = Lag(config.monitor.max_lag_seconds)
        self._gapped, self._gapped_s = "", float("-inf")
        self.beats_per_s = 0.0
        self.problems: list[str] = []
        self.on_listening: Callable[[], None] = lambda: None
        self._on_beat = on_beat
        self._memory = saved
        self._log = EventLog(config.alarms.log) if config.alarms.log else None
        device = str(ward.engine.device)
        sys.setswitchinterval(SWITCH_SECONDS)
        self._connection = Connection(config.mqtt, broker, self.name, status("offline", monitor.__version__, device))

    async def run(self, until_idle: float | None = None) -> None:
        """Process until `stop`, or until nothing has come for `until_idle` seconds (a minute for the first message).

        Raises UserError where the broker refuses.
        """
        connection = self._connection
        self.ward.engine.warm_up()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
        stop_metrics = self._serve_metrics()
        await connection.open()
        background = [asyncio.create_task(work()) for work in (self._report, self._measure, self._remember)]
        self.on_listening()
        inbox = connection.inbox
        inbox.last_s = time.monotonic()
        try:
            while not self.stop.is_set():
                await inbox.wait(IDLE_TICK_SECONDS)
                if inbox:
                    if len(inbox) < self.config.monitor.batch_size:
                        await asyncio.sleep(self.config.monitor.batch_deadline_ms / 1000)
                    self.shed()
                    self.take(inbox.take(MOST_MESSAGES, MOST_BYTES))
                    await asyncio.sleep(0)
                if until_idle is not None and not inbox:
                    limit = until_idle if inbox.received else max(FIRST_MESSAGE_SECONDS, until_idle)
                    if time.monotonic() - inbox.last_s > limit:
                        break
            self.take(inbox.take(len(inbox)))
            self._save_memory()
            self.ward.end_all()
            self._handle(self.ward.step())
            await connection.flush(120)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            if connection.connected:
                self._publish_status("offline")
            await connection.close()
            if stop_metrics:
                stop_metrics()
            if self._log:
                self._log.close()

    def _serve_metrics(self) -> Callable[[], None] | None:
        """Answer Prometheus, where the settings ask for it."""
        port = self.config.monitor.metrics_port
        if not port:
            return None
        from monitor.service import metrics

        ward = self.ward
        return metrics.serve(port, metrics.ServiceCollector(self.status, lambda: ward.ledger.beats, self.latencies))

    def shed(self) -> None:
        """Where signal has waited too long, choose the beds whose unread messages are to be forgone."""
        inbox, lag = self._connection.inbox, self._lag
        if lag.due(inbox.waited_s, time.monotonic()):
            late = lag.look(inbox.look(), self._connection.topics, self.ward.waits_for_nobody)
            if late:
                more = f" and {len(late) - 1} more" if len(late) > 1 else ""
                seconds = max(lag.behind_s[bed] for bed in late)
                self._gapped = f"bed {late[0]}{more} gapped: {seconds:.1f} s of signal waited unread"
                self._gapped_s = time.monotonic()

    def take(self, arrivals: list[Arrival]) -> None:
        """Process messages: what cannot be used is counted and skipped."""
        for arrival in arrivals:
            try:
                self._message(arrival)
            except MessageError as error:
                self.ward.ledger.junk += 1
                self.problems = [*self.problems[-JUNK_KEPT + 1 :], f"{arrival.topic}: {error}"]
        if arrivals:
            self.lag_s = (time.time_ns() - arrivals[0].received_ns) / 1e9
        if self.ward.waiting:
            self._handle(self.ward.step())

    def _message(self, arrival: Arrival) -> None:
        """One message, by its topic. Raises MessageError."""
        place = self._connection.topics.parse(arrival.topic)
        if place is None:
            self._producer(arrival)
            return
        bed, kind = place
        if kind == "wave":
            self._wave(bed, decode_wave(arrival.payload), arrival.received_ns)
        elif kind == "truth":
            self.ward.truth(bed, decode_json(arrival.payload, Truth))
        elif kind == "status" and arrival.payload:
            self.ward.status(bed, decode_json(arrival.payload, BedStatus), arrival.retained)

    def _wave(self, bed: str, wave: Wave, received_ns: int) -> None:
        """One checked wave message: read it, or forgo it where the bed is too late. Raises MessageError."""
        if not self._lag.forgo(bed):
            self.ward.wave(bed, wave, received_ns)
            return
        try:
            self.ward.forgo(bed, wave)
        finally:
            behind_s = self._lag.over(bed)
            if behind_s is not None:
                self.ward.resume(bed, behind_s)

    def _producer(self, arrival: Arrival) -> None:
        """The status of a connection that many beds share."""
        if "/_producer/" not in arrival.topic:
            raise MessageError("the topic names no bed (allowed are 1 to 64 of A-Z, a-z, 0-9, _ and -)")
        if arrival.payload:
            producer = decode_json(arrival.payload, ProducerStatus)
            if producer.state == "offline" and not arrival.retained:
                self.ward.offline(producer.beds)

    def _handle(self, events: list[Event]) -> None:
        """Publish and log what happened."""
        topics = self._connection.topics
        out: list[Outgoing] = []
        beats = [event for event in events if isinstance(event, BeatRead)]
        self._count(beats)
        for event in events:
            match event:
                case BeatRead():
                    beat = beat_message(event, self.ward.model)
                    done = partial(self._published, event.sent_ns)
                    out.append(Outgoing(topics.of(event.bed, "beat"), encode_json(beat), False, done))
                    if self._on_beat:
                        self._on_beat(beat)
                case AlarmChanged():
                    out.append(Outgoing(topics.of(event.bed, "alarm"), encode_json(alarms_message(event)), True))
                    if self._log:
                        self._log.write(event.bed, event.stream, event.rate, list(event.changes), time.time())
        if self._on_beat and beats:
            sys.stdout.flush()
        self._connection.publish(out)
        self.view.take(events)

    def _count(self, beats: list[BeatRead]) -> None:
        """Latencies of beats that have been read."""
        self.latencies.add("received", np.array([(beat.received_ns - beat.sent_ns) / 1e6 for beat in beats]))
        self.latencies.add(
            "read", np.array([beat.latency_ms - (beat.received_ns - beat.sent_ns) / 1e6 for beat in beats])
        )

    def _published(self, sent_ns: int) -> None:
        self.latencies.add("total", (time.time_ns() - sent_ns) / 1e6)

    def intent(self, intent: Intent) -> None:
        """What the screen asks for."""
        if isinstance(intent, Quit):
            self.halt()
        elif isinstance(intent, Show):
            self.view.show(intent)
        elif isinstance(intent, Acknowledge):
            self.ward.acknowledge(intent.bed, intent.kind)
            self._handle(self.ward.tell())
        elif isinstance(intent, Silence):
            self.ward.silence(intent.bed, intent.seconds)
            self._handle(self.ward.tell())

    def halt(self) -> None:
        """End soon: what has been received is still processed."""
        self.stop.set()

    def status(self) -> ServiceStatus:
        """The status line."""
        ward, ledger = self.ward, self.ward.ledger
        rates = [bed.rate for bed in ward.beds.values() if bed.rate]
        connection = self._connection
        problems = [connection.problem]
        if time.monotonic() - self._gapped_s < GAPPED_SECONDS:
            problems.append(self._gapped)
        if self.lag_s > 1:
            problems.append(f"{self.lag_s:.1f} s behind")
        if connection.inbox.overflowed:
            problems.append(f"{connection.inbox.overflowed} messages lost for want of memory")
        if ward.engine.batch_size < self.config.monitor.batch_size:
            problems.append(f"short of memory: {ward.engine.batch_size} beats a pass")
        return ServiceStatus(
            broker=str(self.broker),
            device=str(ward.engine.device),
            model=ward.model,
            beds=len(ward.beds),
            beats_per_s=self.beats_per_s,
            latency_p50_ms=self.latencies.shown(0.5),
            latency_p99_ms=self.latencies.shown(0.99),
            lookahead_ms=lookahead_seconds(rates[0] if rates else 360.0) * 1000,
            received=ledger.received,
            lost=ledger.lost,
            repeated=ledger.repeated,
            junk=ledger.junk,
            connected=connection.connected,
            problem="; ".join(problem for problem in problems if problem),
        )

    def _publish_status(self, state: str) -> None:
        now = self.status()
        message = MonitorStatus(
            v=SCHEMA,
            state="online" if state == "online" else "offline",
            version=monitor.__version__,
            device=now.device,
            beds=now.beds,
            beats_per_s=round(now.beats_per_s, 1),
            latency_p50_ms=now.latency_p50_ms,
            latency_p99_ms=now.latency_p99_ms,
            dropped=now.junk,
        )
        self._connection.publish([Outgoing(self._connection.topics.monitor(self.name), encode_json(message), True)])

    async def _report(self) -> None:
        """The monitor's own retained status."""
        while True:
            if self._connection.connected:
                self._publish_status("online")
            await asyncio.sleep(self.config.monitor.status_seconds)

    async def _remember(self) -> None:
        """Save the memory of all beds now and then."""
        while self._memory:
            await asyncio.sleep(self.config.monitor.save_seconds)
            self._save_memory()

    def _save_memory(self) -> None:
        """Save the memory of all beds, where that is wanted; a full disk does not stop a monitor."""
        if self._memory:
            try:
                memory.save(self.ward, self._memory)
            except UserError as error:
                self.problems = [*self.problems[-JUNK_KEPT + 1 :], str(error)]

    async def _measure(self) -> None:
        """Beats per second, and the window over which latency is shown."""
        beats, at, turned = self.ward.ledger.beats, time.monotonic(), time.monotonic()
        while True:
            await asyncio.sleep(RATE_SECONDS)
            now = time.monotonic()
            self.beats_per_s = (self.ward.ledger.beats - beats) / (now - at)
            beats, at = self.ward.ledger.beats, now
            if now - turned > 30:
                self.latencies.turn()
                turned = now

    def ledger_line(self) -> str:
        """The last line of a headless run."""
        return msgspec.json.encode({"ledger": self.ward.ledger.as_dict()}).decode()
