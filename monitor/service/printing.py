"""Beats on the standard output: a device that is full loses lines, and ends nothing."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from ecg.wire.messages import Beat

_log = logging.getLogger(__name__)


class Printing:
    """Hands beats to `use`, which may write to the standard output, and sees to it that they get there.

    lost: beats that could not be written. problem: why, "" while they can be. Who reads them has gone: BrokenPipeError
    comes through.
    """

    def __init__(self, use: Callable[[Beat], None]) -> None:
        self._use = use
        self.lost = 0
        self.problem = ""

    def work(self, beats: list[Beat]) -> None:
        """All of these."""
        before = self.lost
        for beat in beats:
            try:
                self._use(beat)
            except BrokenPipeError:
                raise
            except OSError as error:
                self._failed(error, 1)
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._failed(error, 0)
            return
        if self.lost == before:
            self.problem = ""

    def _failed(self, error: OSError, beats: int) -> None:
        self.lost += beats
        if not self.problem:
            _log.warning("beats cannot be printed: %s", error.strerror)
        self.problem = f"beats cannot be printed: {error.strerror}"


def last(line: str) -> str:
    """Print the last line of a run; returns why that could not be done, "" where it could."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        with suppress(OSError, ValueError):  # what is buffered goes nowhere: Python would fail over it at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return f"the ledger cannot be printed: {error.strerror}"
    return ""
