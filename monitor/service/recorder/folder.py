"""The folder of a recorder at its start: nobody else's, and what a killed one left behind is finished."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from ecg.errors import UserError
from ecg.records import growing
from ecg.records.marks import Mark, encode
from monitor.service.recorder import pruning
from monitor.service.recorder.database import DAMAGE, FILE, Database, Left
from monitor.service.refused import keep_aside

LOCK: Final = ".recorder"


def claim(folder: Path) -> IO[bytes]:
    """A lock on the folder, held until it is closed; the folder is made. Raises UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("ab")
    except OSError as error:
        raise UserError(f"cannot record in {folder}: {error.strerror}; name another folder with --record") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise UserError(f"another monitor records in {folder}: name another folder with --record") from None
    return lock


def _opened(folder: Path) -> tuple[Database, list[tuple[Left, list[Mark]]]]:
    """The events of the folder, and records that were not finished, with their annotations. Raises DAMAGE."""
    base = Database(folder)
    try:
        left = [(one, base.marks(one)) for one in base.unfinished()]
        for _, marks in left:
            encode(marks, 0)  # they can be annotations
    except BaseException:
        base.close()
        raise
    return base, left


def recover(folder: Path) -> tuple[Database, list[str]]:
    """The events of the folder, and sentences on what was found. Raises UserError where there is no way to go on.

    Records that a killed recorder left behind get their length, and their annotations from the events.
    """
    said: list[str] = []
    try:
        base, left = _opened(folder)
    except DAMAGE as error:
        try:
            aside = keep_aside(folder / FILE)
            for more in ("-wal", "-shm"):
                (folder / f"{FILE}{more}").unlink(missing_ok=True)
            base, left = _opened(folder)
        except DAMAGE as still:
            raise UserError(f"cannot record events in {folder}: {still}; name another folder with --record") from None
        said.append(f"the recorded events in {folder / FILE} cannot be used ({error}): they start anew, {aside}")
    for one, marks in left:
        try:
            samples = growing.finish(folder, one.name, marks)
        except (OSError, ValueError):  # its files are gone, or it was finished, and not noted
            samples = 0
        with suppress(sqlite3.Error):
            base.finish(one.id, time.time(), samples, pruning.size(folder, one.name))
    known = {one.name for one, _ in left}
    for header in folder.glob("*.hea"):  # those that the events know nothing of
        if header.stem not in known:
            with suppress(OSError, ValueError):
                growing.finish(folder, header.stem)
    return base, said
