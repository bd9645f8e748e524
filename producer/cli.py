"""The command line of the producer."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
import threading
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from ecg import settings
from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire import broker as brokers
from ecg.wire.broker import Broker
from producer import display
from producer.connection import connections
from producer.schedule import Progress, chunk_seconds, replay
from producer.sources.records import make_beds


def parser() -> argparse.ArgumentParser:
    """Every option; what is not given comes from config.toml."""
    made = argparse.ArgumentParser(
        prog="python -m producer",
        description="Replay real ECG records as live beds over MQTT. " + display.NOT_CLINICAL,
    )
    made.add_argument("--records", help='"excerpt", "all", "ds1", "ds2" or names such as 100,208')
    made.add_argument("--beds", type=int, help="beds to send; records are used in turn (default: one per record)")
    made.add_argument("--speed", help='1 is real time, 60 sixty times that, "max" as fast as the broker takes it')
    made.add_argument("--loop", action=argparse.BooleanOptionalAction, default=None, help="begin again at the end")
    made.add_argument("--lead", help='the one lead to send, such as MLII, or "all"')
    made.add_argument("--truth", action=argparse.BooleanOptionalAction, default=None, help="send annotations too")
    made.add_argument("--broker", metavar="HOST:PORT", help="MQTT broker")
    made.add_argument("--root", help="topic root, such as ecg/v1")
    made.add_argument("--seconds", type=float, help="stop after so many wall seconds")
    made.add_argument("--quiet", action="store_true", help="print nothing")
    made.add_argument("--while-stdin", action="store_true", help="stop when standard input is closed")
    made.add_argument(
        "--when-told", action="store_true", help="with --while-stdin: begin at the first line of standard input"
    )
    made.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    return made


def with_options(config: Config, options: argparse.Namespace) -> Config:
    """The settings with what the command line says. Raises UserError where a value cannot be used."""
    given = {name: getattr(options, name) for name in ("records", "beds", "loop", "lead", "truth")}
    changes: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if options.speed is not None:
        changes["speed"] = speed(options.speed)
    if options.beds is not None and options.beds < 1:
        raise UserError(f"--beds {options.beds} cannot be used: give 1 or more")
    mqtt = config.mqtt
    if options.broker is not None:
        host, port = settings.host_and_port(options.broker)
        mqtt = msgspec.structs.replace(mqtt, host=host, port=port)
    if options.root is not None:
        mqtt = settings.with_root(mqtt, options.root)
    return msgspec.structs.replace(config, mqtt=mqtt, producer=msgspec.structs.replace(config.producer, **changes))


def speed(text: str) -> float | str:
    """A speed as typed. Raises UserError."""
    if text == "max":
        return text
    try:
        value = float(text.rstrip("x"))
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise UserError(f'--speed {text} cannot be used: give a number above 0, such as 1 or 60, or "max"')
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the producer; returns its exit status."""
    options = parser().parse_args(arguments)
    config = with_options(settings.load(options.config), options)
    names = library.find(config.producer.records)
    fetch(library.missing(names))
    records = [library.read(name) for name in names]
    with brokers.ensure(config.mqtt) as broker:
        return asyncio.run(send(config, broker, records, options))


def fetch(names: list[str]) -> None:
    """Download records that are not there, with a progress bar."""
    if not names:
        return
    columns = (TextColumn("[green]{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"downloading {len(names)} records to {library.folder()}", total=None)
        library.download(
            names, lambda file, done, of: bar.update(task, description=file or "done", completed=done, total=of)
        )


async def send(config: Config, broker: Broker, records: list[Record], options: argparse.Namespace) -> int:
    """Connect, replay, say goodbye. Returns the exit status: 130 where interrupted."""
    wanted = config.producer
    pace = wanted.speed
    chunk = chunk_seconds(wanted.chunk_seconds, pace)
    period = None if pace == "max" else chunk / pace
    qos = 1 if pace == "max" else config.mqtt.wave_qos
    run = secrets.token_hex(3)
    beds = make_beds(records, wanted.beds, wanted.lead, chunk, run, wanted.loop, wanted.truth)
    links = connections(
        config.mqtt, broker, beds, pace, run, wanted.connection_per_bed_up_to, wanted.beds_per_connection
    )
    stop = asyncio.Event()
    exit_status = 0

    def interrupted(number: int) -> None:
        nonlocal exit_status
        exit_status = 130 if number == signal.SIGINT else 0
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted, number)
    if options.seconds is not None:
        loop.call_later(options.seconds, stop.set)
    told = asyncio.Event()
    if options.while_stdin:
        threading.Thread(target=_listen, args=(loop, told, stop), daemon=True).start()
    progress = Progress()
    try:
        await asyncio.gather(*(link.open() for link in links))
        shown = asyncio.create_task(display.show(links, broker, pace, progress, options.quiet))
        if options.when_told:
            await _either(told, stop)
        await replay(links, period, qos, stop, progress)
        await asyncio.gather(*(link.close() for link in links))
        shown.cancel()
        await asyncio.wait({shown})
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return exit_status


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait for the first of two."""
    waiting = {asyncio.create_task(event.wait()) for event in (one, other)}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def _listen(loop: asyncio.AbstractEventLoop, told: asyncio.Event, stop: asyncio.Event) -> None:
    """Whoever started this process may say when to begin, and holds its standard input open while it is wanted."""
    with contextlib.suppress(RuntimeError):
        while sys.stdin.buffer.readline():
            loop.call_soon_threadsafe(told.set)
        loop.call_soon_threadsafe(stop.set)
