"""One run of the producer: connect, replay, disconnect."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
import threading
from collections.abc import Sequence

from ecg import programs
from ecg.errors import UserError
from ecg.settings import Config
from ecg.wire.broker import Broker
from ecg.wire.session import Session
from ecg.wire.topics import Topics
from producer import display
from producer.connection import connections
from producer.control import Control
from producer.keys import Keys
from producer.pacing import Pace
from producer.schedule import Progress, lanes_of, replay
from producer.sources.base import Bed


async def send(config: Config, broker: Broker, beds: Sequence[Bed], options: argparse.Namespace) -> int:
    """Connect, replay, disconnect. Returns the exit status: 130 where interrupted."""
    wanted = config.producer
    pace = wanted.speed
    qos = 1 if pace == "max" else config.mqtt.wave_qos
    run = secrets.token_hex(3)
    links = connections(
        config.mqtt,
        broker,
        beds,
        pace,
        run,
        wanted.connection_per_bed_up_to,
        wanted.beds_per_connection,
        wanted.keep_seconds,
    )
    lanes = lanes_of(links, pace, wanted.chunk_seconds)
    control = Control(config.mqtt, broker, lanes, f"control-{run}") if wanted.control else None
    paced = _paced(config, broker, len(beds), run) if pace == "max" or pace > 1 else None
    stop = asyncio.Event()
    exit_status = 0

    def interrupted(number: int) -> None:
        nonlocal exit_status
        exit_status = 130 if number == signal.SIGINT else 0
        stop.set()

    loop = asyncio.get_running_loop()
    signals = programs.end_signals()
    for number in signals:
        loop.add_signal_handler(number, interrupted, number)
    if options.seconds is not None:
        loop.call_later(options.seconds, stop.set)
    told = asyncio.Event()
    if options.while_stdin:
        threading.Thread(target=_listen, args=(loop, told, stop), daemon=True).start()
    progress = Progress()
    try:
        await asyncio.gather(*(link.open() for link in links))
        if control and not await _listens(control, options.quiet):
            control = None
        if paced and not await _opens(paced[1]):
            paced = None
        keys = Keys(control, lanes) if control and not options.while_stdin else None
        shown = asyncio.create_task(display.show(links, broker, pace, progress, options.quiet, keys))
        if options.when_told:
            await _either(told, stop)
        await replay(lanes, qos, stop, progress, pace=paced[0] if paced else None)
        if paced:
            await paced[1].close()
        if control:
            await control.close()
        for lane in lanes:
            await lane.link.last(lane.bed, lane.faults, qos)
        await asyncio.gather(*(link.close() for link in links))
        shown.cancel()
        await asyncio.wait({shown})
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
    return exit_status


def _paced(config: Config, broker: Broker, beds: int, run: str) -> tuple[Pace, Session]:
    """The clock of a fast replay, and the session that hears how far monitors are behind."""
    topics = Topics(config.mqtt.topic_root)
    made = Pace(topics, config.producer.speed, beds)
    filters = [topics.every_monitor()]
    return made, Session(
        config.mqtt, broker, f"pace-{run}", lambda: None, filters=filters, arrived=made.arrived, most=1
    )


async def _opens(session: Session) -> bool:
    """Is it allowed? Where a broker does not let a producer hear monitors, it does not wait for them."""
    try:
        await session.open()
    except UserError:
        return False
    return True


async def _listens(control: Control, quiet: bool) -> bool:
    """Let commands come. A broker that does not allow it stops nothing else."""
    try:
        await control.open()
    except UserError as error:
        if not quiet:
            print(f"no commands are taken: {error}", file=sys.stderr)
        return False
    return True


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait for the first of two events."""
    waiting = {asyncio.create_task(event.wait()) for event in (one, other)}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def _listen(loop: asyncio.AbstractEventLoop, told: asyncio.Event, stop: asyncio.Event) -> None:
    """Set `told` at a line on standard input, `stop` at its end: the parent process begins and ends the replay."""
    with contextlib.suppress(RuntimeError):
        while sys.stdin.buffer.readline():
            loop.call_soon_threadsafe(told.set)
        loop.call_soon_threadsafe(stop.set)
