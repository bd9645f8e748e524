"""The screen on a pseudo-terminal while beds stream: frames, CPU, and what it costs the pipeline."""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import psutil

from ecg.programs import command, wait_or_kill
from ecg.settings import Config
from monitor.bench import report
from monitor.bench.harness import (
    Programs,
    Scrape,
    free_port,
    mosquitto,
    programs,
    quantile,
    settings_file,
    start_broker,
    start_monitor,
    start_producer,
    wait,
)
from monitor.bench.pipeline import WARM_UP_SECONDS

ASKS_SYNCHRONISED: Final = b"\x1b[?2026$p"
YES_SYNCHRONISED: Final = b"\x1b[?2026;2$y"
FRAME_BEGINS: Final = b"\x1b[?2026h"
"""Synchronised output: an application that was told that the terminal knows it marks where each frame begins."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: the terminal's size, and the keys that lead there."""

    name: str
    columns: int
    rows: int
    keys: bytes = b""


LOOKS: Final = (Look("bedside", 120, 40), Look("16 tiles", 119, 24, b"c"), Look("64 tiles", 200, 48, b"c"))


class Terminal:
    """A pseudo-terminal that a program draws on: it answers what a terminal must and counts frames and bytes."""

    def __init__(self, command: list[str], columns: int, rows: int) -> None:
        self.frames = 0
        self.bytes = 0
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        threading.Thread(target=self._read, daemon=True).start()

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._ours, keys)

    def end(self) -> None:
        """Leave the program as a person does."""
        with suppress(OSError):
            self.type(b"q")
        wait_or_kill(self.process, 20)
        os.close(self._ours)

    def _read(self) -> None:
        tail = b""
        with suppress(OSError):
            while said := os.read(self._ours, 1 << 16):
                self.bytes += len(said)
                if ASKS_SYNCHRONISED in tail + said:
                    self.type(YES_SYNCHRONISED)
                self.frames += (tail + said).count(FRAME_BEGINS)
                tail = said[-len(FRAME_BEGINS) + 1 :]


@contextmanager
def screen(made: Programs, port: int, config: Config, look: Look) -> Iterator[tuple[Terminal, Scrape]]:
    """The monitor with its screen, on a terminal; leaves it at the end."""
    metrics = free_port()
    settings = settings_file(made, config, metrics)
    words = [*command("monitor"), "--broker", f"127.0.0.1:{port}", "--config", str(settings)]
    terminal = Terminal(words, look.columns, look.rows)
    try:
        yield terminal, Scrape(metrics)
    finally:
        terminal.end()


def watched(made: Programs, port: int, config: Config, look: Look, beds: int, seconds: float) -> dict[str, Any]:
    """One look at the screen for so long."""
    with screen(made, port, config, look) as (terminal, scrape):
        wait(made, lambda: scrape.beds() >= beds, f"{beds} beds are not there")
        terminal.type(look.keys)
        time.sleep(WARM_UP_SECONDS)
        drawing = psutil.Process(terminal.process.pid)
        scrape()
        started, begin = scrape.below, time.monotonic()
        frames, written, used = terminal.frames, terminal.bytes, cpu(drawing)
        time.sleep(seconds)
        spent = time.monotonic() - begin
        share, drawn = (cpu(drawing) - used) / spent, (terminal.frames - frames) / spent
        kib = (terminal.bytes - written) / spent / 1024
        scrape()
        p50, p99 = (quantile(started, scrape.below, part) for part in (0.5, 0.99))
    return {
        "view": look.name,
        "terminal": f"{look.columns}x{look.rows}",
        "frames_per_s": round(drawn, 1),
        "screen_cpu": round(share, 3),
        "kib_per_s": round(kib, 1),
        "overhead_ms": {"p50": p50, "p99": p99},
    }


def headless(made: Programs, port: int, config: Config, beds: int, seconds: float) -> dict[str, Any]:
    """The same load without a screen."""
    scrape = start_monitor(made, port, config)
    try:
        wait(made, lambda: scrape.beds() >= beds, f"{beds} beds are not there")
        time.sleep(WARM_UP_SECONDS)
        scrape()
        started = scrape.below
        time.sleep(seconds)
        scrape()
        p50, p99 = (quantile(started, scrape.below, part) for part in (0.5, 0.99))
    finally:
        made.end("monitor")
    return {"view": "headless", "overhead_ms": {"p50": p50, "p99": p99}}


def cpu(process: psutil.Process) -> float:
    """Processor seconds of the drawing process alone: the service is a child with figures of its own."""
    times = process.cpu_times()
    return float(times.user + times.system)


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench ui`."""
    mosquitto()
    about = report.machine()
    with programs() as made:
        port = start_broker(made)
        start_producer(made, port, options.beds, report.records(None))
        bare = [headless(made, port, config, options.beds, options.seconds)]
        views = []
        for look in LOOKS:
            views.append(watched(made, port, config, look, options.beds, options.seconds))
            bare.append(headless(made, port, config, options.beds, options.seconds))
    for view, *around in zip(views, bare, bare[1:], strict=False):
        known = [one["overhead_ms"]["p99"] for one in around if one["overhead_ms"]["p99"]]
        p99 = view["overhead_ms"]["p99"]
        view["p99_vs_headless"] = round(p99 * len(known) / sum(known), 2) if p99 and known else None
    report.write(options.json, {"beds": options.beds, "headless": bare, "views": views})
    report.show(
        report.table(
            f"ui: the screen while {options.beds} beds stream",
            ("view", "terminal", "frames/s", "cores", "KiB/s", "p50 ms", "p99 ms", "p99 / headless"),
            [
                ["headless", "-", "-", "-", "-", *milliseconds(bare[0]), "1"],
                *(
                    line
                    for view, after in zip(views, bare[1:], strict=True)
                    for line in (row(view), ["headless", "-", "-", "-", "-", *milliseconds(after), "1"])
                ),
            ],
            f"{about}. frames/s: frames written; about {config.screen.frames_per_second:g} are asked for with one bed, "
            "15 for 16 tiles, 10 for 64. cores: of the process that draws. ms: overhead of the pipeline as in bench "
            "pipeline; the last column compares its p99 with the mean of the headless runs before and after it.",
        )
    )
    return 0


def row(view: dict[str, Any]) -> list[str]:
    """A view as a line of the table."""
    return [
        view["view"],
        view["terminal"],
        f"{view['frames_per_s']:.1f}",
        f"{view['screen_cpu']:.2f}",
        f"{view['kib_per_s']:.0f}",
        *milliseconds(view),
        f"{view['p99_vs_headless']}",
    ]


def milliseconds(one: dict[str, Any]) -> list[str]:
    """p50 and p99 as the table shows them."""
    return [f"{value:.1f}" if value is not None else "-" for value in one["overhead_ms"].values()]
