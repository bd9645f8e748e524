"""A broker, a producer and a monitor that faults happen to, and what the recording says of it afterwards.

The recorder is the witness (`monitor.bench.undisturbed`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ecg.errors import UserError
from ecg.programs import command
from ecg.settings import Config, MqttSettings
from ecg.wire.broker import Broker, probe
from ecg.wire.client import Line
from ecg.wire.messages import Alarms, decode_json
from ecg.wire.packets import Arrival
from ecg.wire.topics import Topics
from ecg.wire.writing import LineError
from monitor.bench import undisturbed
from monitor.bench.harness import Programs, Scrape, free_port, last_line, mosquitto, wait

AMQTT: Final = """
import signal, sys
from ecg.settings import MqttSettings
from ecg.wire.broker import ensure
with ensure(MqttSettings(port=int(sys.argv[1]))):
    signal.pause()
"""
ANSWER_SECONDS: Final = 60.0
RETAINED_SECONDS: Final = 0.5
"""In which a broker of this machine has told what it keeps."""


@dataclass(slots=True)
class Scene:
    """Processes on one port. kind: of the broker, "mosquitto" or "amqtt". host: where the broker is reached.

    reached: the port at which the programs reach it, 0 for its own. environment: of all programs. about: what the fault
    needs and tells. recovered_s: after each fault, seconds until the monitor took signal again. retained: alarms that
    the broker kept at the end, by bed.
    """

    made: Programs
    config: Config
    kind: str
    beds: int
    host: str = "127.0.0.1"
    before: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    reached: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    speed: float = 1.0
    folder: Path | None = None
    recovered_s: list[float] = field(default_factory=list)
    scrape: Scrape = field(init=False)
    runs: int = 0
    retained: dict[str, list[str]] | None = None

    def broker(self) -> None:
        """Start the broker; returns once it answers."""
        if self.kind == "mosquitto":
            settings = self.made.folder / "mosquitto.conf"
            settings.write_text(f"listener {self.port} {self.host}\nallow_anonymous true\n", encoding="utf-8")
            self.made.start("broker", [*self.before, mosquitto(), "-c", str(settings)], self.environment)
        else:
            self.made.start("broker", [sys.executable, "-c", AMQTT, str(self.port)], self.environment)
        limit_s = time.monotonic() + ANSWER_SECONDS
        while probe(self.host, self.port) is not None:
            if time.monotonic() > limit_s:
                raise UserError(f"{self.kind} does not answer on {self.host}:{self.port}")
            time.sleep(0.02)

    @property
    def address(self) -> str:
        """Where the programs reach the broker."""
        return f"{self.host}:{self.reached or self.port}"

    @property
    def records(self) -> Path:
        """The folder of the recorder."""
        return (self.folder or self.made.folder) / "records"

    def monitor(self) -> None:
        """Start the monitor, which records and saves its memory each second; returns once it is connected."""
        metrics, place = free_port(), self.folder or self.made.folder
        settings = self.made.folder / "faults.toml"
        settings.write_text(
            f'[monitor]\nmetrics_port = {metrics}\nsave_seconds = 1.0\n[alarms]\nlog = "{place / "alarms.jsonl"}"\n'
            f'[model]\nweights = "{self.config.model.weights}"\n[mqtt]\nembedded = false\n',
            encoding="utf-8",
        )
        self.runs += 1
        options = ["--headless", "--broker", self.address, "--config", str(settings), "--force"]
        kept = ["--record", str(self.records), "--resume", str(place / "memory.bin")]
        self.made.start("monitor", [*command("monitor"), *options, *kept], self.environment)
        self.scrape = Scrape(metrics)
        wait(self.made, lambda: self.scrape.beds() >= 0, "the monitor does not connect")

    def producer(self) -> None:
        """Start the producer of all beds."""
        options = ["--records", "excerpt", "--beds", str(self.beds), "--broker", self.address]
        fixed = ["--speed", f"{self.speed:g}", "--quiet", "--while-stdin"]
        self.made.start("producer", [*command("producer"), *options, *fixed], self.environment)

    def begin(self, seconds: float) -> None:
        """Start all, and let so many seconds of signal come."""
        self.broker()
        self.monitor()
        self.producer()
        wait(self.made, lambda: self.scrape.beds() >= self.beds, "the beds are not there")
        time.sleep(seconds)

    def received(self) -> float:
        """Samples that the monitor has received; -1 where it does not say."""
        return self.scrape().get("ecg_monitor_samples_received_total", -1.0)

    def recover(self, before: Callable[[], float] | None = None) -> None:
        """The fault is over now: measure until signal is taken again."""
        begin_s, known = time.monotonic(), (before or self.received)()
        while self.received() <= known:
            if time.monotonic() - begin_s > ANSWER_SECONDS:
                raise UserError("the monitor takes no signal any more")
            time.sleep(0.05)
        self.recovered_s.append(time.monotonic() - begin_s)

    def send(self, name: str, number: signal.Signals) -> None:
        """A signal to one of the processes."""
        os.kill(self.made.running[name].pid, number)

    def kill(self, name: str) -> None:
        """Kill one, and wait until it is gone."""
        process = self.made.running.pop(name)
        process.kill()
        process.wait()

    def end(self) -> dict[str, int]:
        """End all in good order; returns the monitor's ledger."""
        self.made.end("producer", by_stdin=True)
        time.sleep(1.0)
        self.made.end("monitor")
        with suppress(LineError):
            self.retained = self.kinds()
        with suppress(KeyError):
            self.kill("broker")
        return last_line(self.made.folder / "monitor.out")

    def kinds(self) -> dict[str, list[str]]:
        """The alarms that the broker keeps as active, by bed."""
        return asyncio.run(_retained(self.host, self.port))

    def verdict(self) -> dict[str, Any]:
        """What the recording says, and whether the broker's retained alarms are those of an undisturbed ward."""
        found, active = undisturbed.verdict(self.records, self.config)
        return {**found, "retained_right": None if self.retained is None else self.retained == active}


async def _retained(host: str, port: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    topics = Topics("ecg/v1")

    def heard(arrivals: list[Arrival]) -> None:
        for one in arrivals:
            bed, _kind = topics.parse(one.topic) or ("", "")
            found[bed] = [alarm.kind for alarm in decode_json(one.payload, Alarms).active]

    async with Line(MqttSettings(), Broker(host, port, ""), "bench-retained", None, None, heard) as line:
        await line.subscribe([topics.every("alarm")])
        await asyncio.sleep(RETAINED_SECONDS)
    return found
