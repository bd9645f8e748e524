"""The three programs as commands and child processes: in a checkout `python -m producer`, installed `ecg-producer`.

Installed, the four packages are parts of the one package `ecg_monitor_simulator`, so that their common names stand in
nobody's way (setup.py puts them there). This module knows which of the two it is in.
"""

from __future__ import annotations

import argparse
import math
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ecg import __version__
from ecg.errors import UserError

HOME: Final = (__package__ or "").removesuffix("ecg").rstrip(".")
"""The package that the programs are parts of; "" in a checkout."""

NOT_CLINICAL: Final = "Research and education only. Never for the care of a patient."


def command(program: str) -> list[str]:
    """The command line that runs "monitor", "producer" or "trainer" in a process of its own.

    Installed, the working folder is no place to import from (-P): what lies there is the user's.
    """
    return [sys.executable, "-P", "-m", f"{HOME}.{program}"] if HOME else [sys.executable, "-m", program]


def shown(program: str) -> str:
    """The program as a person types it."""
    return f"ecg-{program}" if HOME else f"python -m {program}"


def typed(program: str) -> str:
    """The program as a person can type it here, with the interpreter of a checkout's own environment."""
    own = Path(sys.executable)
    if HOME or not own.is_relative_to(Path.cwd()):
        return shown(program)
    return f"{own.relative_to(Path.cwd())} -m {program}"


def add_version(parser: argparse.ArgumentParser) -> None:
    """The option --version."""
    parser.add_argument("--version", action="version", version=f"ecg-monitor-simulator {__version__}")


def run(main: Callable[[], int]) -> int:
    """The exit status of a program: the error's own with one line on stderr after a UserError, 130 when interrupted."""
    try:
        return main()
    except UserError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130


def end_signals() -> tuple[signal.Signals, ...]:
    """Signals that end a program in good order. SIGHUP only where it is not ignored already, as under nohup."""
    hang_up = getattr(signal, "SIGHUP", None)
    heard = hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *((hang_up,) if heard and hang_up is not None else ()))


def end_with_terminal() -> None:
    """Hang up when the terminal is gone. Run by `make`, a program is told of it by nobody: make waits for it to end."""
    if not hasattr(select, "poll") or not sys.stdin.isatty():
        return
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)  # a terminal that is gone is told unasked

    def watch() -> None:
        terminal.poll()
        os.kill(os.getpid(), signal.SIGHUP)

    threading.Thread(target=watch, name="terminal", daemon=True).start()


def add_log_level(parser: argparse.ArgumentParser) -> None:
    """The option --log-level."""
    levels = ("debug", "info", "warning", "error")
    parser.add_argument("--log-level", choices=levels, default="", help="what is said on standard error, and more")


def number(option: str, low: float, high: float) -> Callable[[str], float]:
    """An argparse type for `option`: a number from `low` to `high`, neither NaN nor infinite. Raises UserError."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise UserError(f"{option} {text} cannot be used: give a number from {low:g} to {high:g}")
        return value

    return read


def whole(option: str, low: int, high: int) -> Callable[[str], int]:
    """An argparse type for `option`: a whole number from `low` to `high`. Raises UserError."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise UserError(f"{option} {text} cannot be used: give a whole number from {low} to {high}")
        return value

    return read


def wait_or_kill(process: subprocess.Popen[Any], seconds: float) -> None:
    """Wait until a process that was asked to end has ended; kill it after so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
