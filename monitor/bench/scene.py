"""A broker, a producer and a monitor that faults happen to, and what the recording says of it afterwards.

The recorder is the witness: it has every sample that arrived. What an undisturbed ward reads in these samples is what
the monitor should have read.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from ecg.errors import UserError
from ecg.model import weights
from ecg.programs import command
from ecg.records.record import MISSING
from ecg.settings import Config
from ecg.wire.broker import probe
from monitor.bench.harness import Programs, Scrape, free_port, last_line, mosquitto, wait
from monitor.evaluation import recorded
from monitor.service.recorder.database import FILE

AMQTT: Final = """
import signal, sys
from ecg.settings import MqttSettings
from ecg.wire.broker import ensure
with ensure(MqttSettings(port=int(sys.argv[1]))):
    signal.pause()
"""
ANSWER_SECONDS: Final = 30.0


@dataclass(slots=True)
class Scene:
    """Processes on one port. kind: of the broker, "mosquitto" or "amqtt". host: where the broker is reached.

    recovered_s: after each fault, seconds until the monitor took signal again.
    """

    made: Programs
    config: Config
    kind: str
    beds: int
    host: str = "127.0.0.1"
    before: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    speed: float = 1.0
    folder: Path | None = None
    recovered_s: list[float] = field(default_factory=list)
    scrape: Scrape = field(init=False)
    runs: int = 0

    def broker(self) -> None:
        """Start the broker; returns once it answers."""
        if self.kind == "mosquitto":
            settings = self.made.folder / "mosquitto.conf"
            settings.write_text(f"listener {self.port} {self.host}\nallow_anonymous true\n", encoding="utf-8")
            self.made.start("broker", [*self.before, mosquitto(), "-c", str(settings)])
        else:
            self.made.start("broker", [sys.executable, "-c", AMQTT, str(self.port)])
        limit_s = time.monotonic() + ANSWER_SECONDS
        while probe(self.host, self.port) is not None:
            if time.monotonic() > limit_s:
                raise UserError(f"{self.kind} does not answer on {self.host}:{self.port}")
            time.sleep(0.02)

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
        options = ["--headless", "--broker", f"{self.host}:{self.port}", "--config", str(settings), "--force"]
        kept = ["--record", str(self.records), "--resume", str(place / "memory.bin")]
        self.made.start("monitor", [*command("monitor"), *options, *kept])
        self.scrape = Scrape(metrics)
        wait(self.made, lambda: self.scrape().get("ecg_monitor_connected") == 1, "the monitor does not connect")

    def producer(self) -> None:
        """Start the producer of all beds."""
        options = ["--records", "excerpt", "--beds", str(self.beds), "--broker", f"{self.host}:{self.port}"]
        fixed = ["--speed", f"{self.speed:g}", "--quiet", "--while-stdin"]
        self.made.start("producer", [*command("producer"), *options, *fixed])

    def begin(self, seconds: float) -> None:
        """Start all, and let so many seconds of signal come."""
        self.broker()
        self.monitor()
        self.producer()
        wait(self.made, lambda: self.scrape().get("ecg_monitor_beds", 0) >= self.beds, "the beds are not there")
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
        with suppress(KeyError):
            self.kill("broker")
        return last_line(self.made.folder / "monitor.out")

    def verdict(self) -> dict[str, Any]:
        """What the recording says: beats that should have been read, were, and were twice; samples that are missing."""
        net, card = weights.load(self.config.model.weights)
        expected: set[tuple[int, int]] = set()
        missing = 0
        with sqlite3.connect(self.records / FILE) as base:
            known = base.execute("SELECT id, name, first FROM records").fetchall()
            beats = Counter(base.execute("SELECT record, sample FROM beats WHERE record IS NOT NULL").fetchall())
            onsets = Counter(
                base.execute("SELECT bed, stream, kind, onset FROM alarms WHERE what = 'onset'").fetchall()
            )
        for number, name, first in known:
            record = recorded.find(self.records / name)
            missing += int((record.samples == MISSING).all(axis=1).sum())
            found = recorded.read_again(record, self.config, net, torch.device("cpu"), card.doubt)
            expected |= {(number, pair.index + first) for pair in found.pairs if pair.now != recorded.NONE}
        return {
            "beats": len(beats),
            "beats_lost": len(expected - beats.keys()),
            "beats_beside": len(beats.keys() - expected),
            "beats_twice": sum(count - 1 for count in beats.values()),
            "onsets_twice": sum(count - 1 for count in onsets.values()),
            "samples_missing": missing,
        }


def run(*words: str) -> str:
    """A command of the system; "" where it worked, else what it said."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip().splitlines()[-1]
