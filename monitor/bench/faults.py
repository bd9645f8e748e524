"""Faults that happen: brokers that die or stand still, programs that are killed, links that break, disks that fill.

Real processes, one row a fault: beats lost beyond the samples that never came, samples lost and accounted for, time to
recover.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ecg.errors import UserError
from ecg.settings import Config
from monitor.bench import report
from monitor.bench.harness import programs
from monitor.bench.scene import Scene, run

BEFORE_SECONDS: Final = 4.0
AFTER_SECONDS: Final = 4.0
AWAY_SECONDS: Final = 1.0
OUTAGE_SECONDS: Final = 5.0
SMALL_DISK: Final = "1m"


class Size(msgspec.Struct, frozen=True):
    """How much is done. times: a broker is killed. stall_s: it stands still. before_s, after_s: of peace."""

    beds: int
    times: int
    stall_s: float
    before_s: float
    after_s: float


LONG: Final = Size(8, 20, 10.0, BEFORE_SECONDS, AFTER_SECONDS)
SHORT: Final = Size(2, 2, 2.0, 1.0, 0.5)


class NotHereError(Exception):
    """A fault that this machine does not allow; the text says why."""


def killed(scene: Scene, size: Size) -> None:
    """The broker is killed and comes back, again and again."""
    for _ in range(size.times):
        scene.kill("broker")
        time.sleep(AWAY_SECONDS)
        scene.broker()
        scene.recover()
        time.sleep(size.after_s / 4)


def stalled(scene: Scene, size: Size) -> None:
    """The broker stands still and goes on."""
    scene.send("broker", signal.SIGSTOP)
    time.sleep(size.stall_s)
    scene.send("broker", signal.SIGCONT)
    scene.recover()


def producer_killed(scene: Scene, size: Size) -> None:  # noqa: ARG001
    """The producer is killed and started again."""
    scene.kill("producer")
    time.sleep(AWAY_SECONDS)
    known = scene.received()
    scene.producer()
    scene.recover(lambda: known)


def monitor_killed(scene: Scene, size: Size) -> None:  # noqa: ARG001
    """The monitor is killed and takes up its saved memory."""
    scene.kill("monitor")
    time.sleep(AWAY_SECONDS)
    begin_s = time.monotonic()
    scene.monitor()
    scene.recover()
    scene.recovered_s[-1] = time.monotonic() - begin_s


def link_cut(scene: Scene, size: Size) -> None:  # noqa: ARG001
    """The link to the broker is down for some seconds."""
    run("ip", "link", "set", LINK, "down")
    time.sleep(OUTAGE_SECONDS)
    run("ip", "link", "set", LINK, "up")
    scene.recover()


def link_bad(scene: Scene, size: Size) -> None:
    """The link delays, reorders and loses packets."""
    why = run("tc", "qdisc", "add", "dev", LINK, "root", "netem", *"delay 50ms 20ms loss 2% reorder 10%".split())
    if why:
        raise NotHereError(f"tc netem: {why}")
    time.sleep(size.stall_s)
    run("tc", "qdisc", "del", "dev", LINK, "root")
    scene.recover()


def disk_full(scene: Scene, size: Size) -> None:
    """The disk of recorder, log and saved memory is full; the monitor goes on."""
    assert scene.folder is not None
    with suppress(OSError), (scene.folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    time.sleep(size.after_s)
    scene.recover()


Fault = Callable[[Scene, Size], None]
FAULTS: Final[dict[str, tuple[str, Fault]]] = {
    "broker killed": ("mosquitto", killed),
    "broker stalled": ("mosquitto", stalled),
    "amqtt killed": ("amqtt", killed),
    "amqtt stalled": ("amqtt", stalled),
    "producer killed": ("mosquitto", producer_killed),
    "monitor killed": ("mosquitto", monitor_killed),
    "link cut": ("mosquitto", link_cut),
    "link bad": ("mosquitto", link_bad),
    "disk full": ("mosquitto", disk_full),
}
LINKS: Final = ("link cut", "link bad")
LINK, INNER, SPACE = "ecgbench0", "ecgbench1", "ecgbench"
OURS, THEIRS = "198.18.77.1", "198.18.77.2"
"""Addresses of the range for benchmarks (RFC 2544)."""


@contextmanager
def link() -> Iterator[tuple[str, tuple[str, ...]]]:
    """A network namespace at the other end of a link: the broker's address in it, and what starts a program there.

    Raises NotHereError where that may not be made.
    """
    steps = [
        f"ip netns add {SPACE}",
        f"ip link add {LINK} type veth peer name {INNER} netns {SPACE}",
        f"ip addr add {OURS}/30 dev {LINK}",
        f"ip link set {LINK} up",
        f"ip -n {SPACE} addr add {THEIRS}/30 dev {INNER}",
        f"ip -n {SPACE} link set {INNER} up",
    ]
    try:
        for step in steps:
            why = run(*step.split()) if shutil.which("ip") else "there is no ip command"
            if why:
                raise NotHereError(f"{step}: {why}")
        yield THEIRS, ("ip", "netns", "exec", SPACE)
    finally:
        if shutil.which("ip"):
            run("ip", "link", "del", LINK)
            run("ip", "netns", "del", SPACE)


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
        if name in LINKS:
            with link() as (host, before):
                return play(Scene(made, config, kind, size.beds, host, before), fault, size)
        if name == "disk full":
            with small_disk(made.folder / "disk") as disk:
                return full(Scene(made, config, kind, size.beds, folder=disk), size)
        return play(Scene(made, config, kind, size.beds), fault, size)


def play(scene: Scene, fault: Fault, size: Size) -> dict[str, Any]:
    """The fault between two times of peace, and what came of it."""
    scene.begin(size.before_s)
    fault(scene, size)
    time.sleep(size.after_s)
    ledger = scene.end()
    balanced = ledger["unfinished"] > 0 or ledger["published"] == ledger["received"] + ledger["lost"]
    found = {key: ledger[key] for key in ("published", "received", "lost", "repeated", "junk", "unfinished")}
    return {**scene.verdict(), **found, "balanced": balanced, "recovered_s": scene.recovered_s}


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
            ("fault", "beats", "lost", "beside", "twice", "samples lost", "repeated", "balanced", "back after s"),
            [line(name, row) for name, row in rows.items()],
            f"{about}. lost: beats that an undisturbed ward reads in the samples that came, and that were not read; "
            "beside: read beyond these; twice: beats and alarm onsets. back after: median and 95 % of the times from "
            f"the end of the fault until signal was taken again. A broker was killed {size.times} times, stood still "
            f"{size.stall_s:g} s.",
        )
    )
    return 0


def line(name: str, row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    if "not_here" in row:
        return [name, f"not here: {row['not_here']}", *[""] * 7]
    back = row["recovered_s"]
    shown = f"{np.median(back):.2f} / {np.quantile(back, 0.95):.2f}" if back else "-"
    twice = row.get("beats_twice", 0) + row.get("onsets_twice", 0)
    counts = [row["beats"], row["beats_lost"], row.get("beats_beside", "-"), twice, row["lost"], row["repeated"]]
    return [name, *map(str, counts), "yes" if row["balanced"] else "NO", shown]
