"""The project as it is installed: one package that holds ecg, monitor, producer and trainer.

`from ecg_monitor_simulator.ecg.signal.path import SignalPath` is what `from ecg.signal.path import SignalPath` is in a
checkout. In a checkout this folder holds nothing but the commands ecg-monitor, ecg-producer and ecg-trainer: building a
wheel (setup.py) puts the four packages into it and renames their imports.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec


def monitor() -> int:
    """The command ecg-monitor."""
    return _run("monitor")


def producer() -> int:
    """The command ecg-producer."""
    return _run("producer")


def trainer() -> int:
    """The command ecg-trainer."""
    return _run("trainer")


def _run(program: str) -> int:
    """The exit status of a program: of the one in here, or in a checkout of the one beside."""
    inside = f"{__name__}.{program}"
    return int(import_module(f"{inside if find_spec(inside) else program}.__main__").main())
