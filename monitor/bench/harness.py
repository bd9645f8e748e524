"""Processes of a benchmark: Mosquitto, producer and monitor on free ports, and the figures they give of themselves."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import psutil
from prometheus_client.parser import text_string_to_metric_families

from ecg.errors import UserError
from ecg.programs import command, wait_or_kill
from ecg.settings import Config
from ecg.wire import broker

START_SECONDS: Final = 120.0
END_SECONDS: Final = 60.0
MIB: Final = 1 << 20


class Programs:
    """The processes of one step, by what they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a process; what it says goes to files in the folder. environment: on top of ours."""
        with (self.folder / f"{name}.out").open("wb") as out, (self.folder / f"{name}.err").open("wb") as err:
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=err, env=os.environ | (environment or {})
            )

    def check(self) -> None:
        """Raises UserError, with its own words, where one of them has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                said = (self.folder / f"{name}.err").read_text(errors="replace").strip().splitlines()
                raise UserError(f"the {name} ended: {said[-1] if said else f'exit status {process.returncode}'}")

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time each has used so far."""
        used = {}
        for name, process in self.running.items():
            times = psutil.Process(process.pid).cpu_times()
            used[name] = times.user + times.system
        return used

    def thread_seconds(self, name: str) -> dict[str, float]:
        """Processor time of one program's threads: "main", those with a name of their own (Linux), and "others"."""
        process = psutil.Process(self.running[name].pid)
        main, used = _comm(process.pid, process.pid), dict[str, float]()
        for thread in process.threads():
            known = _comm(process.pid, thread.id)
            key = "main" if thread.id == process.pid else known if known and known != main else "others"
            used[key] = used.get(key, 0.0) + thread.user_time + thread.system_time
        return used

    def rss_mib(self) -> dict[str, float]:
        """Resident memory of each."""
        return {name: psutil.Process(one.pid).memory_info().rss / MIB for name, one in self.running.items()}

    def end(self, name: str, by_stdin: bool = False) -> None:
        """End one and wait for it: the producer by its standard input, the others by a signal."""
        process = self.running.pop(name)
        if by_stdin and process.stdin:
            with suppress(OSError):
                process.stdin.close()
        else:
            process.terminate()
        wait_or_kill(process, END_SECONDS)


def _comm(process: int, thread: int) -> str:
    """What the system calls a thread, "" where it does not say."""
    try:
        return Path(f"/proc/{process}/task/{thread}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


@contextmanager
def programs() -> Iterator[Programs]:
    """A folder and processes that end when this does."""
    with tempfile.TemporaryDirectory(prefix="ecg-bench-") as folder:
        made = Programs(Path(folder))
        try:
            yield made
        finally:
            for process in made.running.values():
                process.kill()
                process.wait()


def free_port() -> int:
    """A TCP port of the loopback that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def mosquitto() -> str:
    """The broker's program. Raises UserError where it is not installed."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    if found is None:
        raise UserError(
            "this benchmark needs the broker Mosquitto: apt-get install mosquitto, or brew install mosquitto"
        )
    return found


def start_broker(made: Programs) -> int:
    """Mosquitto with its own defaults on a free port; returns the port once it answers."""
    port = free_port()
    settings = made.folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    made.start("broker", [mosquitto(), "-c", str(settings)])
    limit = time.monotonic() + 10
    while broker.probe("127.0.0.1", port) is not None:
        made.check()
        if time.monotonic() > limit:
            raise UserError(f"mosquitto does not answer on port {port}")
        time.sleep(0.05)
    return port


FIGURES: Final = "&".join(
    f"name[]=ecg_monitor_{name}"
    for name in (
        *("beds", "connected", "inbox", "outbox", "tasks", "beats_total", "samples_received_total"),
        *("samples_lost_total", "messages_unusable_total", "latency_seconds", "overhead_seconds_bucket"),
    )
)
"""What benchmarks ask for: the alarms of each bed would cost a full ward a tenth of a second and more."""


class Scrape:
    """The monitor's own figures, as Prometheus gets them.

    below: (ms, beats whose overhead was below it since the start) as last asked for.
    """

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self.below: list[tuple[float, float]] = []

    def _answer(self, page: str) -> str:
        """What is answered; "" where nobody does."""
        try:
            with urllib.request.urlopen(f"{self._root}/{page}", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:  # it is not well, and says so
            return error.read().decode()
        except OSError:
            return ""

    def beds(self) -> int:
        """How many beds a connected monitor knows, -1 where none is: a look that costs it next to nothing."""
        said = self._answer("healthz")
        figures = json.loads(said) if said.startswith("{") else {}
        return int(figures["beds"]) if figures.get("connected") else -1

    def __call__(self) -> dict[str, float]:
        """Values by name, latencies of the whole way as "total 0.99" and so on, in ms; {} while it does not answer."""
        text = self._answer(f"metrics?{FIGURES}")
        if not text.startswith("#"):
            return {}
        found = {}
        self.below = []
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if "le" in sample.labels:
                    self.below.append((float(sample.labels["le"]) * 1000, sample.value))
                elif sample.labels.get("stage"):
                    found[f"{sample.labels['stage']} {sample.labels['quantile']}"] = sample.value * 1000
                else:
                    found[sample.name] = sample.value
        return found


def quantile(before: list[tuple[float, float]], after: list[tuple[float, float]], share: float) -> float | None:
    """The overhead that `share` of the beats between two looks at the histogram were below, ms (within 6 per cent)."""
    counts = [(edge, now - then) for (edge, now), (_, then) in zip(after, before, strict=True)]
    if not counts or counts[-1][1] <= 0:
        return None
    wanted, (low, under) = share * counts[-1][1], (0.0, 0.0)
    for edge, count in counts:
        if count >= wanted:
            return low if edge == float("inf") else low + (edge - low) * (wanted - under) / (count - under)
        low, under = edge, count
    return None


def settings_file(made: Programs, config: Config, metrics: int) -> Path:
    """Settings of a monitor whose metrics are on."""
    settings = made.folder / f"config-{metrics}.toml"
    settings.write_text(
        f"[monitor]\nmetrics_port = {metrics}\nmax_beds = {config.monitor.max_beds}\n"
        f'[model]\nweights = "{config.model.weights}"\ndevice = "{config.model.device}"\n'
        f"threads = {config.model.threads}\n"
        f"cuda_graphs = {str(config.model.cuda_graphs).lower()}\nbfloat16 = {str(config.model.bfloat16).lower()}\n",
        encoding="utf-8",
    )
    return settings


def start_monitor(made: Programs, port: int, config: Config) -> Scrape:
    """A headless monitor with its metrics on; returns once it is connected."""
    metrics = free_port()
    settings = settings_file(made, config, metrics)
    made.start(
        "monitor", [*command("monitor"), "--headless", "--broker", f"127.0.0.1:{port}", "--config", str(settings)]
    )
    scrape = Scrape(metrics)
    wait(made, lambda: scrape.beds() >= 0, "the monitor does not connect")
    return scrape


def start_producer(made: Programs, port: int, beds: int, records: list[str]) -> None:
    """So many live beds, without annotations: four wave messages a second each and nothing else."""
    options = ["--records", ",".join(records), "--beds", str(beds), "--broker", f"127.0.0.1:{port}"]
    fixed = ["--speed", "1", "--loop", "--no-truth", "--quiet", "--while-stdin"]
    made.start("producer", [*command("producer"), *options, *fixed])


def wait(made: Programs, ready: Callable[[], bool], problem: str) -> None:
    """Until `ready()`. Raises UserError where that takes too long or a process ends."""
    limit = time.monotonic() + START_SECONDS
    while not ready():
        made.check()
        if time.monotonic() > limit:
            raise UserError(f"{problem} within {START_SECONDS:g} s")
        time.sleep(0.2)


def last_line(path: Path) -> dict[str, int]:
    """The ledger that a headless monitor prints last. Raises UserError where it has printed none."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4096, 0), os.SEEK_SET)
        lines = file.read().splitlines()
    try:
        found: dict[str, int] = msgspec.json.decode(lines[-1])["ledger"]
    except (IndexError, KeyError, msgspec.DecodeError):
        raise UserError("the monitor ended without its ledger") from None
    return found
