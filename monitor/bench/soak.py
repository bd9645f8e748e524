"""Beds for hours: memory, file descriptors, tasks and queues of the monitor must stay as they are.

The first part of the run, in which the history of all beds fills, is left out.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Final

import numpy as np
import psutil

from ecg.programs import command
from ecg.settings import Config
from monitor.bench import report
from monitor.bench.harness import (
    MIB,
    Programs,
    Scrape,
    free_port,
    last_line,
    mosquitto,
    programs,
    settings_file,
    start_broker,
    wait,
)

LOOK_SECONDS: Final = 5.0
SAID_SECONDS: Final = 60.0
FILLING: Final = 0.4
"""Share of the run that is left out of the slopes."""
LIMITS: Final = {"rss_mib": 1.0, "files": 1.0, "threads": 1.0, "tasks": 1.0, "inbox": 100.0, "outbox": 100.0}
"""Growth an hour that counts as none."""
LOWEST_SECONDS: Final = 60.0
"""Of memory the lowest in so long counts: in between lie messages that wait, and what is not yet given back."""
METRICS: Final = {"tasks": "ecg_monitor_tasks", "inbox": "ecg_monitor_inbox", "outbox": "ecg_monitor_outbox"}


def look(process: psutil.Process, scrape: Scrape) -> dict[str, float]:
    """The monitor as it is now."""
    told = scrape()
    seen = {"rss_mib": process.memory_info().rss / MIB, "files": process.num_fds(), "threads": process.num_threads()}
    return {**seen, **{name: told.get(metric, float("nan")) for name, metric in METRICS.items()}}


def slope(times_s: list[float], values: list[float], least_hours: float = 0.0) -> float:
    """Growth an hour, from the median of the first third to that of the last: what is short is no growth.

    least_hours: of what comes one by one, such as threads, one more in less time than that is one in that time.
    """
    part = max(len(values) // 3, 1)
    hours = max((np.median(times_s[-part:]) - np.median(times_s[:part])) / 3600, least_hours)
    return float((np.median(values[-part:]) - np.median(values[:part])) / hours) if hours > 0 else 0.0


def lowest(times_s: list[float], values: list[float]) -> list[float]:
    """For each value the lowest of its minute."""
    least: dict[int, float] = {}
    minutes = [int(at_s // LOWEST_SECONDS) for at_s in times_s]
    for minute, value in zip(minutes, values, strict=True):
        least[minute] = min(value, least.get(minute, value))
    return [least[minute] for minute in minutes]


def watch(made: Programs, scrape: Scrape, seconds: float) -> list[tuple[float, dict[str, float]]]:
    """What was seen, with the time since the start."""
    process, begin_s, said = psutil.Process(made.running["monitor"].pid), time.monotonic(), 0
    seen: list[tuple[float, dict[str, float]]] = []
    while (at_s := time.monotonic() - begin_s) < seconds:
        made.check()
        seen.append((at_s, look(process, scrape)))
        if at_s >= SAID_SECONDS * said:
            said += 1
            told = ", ".join(f"{name} {value:.1f}" for name, value in seen[-1][1].items())
            print(f"{at_s:.0f} s: {told}", file=sys.stderr, flush=True)
        time.sleep(min(LOOK_SECONDS, max(seconds - at_s, 0.01)))
    return seen


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench soak`; the exit status is 1 where something grows."""
    mosquitto()
    about, seconds = report.machine(), options.hours * 3600
    with programs() as made:
        port, metrics = start_broker(made), free_port()
        kept = ["--record", str(made.folder / "records"), "--resume", str(made.folder / "memory.bin")]
        words = ["--headless", "--broker", f"127.0.0.1:{port}", "--config", str(settings_file(made, config, metrics))]
        made.start("monitor", [*command("monitor"), *words, *kept])
        scrape = Scrape(metrics)
        wait(made, lambda: scrape.beds() >= 0, "the monitor does not connect")
        sent = [
            "--records",
            "excerpt",
            "--beds",
            str(options.beds),
            "--speed",
            f"{options.speed:g}",
            "--loop",
            "--no-truth",
        ]
        made.start(
            "producer", [*command("producer"), *sent, "--quiet", "--while-stdin", "--broker", f"127.0.0.1:{port}"]
        )
        wait(made, lambda: scrape.beds() >= options.beds, "the beds are not there")
        seen = watch(made, scrape, seconds)
        made.end("producer", by_stdin=True)
        made.end("monitor")
        ledger = last_line(made.folder / "monitor.out")
    rows = verdict(seen, seconds)
    report.write(options.json, {"machine": about, "seconds": seconds, "rows": rows, "ledger": ledger, "seen": seen})
    shown = [
        [name, *(f"{row[key]:.1f}" for key in ("first", "last", "slope", "limit")), row["held"]]
        for name, row in rows.items()
    ]
    report.show(
        report.table(
            f"soak: {options.beds} beds at {options.speed:g}x for {options.hours:g} h, recorded",
            ("figure", "at first", "at last", "growth 1/h", "allowed", "held"),
            [[str(cell) for cell in row] for row in shown],
            f"{about}. Growth: from the first to the last third of the last {1 - FILLING:.0%}. Received "
            f"{ledger['received']}, lost {ledger['lost']} samples, {ledger['beats']} beats.",
        )
    )
    grown = [name for name, row in rows.items() if row["held"] == "NO"]
    if grown:
        print(f"grows: {', '.join(grown)}", file=sys.stderr)
    return int(bool(grown))


def verdict(seen: list[tuple[float, dict[str, float]]], seconds: float) -> dict[str, dict[str, Any]]:
    """Of each figure its first and last value, its growth an hour, and whether that is none."""
    later = [(at, one) for at, one in seen if at >= FILLING * seconds] or seen[-2:]
    rows: dict[str, dict[str, Any]] = {}
    for name, limit in LIMITS.items():
        times_s, values = [at for at, _ in later], [one[name] for _, one in later]
        of_memory = name == "rss_mib"
        if of_memory:
            values = lowest(times_s, values)
        growth = slope(times_s, values, least_hours=0.0 if of_memory else 1.0)
        first, last = values[0], values[-1]
        held = "yes" if growth <= limit else "NO"
        rows[name] = {"first": first, "last": last, "slope": growth, "limit": limit, "held": held}
    return rows
