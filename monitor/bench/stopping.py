"""SIGTERM of a monitor that has more to read than it can: it ends soon, everything is flushed, nobody is left."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from contextlib import suppress
from typing import Any, Final

import msgspec
import psutil

from ecg.settings import Config
from monitor.bench.harness import last_line, programs, wait
from monitor.bench.scene import Scene
from monitor.bench.stranger import TOPICS, Stranger, wave
from monitor.service.checkpoint import HEAD
from monitor.service.recorder.database import FILE

BEDS: Final = 300
SECONDS: Final = 60
FLOOD_SECONDS: Final = 4.0
MOST_SECONDS: Final = 3.0
GONE_SECONDS: Final = 60.0


def stopped(config: Config) -> dict[str, Any]:
    """What came of it: seconds until it was gone, messages that waited, exit status, and what was left undone."""
    with programs() as made:
        scene = Scene(made, config, "mosquitto", 2)
        scene.begin(1.0)
        with Stranger(scene.port).running() as one:
            wait(made, lambda: len(one.streams) >= 1, "the beds have no beats")
            begin_s = time.monotonic()
            for second in range(SECONDS):
                for quarter in range(4):
                    index = (4 * second + quarter) * 90
                    one.send(*((TOPICS.of(f"flood-{bed}", "wave"), wave("f-1-0", index)) for bed in range(BEDS)))
                if time.monotonic() - begin_s > FLOOD_SECONDS:
                    break
            waiting = int(scene.scrape().get("ecg_monitor_inbox", -1))
            process = made.running.pop("monitor")
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            begin_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GONE_SECONDS)
            seconds = time.monotonic() - begin_s
        left = [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        undone = _undone(scene)
        try:
            ledger = last_line(made.folder / "monitor.out")
        except Exception as error:
            undone.append(str(error))
            ledger = {}
    held = seconds <= MOST_SECONDS and process.returncode == 0 and not left and not undone
    return {
        "seconds": round(seconds, 2),
        "waiting": waiting,
        "status": process.returncode,
        "processes_left": len(left),
        "undone": undone,
        "ledger": ledger,
        "held": "yes" if held else "NO",
    }


def _undone(scene: Scene) -> list[str]:
    """What was not flushed."""
    found = []
    memory = scene.made.folder / "memory.bin"
    if not memory.is_file() or memory.read_bytes()[: len(HEAD)] != HEAD:
        found.append("no memory")
    with sqlite3.connect(scene.records / FILE) as base:
        if base.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            found.append("events")
        if open_records := base.execute("SELECT count(*) FROM records WHERE ended_s IS NULL").fetchone()[0]:
            found.append(f"{open_records} records without their length")
    log = scene.made.folder / "alarms.jsonl"
    for line in log.read_bytes().splitlines() if log.is_file() else []:
        try:
            msgspec.json.decode(line)
        except msgspec.DecodeError:
            found.append("a torn line of the event log")
    return found
