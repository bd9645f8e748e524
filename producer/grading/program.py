"""python -m producer grade: listens, grades, and ends with a status that a pipeline can use."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from rich.console import Console
from rich.live import Live

from ecg import programs, settings
from ecg.wire import broker as brokers
from ecg.wire.session import Session
from producer.grading.alarms import ASKED
from producer.grading.answers import FIELDS, Reader, pairs
from producer.grading.listening import Listener
from producer.grading.report import Requirement, requirements, shown, tree

UNMET: Final = 1
NOTHING: Final = 4
"""Exit statuses: a requirement is not met; no answer came."""
REFRESH_SECONDS: Final = 1.0


def parser() -> argparse.ArgumentParser:
    """The options of `grade`."""
    made = argparse.ArgumentParser(
        prog=f"{programs.shown('producer')} grade",
        description="Grade what another program publishes about the beds being sent, beat by beat, against their "
        "truth (EC57, 150 ms). " + programs.NOT_CLINICAL,
    )
    made.add_argument("--topic", help="filter of its messages; the first + is the bed (default: <root>/+/beat)")
    made.add_argument(
        "--alarms", nargs="?", const="", metavar="FILTER", help="grade its alarms too (default: <root>/+/alarm)"
    )
    made.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=PATH",
        help=f"where a field stands in its JSON, such as CLASS=$.result.type; fields: {', '.join(FIELDS)}",
    )
    made.add_argument(
        "--call", action="append", default=[], metavar="NAME=CLASS", help="its name of a class, such as PVC=V"
    )
    made.add_argument(
        "--require", action="append", default=[], metavar="NAME=NUMBER", help="such as V.se=0.95 or latency_p99=1500"
    )
    made.add_argument(
        "--late", type=programs.number("--late", 1, 1e7), default=2000.0, help="ms after which an answer is late (2000)"
    )
    made.add_argument(
        "--patience",
        type=programs.number("--patience", 0.1, 3600),
        default=10.0,
        help="seconds that an answer is waited for (10)",
    )
    made.add_argument(
        "--until-idle", type=programs.number("--until-idle", 0.1, 86_400), help="end after so many silent seconds"
    )
    made.add_argument("--seconds", type=programs.number("--seconds", 0.1, 31_536_000), help="end after so many seconds")
    made.add_argument("--json", action="store_true", help="print the grades as JSON")
    made.add_argument("--broker", metavar="HOST:PORT", help="MQTT broker, or mqtt[s]://user@host:port")
    made.add_argument("--root", help="topic root of the beds, such as ecg/v1")
    made.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    return made


def main(arguments: list[str]) -> int:
    """Run `grade`; returns its exit status. Raises UserError."""
    options = parser().parse_args(arguments)
    mqtt = settings.load(options.config).mqtt
    if options.broker is not None:
        mqtt = settings.with_broker(mqtt, options.broker)
    if options.root is not None:
        mqtt = settings.with_root(mqtt, options.root)
    reader = Reader(pairs("--map", options.map), pairs("--call", options.call), tuple(ASKED))
    topic = options.topic or f"{mqtt.topic_root}/+/beat"
    alarms = "" if options.alarms is None else options.alarms or f"{mqtt.topic_root}/+/alarm"
    listener = Listener(mqtt.topic_root, topic, reader, options.late, options.patience, alarms)
    required = requirements(options.require)
    with brokers.ensure(replace(mqtt, embedded=False)) as broker:
        session = Session(
            mqtt,
            broker,
            f"grader-{secrets.token_hex(4)}",
            lambda: None,
            filters=listener.filters,
            arrived=lambda name, payload, _retained: listener.arrived(name, payload, time.monotonic()),
        )
        asyncio.run(listen(session, listener, required, options))
    return finish(listener, required, options.json, topic)


async def listen(
    session: Session, listener: Listener, required: list[Requirement], options: argparse.Namespace
) -> None:
    """Until told to end: by a signal, a time, or silence after something was heard."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if options.seconds is not None:
        loop.call_later(options.seconds, stop.set)
    live = Live(console=Console(stderr=True), auto_refresh=False) if sys.stderr.isatty() else None
    await session.open()
    print("listening", file=sys.stderr, flush=True)
    if live:
        live.start()
    try:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), REFRESH_SECONDS)
            now_s = time.monotonic()
            grades = listener.settle(now_s)
            if live:
                live.update(shown(grades, required), refresh=True)
            if options.until_idle is not None and now_s - (listener.heard_s or now_s) > options.until_idle:
                break
    finally:
        if live:
            live.stop()
        await session.close()


def finish(listener: Listener, required: list[Requirement], as_json: bool, topic: str) -> int:
    """Print the grades; returns the exit status."""
    grades = listener.end()
    if as_json:
        print(json.dumps(tree(grades, required)))
    else:
        Console().print(shown(grades, required))
    if not grades.answers and not grades.alarms.scores:
        heard = f"; {grades.unreadable} messages were unreadable: {grades.why}" if grades.unreadable else ""
        beds = f"{len(grades.beds)} beds with truth were heard"
        print(f"no answer came on {topic}: {beds}{heard}", file=sys.stderr)
        return NOTHING
    numbers = grades.numbers()
    return 0 if all(one.met(numbers) for one in required) else UNMET
