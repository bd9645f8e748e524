"""What is too old, or too much, goes: whole records, the oldest first, never one that is open."""

from __future__ import annotations

from collections.abc import Set
from contextlib import suppress
from pathlib import Path
from typing import Final

from ecg.records.growing import KINDS
from ecg.settings import RecorderSettings

DAY: Final = 86_400.0
GIB: Final = 1 << 30


def size(folder: Path, name: str) -> int:
    """Bytes of a record's files."""
    total = 0
    for kind in KINDS:
        with suppress(OSError):
            total += (folder / f"{name}.{kind}").stat().st_size
    return total


def prune(folder: Path, open_now: Set[str], settings: RecorderSettings, now_s: float) -> tuple[list[str], bool]:
    """Remove finished records that are too old, and the oldest while all together are too much.

    Returns the names of those that went, and whether what is left is still too much.
    """
    finished: list[tuple[float, str, int]] = []
    total = 0
    with suppress(OSError):
        for file in folder.iterdir():
            with suppress(OSError):
                about = file.stat()
                total += about.st_size
                if file.suffix == ".dat" and file.stem not in open_now:
                    finished.append((about.st_mtime, file.stem, size(folder, file.stem)))
    most, gone = settings.keep_gib * GIB, []
    for ended_s, name, bytes_of in sorted(finished):
        if now_s - ended_s <= settings.keep_days * DAY and total <= most:
            break
        for kind in KINDS:  # without its header a record is none
            with suppress(OSError):
                (folder / f"{name}.{kind}").unlink(missing_ok=True)
        total -= bytes_of
        gone.append(name)
    return gone, total > most
