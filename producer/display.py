"""The producer's table on the terminal while it sends."""

from __future__ import annotations

import asyncio
import sys

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ecg.programs import NOT_CLINICAL
from ecg.wire.broker import Broker
from producer.connection import Connection
from producer.schedule import Progress

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


def table(links: list[Connection], broker: Broker, speed: float | str, progress: Progress) -> Table:
    """The first MOST_ROWS beds and the totals."""
    beds = [bed for link in links for bed in link.beds]
    problem = next((link.problem for link in links if link.problem), "")
    rate = progress.messages / progress.elapsed_s if progress.elapsed_s else 0.0
    shown = Table(
        title=heading(len(beds), broker, speed),
        caption=f"{progress.messages} messages, {rate:.0f}/s, {progress.behind_s * 1000:.0f} ms behind schedule, "
        f"{sum(link.dropped for link in links)} dropped. {NOT_CLINICAL}",
        title_style="bold green",
    )
    for name in ("bed", "record", "leads", "lap", "time", "of", "state"):
        shown.add_column(name, justify="right" if name in ("lap", "time", "of") else "left")
    for bed in beds[:MOST_ROWS]:
        state = "done" if bed.done else problem or "sending"
        shown.add_row(
            Text(bed.name),
            Text(bed.record_name),
            Text(" ".join(bed.leads)),
            str(bed.lap + 1),
            clock_text(bed.index / bed.rate),
            "" if bed.seconds is None else clock_text(bed.seconds),
            Text(state),
        )
    if len(beds) > MOST_ROWS:
        shown.add_row(f"… {len(beds) - MOST_ROWS} more")
    return shown


async def show(links: list[Connection], broker: Broker, speed: float | str, progress: Progress, quiet: bool) -> None:
    """Draw the table until cancelled; without a terminal, print one line (none where quiet)."""
    console = Console(stderr=True)
    if quiet or not sys.stderr.isatty():
        if not quiet:
            beds = sum(len(link.beds) for link in links)
            print(f"{heading(beds, broker, speed)}. {NOT_CLINICAL}", file=sys.stderr)
        await asyncio.Event().wait()
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(table(links, broker, speed, progress), refresh=True)
                await asyncio.sleep(REFRESH_SECONDS)
        finally:
            live.update(table(links, broker, speed, progress), refresh=True)
