"""What the benchmarks share: fair timing, the records, the table and the JSON file."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from ecg.errors import UserError
from ecg.records import aami, library

WARM_UP: Final = 2
SLICE_SECONDS: Final = 0.02


def medians(works: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Median seconds of one call of each, as `spans` takes them."""
    return [float(np.median(times)) for times in spans(works, seconds)]


def spans(works: Sequence[Callable[[], object]], seconds: float) -> list[list[float]]:
    """Seconds of each call of each, in short slices by turns: what disturbs one disturbs all."""
    for work in works:
        for _ in range(WARM_UP):
            work()
    spent: list[list[float]] = [[] for _ in works]
    end = time.perf_counter() + seconds
    while not spent[-1] or time.perf_counter() < end:
        for work, times in zip(works, spent, strict=True):
            until = time.perf_counter() + SLICE_SECONDS
            while (begin := time.perf_counter()) < until:
                work()
                times.append(time.perf_counter() - begin)
    return spent


def records(wanted: str | None) -> list[str]:
    """Record names: as wanted, else all 48 where they are on disk, else the excerpt. Raises UserError."""
    if wanted is None:
        return [library.EXCERPT] if library.missing(list(aami.ALL)) else list(aami.ALL)
    names = library.find(wanted)
    gone = library.missing(names)
    if gone:
        raise UserError(f"record {gone[0]} is not in {library.folder()}: point $ECG_DATA at a folder that has it")
    return names


def machine() -> str:
    """The machine in a line."""
    name = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
            break
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} when this began"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Table:
    """A table of figures."""
    made = Table(title=title, caption=caption or None, title_style="bold green", caption_justify="left")
    for name in columns:
        made.add_column(name, justify="right")
    for row in rows:
        made.add_row(*row)
    return made


def show(*parts: Table | str) -> None:
    """Print to standard output, as wide as it must be where that is no terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    for part in parts:
        console.print(part)


def write(path: Path | None, figures: dict[str, Any]) -> None:
    """The figures as a JSON file, where one is wanted. Raises UserError where it cannot be written."""
    if path is None:
        return
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
