"""The producer's table on the terminal while it sends."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ecg.programs import NOT_CLINICAL
from ecg.wire.broker import Broker
from producer.connection import Connection
from producer.keys import LEGEND, Keys, listening
from producer.schedule import Progress
from producer.sources.base import Bed

MOST_ROWS = 16
REFRESH_SECONDS = 0.5


def clock_text(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def heading(beds: int, broker: Broker, speed: float | str) -> str:
    """How many beds go where, and how fast."""
    pace = "as fast as the broker takes it" if speed == "max" else f"at {speed:g}x"
    return f"{beds} bed{'s' if beds != 1 else ''} {pace} to {broker}"


def table(
    links: list[Connection], broker: Broker, speed: float | str, progress: Progress, keys: Keys | None = None
) -> Table:
    """The first MOST_ROWS beds and the totals; with keys, the chosen bed among them, and what the keys are."""
    beds = [bed for link in links for bed in link.beds]
    problem = next((link.problem for link in links if link.problem), "")
    rate = progress.messages / progress.elapsed_s if progress.elapsed_s else 0.0
    slowed = f", waited {progress.slowed_s:.0f} s for the monitor" if progress.slowed_s > 1 else ""
    sent = f"{progress.messages} messages, {rate:.0f}/s, {progress.behind_s * 1000:.0f} ms behind schedule{slowed}"
    shown = Table(
        title=heading(len(beds), broker, speed),
        caption=f"{sent}, {sum(link.dropped for link in links)} dropped. {NOT_CLINICAL}"
        + (f"\n{LEGEND}\n{keys.said}" if keys else ""),
        title_style="bold green",
    )
    for name in ("bed", "record", "leads", "lap", "time", "of", "state"):
        shown.add_column(name, justify="right" if name in ("lap", "time", "of") else "left")
    first = max(min(keys.place - MOST_ROWS // 2, len(beds) - MOST_ROWS), 0) if keys else 0
    for bed in beds[first : first + MOST_ROWS]:
        here = keys is not None and keys.lane.bed is bed
        state = "done" if bed.done else problem or _state(keys, bed)
        shown.add_row(
            Text(bed.name),
            Text(bed.record_name),
            Text(" ".join(bed.leads)),
            str(bed.lap + 1),
            clock_text(bed.index / bed.rate),
            "" if bed.seconds is None else clock_text(bed.seconds),
            Text(state),
            style="reverse" if here else "",
        )
    if len(beds) > MOST_ROWS:
        shown.add_row(f"… {len(beds) - MOST_ROWS} more")
    return shown


def _state(keys: Keys | None, bed: Bed) -> str:
    """What becomes of a bed's messages."""
    lane = next((lane for lane in keys.lanes if lane.bed is bed), None) if keys else None
    if lane is None:
        return "sending"
    if lane.paused:
        return "paused"
    pace = "" if lane.speed in ("max", 1.0) else f" at {lane.speed:g}x"
    return ("frozen" if lane.faults.frozen else "sending" if lane.faults.idle else "faulty") + pace


async def show(
    links: list[Connection],
    broker: Broker,
    speed: float | str,
    progress: Progress,
    quiet: bool,
    keys: Keys | None = None,
) -> None:
    """Draw the table until cancelled; without a terminal, print one line (none where quiet)."""
    console = Console(stderr=True)
    if quiet or not sys.stderr.isatty():
        if not quiet:
            beds = sum(len(link.beds) for link in links)
            print(f"{heading(beds, broker, speed)}. {NOT_CLINICAL}", file=sys.stderr)
        await asyncio.Event().wait()
    heard = listening(keys.press) if keys and sys.stdin.isatty() else contextlib.nullcontext()
    with heard, Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(table(links, broker, speed, progress, keys), refresh=True)
                await asyncio.sleep(REFRESH_SECONDS)
        finally:
            live.update(table(links, broker, speed, progress, keys), refresh=True)
