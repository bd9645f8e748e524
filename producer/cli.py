"""The command line of the producer."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from ecg import checking, logs, programs, settings
from ecg.errors import UserError
from ecg.records import library
from ecg.records.opening import all_that_can, open_records
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire import broker as brokers
from producer import commanding, gallery, scenarios
from producer.schedule import chunk_seconds
from producer.sending import send
from producer.sources.base import Bed
from producer.sources.choosing import notes_on, with_ecg
from producer.sources.lsl import is_live, make_live
from producer.sources.records import make_beds
from producer.sources.simulated import is_simulated, make_simulated


def _grade(words: list[str]) -> int:
    from producer.grading import program  # it brings what sending does not need

    return program.main(words)


MOST_HERTZ: Final = 2000.0
COMMANDS: Final[dict[str, Callable[[list[str]], int]]] = {
    "scenarios": scenarios.main,
    "send": commanding.main,
    "gallery": gallery.main,
    "grade": _grade,
}
"""Commands beside sending, each with a parser of its own."""


def parser() -> argparse.ArgumentParser:
    """Every option; an option that is not given comes from the settings."""
    made = argparse.ArgumentParser(
        prog=programs.shown("producer"),
        description="Replay real ECG records, or simulate patients, as live beds over MQTT. " + programs.NOT_CLINICAL,
        epilog=f"Other commands, each with --help of its own: {', '.join(COMMANDS)}.",
    )
    programs.add_version(made)
    made.add_argument(
        "--source",
        default="records",
        metavar="SOURCE",
        help='"records", or simulated patients: "sim", "sim:SCENARIO" (a name or a .toml file; with commas several), '
        '"sim:ward" for a ward drawn at random; "lsl" or "lsl:STREAM" for live streams of Lab Streaming Layer',
    )
    made.add_argument(
        "--seed", type=programs.whole("--seed", 0, 2**31 - 1), default=0, help="of simulated patients (default: 0)"
    )
    made.add_argument("--records", help='"excerpt", "all", "ds1", "ds2" or names such as 100,208')
    made.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of WFDB records for --records, recordings of the monitor among them (default: $ECG_DATA)",
    )
    made.add_argument(
        "--file",
        type=Path,
        action="append",
        metavar="PATH",
        help="send this WFDB record, EDF, BDF, XDF, CSV or Parquet file, or all in this folder; may be given again",
    )
    made.add_argument(
        "--rate",
        type=programs.number("--rate", 100, 20_000),
        help="Hz, of a --file that is a table without times, or of simulated patients",
    )
    made.add_argument("--by-class", action="store_true", help="of a --file of beats: one bed for every class")
    made.add_argument(
        "--beds",
        type=programs.whole("--beds", 1, 65536),
        help="beds to send; records are used in turn (default: one per record)",
    )
    made.add_argument("--speed", help='1 is real time, 60 sixty times that, "max" as fast as the broker takes it')
    made.add_argument("--loop", action=argparse.BooleanOptionalAction, default=None, help="begin again at the end")
    made.add_argument(
        "--lead",
        help='the one lead to send, such as MLII, or "all"; of simulated patients also several, such as II,V1, or "12"',
    )
    made.add_argument("--truth", action=argparse.BooleanOptionalAction, default=None, help="send annotations too")
    made.add_argument("--annotator", help="ending of the annotation files to send (default: atr)")
    made.add_argument("--broker", metavar="HOST:PORT", help="MQTT broker, or mqtt[s]://user@host:port")
    made.add_argument("--root", help="topic root, such as ecg/v1")
    made.add_argument(
        "--seconds", type=programs.number("--seconds", 0, 31_536_000), help="stop after so many wall seconds"
    )
    made.add_argument("--quiet", action="store_true", help="print nothing")
    made.add_argument("--while-stdin", action="store_true", help="stop when standard input is closed")
    made.add_argument(
        "--when-told", action="store_true", help="with --while-stdin: begin at the first line of standard input"
    )
    made.add_argument("--check", action="store_true", help="say whether settings, records and broker can be used")
    programs.add_log_level(made)
    made.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    return made


def with_options(config: Config, options: argparse.Namespace) -> Config:
    """The settings, changed by the command line. Raises UserError where a value cannot be used."""
    for key in ("records", "beds", "lead", "speed", "annotator"):
        text = getattr(options, key)
        if text is not None:
            given = text.removesuffix("x") if key == "speed" and text != "max" else str(text)
            if key == "speed" and not _is_speed(given):
                raise UserError(f'--speed {text} cannot be used: give a number from 0.01 to 10000, or "max"')
            config = settings.with_value(config, "producer", key, given, f"--{key}")
    flags = {name: getattr(options, name) for name in ("loop", "truth") if getattr(options, name) is not None}
    mqtt = config.mqtt
    if options.broker is not None:
        mqtt = settings.with_broker(mqtt, options.broker)
    if options.root is not None:
        mqtt = settings.with_root(mqtt, options.root)
    return replace(config, mqtt=mqtt, producer=replace(config.producer, **flags))


def _is_speed(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return text == "max" or 0.01 <= float(text) <= 10_000
    return False


def chosen(config: Config, options: argparse.Namespace) -> tuple[list[Record], list[str]]:
    """The records to send, and sentences about them. Raises UserError where one cannot be read."""
    wanted, refused = config.producer, list[str]()
    if options.file:
        if options.records is not None:
            raise UserError("--file and --records are both given: give one of them")
        how = (wanted.annotator, options.rate, options.by_class, refused)
        records, other = with_ecg([record for path in options.file for record in open_records(path, *how)])
        return records, [*refused, *other, *notes_on(records, wanted.lead, wanted.truth)]
    asked = names_of(config, options)
    names = library.find(asked, options.data)
    if options.data is None:
        fetch(library.missing(names))
    ways = [partial(library.read, name, options.data, wanted.annotator) for name in names]
    records, other = with_ecg(all_that_can(ways, refused if asked == "all" else None))
    hints = other_annotators(records, options.data) if wanted.truth else []
    return records, [*refused, *other, *notes_on(records, wanted.lead, wanted.truth), *hints]


def names_of(config: Config, options: argparse.Namespace) -> str:
    """The records asked for: of a folder that is named all, unless some of it are."""
    return "all" if options.data and options.records is None else config.producer.records


def other_annotators(records: list[Record], where: Path | None = None) -> list[str]:
    """Sentences about records without the annotations asked for that have others."""
    bare = {record.name: library.annotators(record.name, where) for record in records if record.annotations is None}
    return [
        f"{name} has annotations {', '.join(there)}: name them with --annotator"
        for name, there in bare.items()
        if there
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the producer, or one of its other commands; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        return COMMANDS[words[0]](words[1:])
    options = parser().parse_args(words)
    config = with_options(settings.load(options.config), options)
    logs.begin(config.log, options.log_level)
    if options.check:
        return check(config, options)
    beds, said = beds_of(config, options, secrets.token_hex(3))
    if not options.quiet:
        print(*said, sep="\n", end="\n" if said else "", file=sys.stderr)
    with brokers.ensure(config.mqtt) as broker:
        return asyncio.run(send(config, broker, beds, options))


def beds_of(config: Config, options: argparse.Namespace, run: str) -> tuple[Sequence[Bed], list[str]]:
    """The beds to send, and sentences about them. run: name of this replay. Raises UserError."""
    wanted = config.producer
    chunk = chunk_seconds(wanted.chunk_seconds, wanted.speed)
    if is_live(options.source):
        if options.records is not None or options.file:
            raise UserError(f"--source {options.source} is live: --records and --file do not go with it")
        live = make_live(options.source, lead=wanted.lead, chunk_seconds=chunk, run=run, speed=wanted.speed)
        return live, ["live streams carry no annotations: sent without truth"]
    if not is_simulated(options.source):
        if options.source != "records":
            raise UserError(
                f'--source {options.source} cannot be used: give "records", "sim", "sim:SCENARIO", "sim:ward", '
                '"lsl" or "lsl:STREAM"'
            )
        records, said = chosen(config, options)
        return make_beds(records, wanted.beds, wanted.lead, chunk, run, wanted.loop, wanted.truth), said
    if options.records is not None or options.file:
        raise UserError(f"--source {options.source} is simulated: --records and --file do not go with it")
    if options.rate is not None and options.rate > MOST_HERTZ:
        raise UserError(f"--rate {options.rate:g} cannot be simulated: give 100 to {MOST_HERTZ:g} Hz")
    simulated = make_simulated(
        options.source,
        beds=wanted.beds,
        seed=options.seed,
        lead=wanted.lead,
        rate=options.rate,
        chunk_seconds=chunk,
        run=run,
        loop=wanted.loop,
        truth=wanted.truth,
    )
    return simulated, ["SIMULATED patients: nothing of this was recorded from anybody"]


def check(config: Config, options: argparse.Namespace) -> int:
    """Say of everything that a run needs whether it can be used; the exit status. Nothing is sent or downloaded."""

    def readable() -> str:
        if is_simulated(options.source) or is_live(options.source):
            kind = "live" if is_live(options.source) else "simulated"
            return f"{len(beds_of(config, options, 'check')[0])} {kind} beds can be sent"
        if options.file:
            return f"{len(chosen(config, options)[0])} can be read"
        found = library.find(names_of(config, options), options.data)
        absent = [] if options.data else library.missing(found)
        read = [library.read(name, options.data, config.producer.annotator) for name in found if name not in absent]
        said = [f"{len(read)} can be read", *([f"{len(absent)} would be downloaded"] if absent else [])]
        return "; ".join(said + (notes_on(read, config.producer.lead, config.producer.truth) if read else []))

    parts: list[checking.Part] = [
        ("settings", lambda: str(options.config or settings.find() or "defaults")),
        ("records", readable),
        ("broker", lambda: checking.broker(config.mqtt, [])),
    ]
    return checking.run(parts)


def fetch(names: list[str]) -> None:
    """Download missing records, with a progress bar."""
    if not names:
        return
    columns = (TextColumn("[green]{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Bar(*columns, console=Console(stderr=True))
    task = bar.add_task(f"downloading {len(names)} records to {library.folder()}", total=None)

    def show(file: str, done: int, of: int) -> None:
        bar.start()
        bar.update(task, description=file or "done", completed=done, total=of)

    try:
        library.download(names, show)
    finally:
        if bar.live.is_started:  # stopping a bar that was never shown prints an empty line
            bar.stop()
