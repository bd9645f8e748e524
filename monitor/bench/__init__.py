"""python -m monitor bench: how fast this machine reads ECG, as a table and, with --json, for programs.

Every figure is a ratio or stands beside its reference, measured in the same run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ecg import programs, settings


def parser() -> argparse.ArgumentParser:
    """Every option of every benchmark."""
    made = argparse.ArgumentParser(prog=f"{programs.shown('monitor')} bench", description=__doc__.splitlines()[0])
    kinds = made.add_subparsers(dest="kind", required=True, metavar="KIND")

    seconds, beds = programs.number("--seconds", 0.01, 86_400), programs.whole("--beds", 1, 65_536)
    engine = kinds.add_parser("engine", help="beats/s of the network, beside the lecture's and a matrix product")
    engine.add_argument("--batches", help="batch sizes, with commas (default: 1 to 4096, on a GPU 16384 too)")
    engine.add_argument("--seconds", type=seconds, default=2.0, help="how long each batch size is measured")
    engine.add_argument("--weights", help="shipped weights by name, or a .safetensors file")
    engine.add_argument("--device", help='"cpu", "cuda", "cuda:0" (default: every device present)')

    pipeline = kinds.add_parser("pipeline", help="live beds through Mosquitto: loss, latency, CPU and memory")
    pipeline.add_argument("--beds", type=beds, help="one step with so many beds (default: more and more)")
    pipeline.add_argument("--seconds", type=seconds, default=30.0, help="how long each step is measured")
    pipeline.add_argument(
        "--limit-ms",
        type=programs.number("--limit-ms", 0.1, 60_000),
        default=100.0,
        help="p99 of the overhead that counts as held",
    )
    pipeline.add_argument("--records", help='"all", "excerpt" or names (default: all where they are on disk)')

    replay = kinds.add_parser("replay", help="seconds of ECG per second through everything but MQTT")
    replay.add_argument(
        "--chunk-seconds",
        type=programs.number("--chunk-seconds", 0.02, 60),
        default=1.0,
        help="signal in one message",
    )
    replay.add_argument("--records", help='"all", "excerpt" or names (default: all where they are on disk)')
    replay.add_argument(
        "--processes",
        type=programs.whole("--processes", 1, 256),
        help="the records a second time, spread over so many (default: as many as there are cores)",
    )
    replay.add_argument("--compare", action="store_true", help="NeuroKit2, wfdb and sleepecg beside it (extra compare)")

    screen = kinds.add_parser("ui", help="frames/s and CPU of the screen while beds stream")
    screen.add_argument("--beds", type=beds, default=200, help="beds that stream")
    screen.add_argument("--seconds", type=seconds, default=20.0, help="how long each view is measured")

    faults = kinds.add_parser(
        "faults", help="brokers, programs, links and disks that fail: what is lost, and for how long"
    )
    faults.add_argument("--short", action="store_true", help="two beds, a broker killed twice: some seconds a fault")
    faults.add_argument("--only", metavar="NAMES", help="these faults, with commas, such as 'broker killed,disk full'")
    faults.add_argument("--times", type=programs.whole("--times", 1, 1000), help="how often a broker is killed")

    attacks = kinds.add_parser("attacks", help="messages of strangers while honest beds stream: what it costs those")
    attacks.add_argument("--only", metavar="NAMES", help="these attacks, with semicolons")

    fuzz = kinds.add_parser("fuzz", help="hostile inputs to every decoder: what comes out, hangs or grows")
    fuzz.add_argument("--inputs", type=programs.whole("--inputs", 1, 10**9), default=100_000, help="for each decoder")
    fuzz.add_argument("--seconds", type=seconds, default=60.0, help="for each decoder at most")
    fuzz.add_argument("--seed", type=programs.whole("--seed", 1, 2**31), default=1, help="of the inputs")
    fuzz.add_argument("--only", metavar="NAMES", help="these decoders, with commas, such as wave,router")

    soak = kinds.add_parser("soak", help="beds for hours: memory, files, tasks and queues must stay as they are")
    soak.add_argument("--hours", type=programs.number("--hours", 0.001, 1000), default=1.0, help="how long")
    soak.add_argument("--beds", type=beds, default=200, help="beds that stream")
    soak.add_argument("--speed", type=programs.number("--speed", 0.1, 60), default=10.0, help="times real time")

    disk = kinds.add_parser("recorder", help="processor time of recording many beds")
    disk.add_argument("--beds", type=beds, default=200, help="beds that are recorded")
    disk.add_argument("--seconds", type=programs.whole("--seconds", 2, 86_400), default=60, help="of signal")
    disk.add_argument("--folder", type=Path, metavar="DIR", help="on which disk (default: that of temporary files)")

    check = kinds.add_parser("check", help="processor time of the monitor's parts, beside the repository's file")
    check.add_argument("--slower", type=programs.number("--slower", 1, 100), default=1.2, help="times what is too slow")
    check.add_argument("--update", action="store_true", help="write what is measured into that file")

    for one in (engine, pipeline, replay, screen, faults, attacks, fuzz, soak, disk, check):
        one.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
        one.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    return made


def run(arguments: list[str]) -> int:
    """Run one benchmark; returns the exit status. Raises UserError where something it needs is not there."""
    options = parser().parse_args(arguments)
    config = settings.load(options.config)
    if options.kind == "engine":
        from monitor.bench import engine

        return engine.run(config, options)
    if options.kind == "pipeline":
        from monitor.bench import pipeline

        return pipeline.run(config, options)
    if options.kind == "check":
        from monitor.bench import check

        return check.run(config, options)
    if options.kind == "recorder":
        from monitor.bench import recorder

        return recorder.run(options)
    if options.kind == "fuzz":
        from monitor.bench import fuzz

        return fuzz.run(options)
    if options.kind == "soak":
        from monitor.bench import soak

        return soak.run(config, options)
    if options.kind == "faults":
        from monitor.bench import faults

        return faults.run_faults(config, options)
    if options.kind == "attacks":
        from monitor.bench import attacks

        return attacks.run(config, options)
    if options.kind == "ui":
        from monitor.bench import ui

        return ui.run(config, options)
    from monitor.bench import replay

    return replay.run(config, options)
