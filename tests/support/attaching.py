"""Services and screens as real processes on one broker and in one runtime folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psutil

from monitor.bench.ui import Terminal
from monitor.link import place, transport
from monitor.link.protocol import BedSummary, Snapshot

BED = "208-excerpt"
PATIENCE = 60.0


class Ward:
    """Programs of one broker and one runtime folder."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder
        self.running: list[subprocess.Popen[str]] = []
        self.terminals: list[Terminal] = []
        self.links: list[transport.ScreenLink] = []

    @property
    def place(self) -> place.Place:
        return place.place("127.0.0.1", self.port, "ecg/v1")

    def start(
        self, program: str, *arguments: str, elsewhere: Path | None = None, out: IO[str] | int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """python -m PROGRAM on the broker. elsewhere: another runtime folder, as on another host."""
        made = subprocess.Popen(
            [sys.executable, "-m", *program.split(), *arguments, "--broker", f"127.0.0.1:{self.port}"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_RUNTIME_DIR": str(elsewhere or self.folder)},
        )
        self.running.append(made)
        return made

    def service(self, *arguments: str) -> subprocess.Popen[str]:
        """python -m monitor serve, once it is connected."""
        made = self.start("monitor serve", *arguments)
        self.wait(lambda: place.connect(self.place) is not None or made.poll() is not None)
        until(self.screen(), lambda snapshot: snapshot.status.connected)
        return made

    def screen(self) -> transport.ScreenLink:
        """A screen's link."""
        link = transport.attach(self.place)
        assert link is not None, "there is no service"
        self.links.append(link)
        return link

    def terminal(self, *arguments: str) -> Terminal:
        """python -m monitor on a terminal."""
        command = [sys.executable, "-m", "monitor", "--broker", f"127.0.0.1:{self.port}", *arguments]
        self.terminals.append(Terminal(command, 100, 30))
        return self.terminals[-1]

    def wait(self, ready: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not ready():
            assert time.monotonic() < limit
            time.sleep(0.05)

    def services(self) -> list[psutil.Process]:
        """The services that run on this broker."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if f"127.0.0.1:{self.port}" in command and "serve" in command and process.status() != "zombie":
                found.append(process)
        return found

    def end(self) -> None:
        for link in self.links:
            link.close()
        for terminal in self.terminals:
            if terminal.process.poll() is None:
                terminal.process.send_signal(signal.SIGCONT)
                terminal.process.kill()
                terminal.process.wait()
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for process in self.services():
            process.kill()


def until(link: transport.ScreenLink, ready: Callable[[Snapshot], bool]) -> Snapshot:
    """The first snapshot that is so."""
    limit = time.monotonic() + PATIENCE
    while True:
        found = link.snapshot()
        if found is not None and ready(found):
            return found
        assert time.monotonic() < limit
        time.sleep(0.01)


def bed_of(snapshot: Snapshot) -> BedSummary | None:
    return next((bed for bed in snapshot.beds if bed.bed == BED), None)


def alarmed(snapshot: Snapshot) -> bool:
    bed = bed_of(snapshot)
    return bed is not None and any(not alarm.acknowledged for alarm in bed.alarms)


def acknowledged(snapshot: Snapshot) -> bool:
    bed = bed_of(snapshot)
    return bed is not None and all(alarm.acknowledged for alarm in bed.alarms)  # one that was over already is gone
