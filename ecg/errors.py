"""The one exception for what a user can cause, and the sentence for a part that is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

OURS: Final = ("", "ecg", "monitor", "producer", "trainer", "ecg_monitor_simulator")


class UserError(Exception):
    """Something the user gave cannot be used: one sentence that names what was wrong and what to do.

    Programs print the sentence on stderr and exit with its status (2 unless a subclass says otherwise), never a
    traceback.
    """

    status = 2


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Around imports that an optional part of the installation brings.

    extra: its name in pyproject.toml ("records", "train", "web"). what: the subject of the sentence.
    Raises UserError where a package is not there; a package that is there and breaks stays loud.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OURS:
            raise
        raise UserError(f"{what} needs {package}: pip install 'ecg-monitor-simulator[{extra}]'") from None
