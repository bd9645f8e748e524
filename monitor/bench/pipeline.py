"""Live beds through a real broker: producer, Mosquitto and monitor as processes of their own, as they run at home."""

from __future__ import annotations

import argparse
import time
from typing import Any, Final

from ecg.errors import UserError
from ecg.settings import Config
from monitor.bench import report
from monitor.bench.harness import (
    last_line,
    mosquitto,
    programs,
    quantile,
    start_broker,
    start_monitor,
    start_producer,
    wait,
)

STEPS: Final = (16, 64, 250, 500, 1000, 1500, 2000, 3000, 4000)
WARM_UP_SECONDS: Final = 5.0
"""Between the moment when every bed is there, all at once, and the measurement."""
REAL_TIME: Final = 0.99
"""Share of real time the producer must keep for a step to count: a load that was never sent proves nothing."""


def step(config: Config, beds: int, seconds: float, records: list[str], limit_ms: float) -> dict[str, Any]:
    """One number of beds for so long."""
    with programs() as made:
        port = start_broker(made)
        scrape = start_monitor(made, port, config)
        start_producer(made, port, beds, records)
        wait(made, lambda: scrape.beds() >= beds, f"{beds} beds are not there")
        time.sleep(WARM_UP_SECONDS)
        asked_s, first = time.monotonic(), scrape()
        started = scrape.below
        before, threads, begin = made.cpu_seconds(), made.thread_seconds("monitor"), time.monotonic()
        peak = made.rss_mib()
        while time.monotonic() - begin < seconds:
            time.sleep(min(1.0, max(seconds - (time.monotonic() - begin), 0.01)))
            made.check()
            peak = {name: max(value, peak[name]) for name, value in made.rss_mib().items()}
        spent, after = time.monotonic() - begin, made.cpu_seconds()
        threads = {name: used - threads.get(name, 0.0) for name, used in made.thread_seconds("monitor").items()}
        between_s, last = time.monotonic() - asked_s, scrape()  # it takes a while, and tells of when it was asked
        made.end("producer", by_stdin=True)
        made.end("monitor")
        ledger = last_line(made.folder / "monitor.out")
    received = last["ecg_monitor_samples_received_total"] - first["ecg_monitor_samples_received_total"]
    overhead = {"p50": quantile(started, scrape.below, 0.5), "p99": quantile(started, scrape.below, 0.99)}
    whole = {name: last.get(f"total {share}") for name, share in (("p50", "0.5"), ("p99", "0.99"), ("max", "1"))}
    real_time = received / (beds * 360 * between_s)
    p99 = overhead["p99"]
    return {
        "beds": beds,
        "seconds": round(spent, 1),
        "lost_samples": ledger["lost"],
        "published_samples": ledger["published"],
        "overhead_ms": {**overhead, "max": whole["max"]},
        "overhead_ms_since_start": whole,
        "stages_p99_ms": {name.split()[0]: value for name, value in last.items() if name.endswith(" 0.99")},
        "beats": int(last["ecg_monitor_beats_total"]),
        "rss_mb": round(peak["monitor"], 1),
        "cpu": {name: round((after[name] - before[name]) / spent, 3) for name in after},
        "us_per_bed_second": {name: round((after[name] - before[name]) / spent / beds * 1e6, 1) for name in after},
        "monitor_threads_us": {name: round(used / spent / beds * 1e6, 1) for name, used in threads.items()},
        "real_time": round(real_time, 4),
        "held": ledger["lost"] == 0 and p99 is not None and p99 <= limit_ms and real_time >= REAL_TIME,
    }


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench pipeline`."""
    if options.beds is not None and not 1 <= options.beds <= config.monitor.max_beds:
        raise UserError(
            f"--beds {options.beds} cannot be used: give 1 to {config.monitor.max_beds} ([monitor] max_beds)"
        )
    mosquitto()
    records = report.records(options.records)
    about = report.machine()
    wanted = [options.beds] if options.beds else [beds for beds in STEPS if beds <= config.monitor.max_beds]
    steps: list[dict[str, Any]] = []
    for beds in wanted:
        steps.append(step(config, beds, options.seconds, records, options.limit_ms))
        if not steps[-1]["held"]:
            break
    largest = max((one["beds"] for one in steps if one["held"]), default=0)
    report.write(options.json, {"steps": steps, "largest_held": largest})
    report.show(
        report.table(
            "pipeline: producer, Mosquitto, monitor",
            ("beds", "s", "lost", "p50 ms", "p99 ms", "max ms", "monitor", "producer", "broker", "RSS MiB", "held"),
            [row(one) for one in steps],
            f"{about}. Live at 360 Hz, 4 messages a second and bed. Milliseconds from the sending of the last sample a "
            f"beat needs to its publication confirmed by the broker; the first {WARM_UP_SECONDS:g} s after all beds "
            "have come are in max alone; monitor, producer, broker: cores used; "
            f"held: nothing lost, p99 within {options.limit_ms:g} ms, the producer at {REAL_TIME:.0%} of real time or "
            "more.",
        ),
        report.table(
            "processor time, microseconds for a second of one bed",
            ("beds", "monitor", "main thread", "mqtt thread", "others", "producer", "broker"),
            [costs(one) for one in steps],
        ),
        f"largest that held: {largest} beds",
    )
    return 0


def row(one: dict[str, Any]) -> list[str]:
    """A step as a line of the table."""
    overhead = [f"{value:.1f}" if value is not None else "-" for value in one["overhead_ms"].values()]
    cores = [f"{one['cpu'][name]:.2f}" for name in ("monitor", "producer", "broker")]
    held = "yes" if one["held"] else f"no ({one['real_time']:.0%})" if one["real_time"] < REAL_TIME else "no"
    return [
        f"{one['beds']:,}",
        f"{one['seconds']:g}",
        f"{one['lost_samples']:,}",
        *overhead,
        *cores,
        f"{one['rss_mb']:.0f}",
        held,
    ]


def costs(one: dict[str, Any]) -> list[str]:
    """What a second of one bed costs each process and thread, as a line of the table."""
    whole, threads = one["us_per_bed_second"], one["monitor_threads_us"]
    known = [threads.get(name, 0.0) for name in ("main", "mqtt")]
    figures = [whole["monitor"], *known, sum(threads.values()) - sum(known), whole["producer"], whole["broker"]]
    return [f"{one['beds']:,}", *(f"{value:,.0f}" for value in figures)]
