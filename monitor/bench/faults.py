"""Faults that happen: brokers that die or stand still, programs that are killed, links that break, disks that fill.

Real processes, one row a fault: beats lost beyond the samples that never came, samples lost and accounted for, time to
recover.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ecg.errors import UserError
from ecg.settings import Config
from monitor.bench import report
from monitor.bench.fault_kinds import FAULTS, Fault, Size, around, disk_full
from monitor.bench.harness import programs
from monitor.bench.scene import Scene
from monitor.bench.tunnel import NotHereError, run

BEFORE_SECONDS: Final = 4.0
AFTER_SECONDS: Final = 4.0
HEADS: Final = (
    *("fault", "beats", "lost", "beside", "twice", "alarms", "alarms off", "retained right"),
    *("samples lost", "repeated", "balanced", "back after s"),
)
SMALL_DISK: Final = "1m"
LONG: Final = Size(8, 20, 10.0, BEFORE_SECONDS, AFTER_SECONDS)
SHORT: Final = Size(2, 2, 2.0, 1.0, 0.5)


@contextmanager
def small_disk(where: Path) -> Iterator[Path]:
    """A disk of 1 MiB. Raises NotHereError where it may not be mounted."""
    where.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        raise NotHereError("only root may mount a small disk")
    why = run("mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(where))
    if why:
        raise NotHereError(why)
    try:
        yield where
    finally:
        run("umount", "-l", str(where))


def one(name: str, config: Config, size: Size) -> dict[str, Any]:
    """One fault in a scene of its own; its row."""
    kind, fault = FAULTS[name]
    with programs() as made:
        if name == "disk full":
            with small_disk(made.folder / "disk") as disk:
                return full(Scene(made, config, kind, size.beds, folder=disk), size)
        with around(name, made, config, size) as scene:
            return play(scene, fault, size)


def play(scene: Scene, fault: Fault, size: Size) -> dict[str, Any]:
    """The fault between two times of peace, and what came of it."""
    scene.begin(size.before_s)
    fault(scene, size)
    time.sleep(size.after_s)
    ledger = scene.end()
    balanced = ledger["unfinished"] > 0 or ledger["published"] == ledger["received"] + ledger["lost"]
    found = {key: ledger[key] for key in ("published", "received", "lost", "repeated", "junk", "unfinished")}
    said = {"told": scene.about.get("told", "")}
    return {**scene.verdict(), **found, "balanced": balanced, "recovered_s": scene.recovered_s, **said}


def full(scene: Scene, size: Size) -> dict[str, Any]:
    """A full disk leaves no witness: the beats that were printed are counted, and none may be missing at the end."""
    scene.begin(size.before_s)
    before = scene.scrape()["ecg_monitor_beats_total"]
    disk_full(scene, size)
    time.sleep(size.after_s)
    after = scene.scrape()["ecg_monitor_beats_total"]
    if after <= before:
        raise UserError("no beats are read any more once the disk is full")
    ledger = scene.end()
    lines = (scene.made.folder / "monitor.out").read_bytes().splitlines()
    said = (scene.made.folder / "monitor.err").read_text(encoding="utf-8")
    return {
        "beats": len(lines) - 1,
        "beats_lost": ledger["beats"] - (len(lines) - 1),
        **{key: ledger[key] for key in ("published", "received", "lost", "repeated", "junk", "unfinished")},
        "balanced": ledger["published"] == ledger["received"] + ledger["lost"],
        "recovered_s": scene.recovered_s,
        "said": [line for line in said.splitlines() if "No space" in line][:5],
    }


def run_faults(config: Config, options: argparse.Namespace) -> int:
    """`bench faults`."""
    size = SHORT if options.short else LONG
    if options.times:
        size = msgspec.structs.replace(size, times=options.times)
    wanted = [name.strip() for name in options.only.split(",")] if options.only else list(FAULTS)
    if unknown := [name for name in wanted if name not in FAULTS]:
        raise UserError(f"--only {unknown[0]!r} names no fault: give {', '.join(FAULTS)}")
    about = report.machine()
    rows: dict[str, dict[str, Any]] = {}
    for name in wanted:
        print(name, file=sys.stderr, flush=True)
        try:
            rows[name] = one(name, config, size)
        except NotHereError as error:
            rows[name] = {"not_here": str(error)}
        report.write(options.json, {"machine": about, "size": size, "faults": rows})
    report.show(
        report.table(
            f"faults: {size.beds} beds in real time",
            HEADS,
            [line(name, row) for name, row in rows.items()],
            f"{about}. lost: beats that an undisturbed ward reads in the samples that came, and that were not read; "
            "beside: read beyond these, or with another letter; twice: beats and alarm onsets; alarms off: onsets and "
            "ends that are not an undisturbed ward's. back after: median and 95 % of the times from the end of the "
            f"fault until signal was taken again. A broker was killed {size.times} times, stood still {size.stall_s:g} "
            f"s. {told(rows)}",
        )
    )
    return int(any(not right(row) for row in rows.values()))


def right(row: dict[str, Any]) -> bool:
    """Is nothing lost that came, nothing told twice or otherwise, and all counted?."""
    names = ("beats_lost", "beats_beside", "beats_otherwise", "beats_twice", "onsets_twice", "alarms_differ")
    kept = row.get("retained_right") is not False
    return "not_here" in row or (kept and row["balanced"] and not any(row.get(name, 0) for name in names))


def told(rows: dict[str, dict[str, Any]]) -> str:
    """What faults tell of themselves."""
    return "; ".join(f"{name}: {row['told']}" for name, row in rows.items() if row.get("told"))


def line(name: str, row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    if "not_here" in row:
        return [name, f"not here: {row['not_here']}", *[""] * (len(HEADS) - 2)]
    back = row["recovered_s"]
    shown = f"{np.median(back):.2f} / {np.quantile(back, 0.95):.2f}" if back else "-"
    twice = row.get("beats_twice", 0) + row.get("onsets_twice", 0)
    beside = row["beats_beside"] + row["beats_otherwise"] if "beats_beside" in row else "-"
    kept = {True: "yes", False: "NO", None: "-"}[row.get("retained_right")]
    counts = [row["beats"], row["beats_lost"], beside, twice, row.get("alarms", "-"), row.get("alarms_differ", "-")]
    counts += [kept, row["lost"], row["repeated"]]
    return [name, *map(str, counts), "yes" if row["balanced"] else "NO", shown]
