"""A recorder killed at any moment: what was on the disk before stays, and the next recorder goes on.

ECG_LONG_TESTS=1 kills a hundred times.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import wfdb

from monitor.service.recorder.database import FILE
from monitor.service.recorder.writer import Writer
from tests.support.recording import RATE, record_until_killed, samples, second, settings

BEDS = 3
TIMES = 100 if os.environ.get("ECG_LONG_TESTS") else 5


@pytest.mark.parametrize("seed", range(TIMES))
def test_nothing_older_than_the_last_second_is_lost(tmp_path: Path, seed: int) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.recording"])
    told, written = context.Pipe(duplex=False)
    process = context.Process(target=record_until_killed, args=(str(tmp_path), BEDS, written))
    process.start()
    written.close()
    last = number(told)
    time.sleep(random.Random(seed).uniform(0.0, 0.25))
    process.kill()
    process.join()
    with suppress(EOFError):
        while True:
            last = number(told)
    check(tmp_path, last)
    Writer(settings(tmp_path)).close()
    check(tmp_path, last)
    for name in {file.stem for file in tmp_path.glob("*.hea")}:
        assert wfdb.rdheader(str(tmp_path / name)).sig_len


def number(told: Connection) -> int:
    """The next second that is on the disk."""
    return int.from_bytes(told.recv_bytes(), "little")


def check(folder: Path, last: int) -> None:
    """Every second up to `last` is there, and what is beyond it is whole and true."""
    with sqlite3.connect(folder / FILE) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        ((beats, newest),) = base.execute("SELECT count(*), max(sample) FROM beats").fetchall()
    assert beats % BEDS == 0
    assert newest // RATE in (last, last + 1)
    expected = [
        event.index for number in range(last + 1) for event, _ in second(number, 1).events if hasattr(event, "cls")
    ]
    for bed in range(BEDS):
        (name,) = [file.stem for file in folder.glob(f"bed_{bed}_*.hea")]
        read = wfdb.rdrecord(str(folder / name), physical=False).d_signal
        assert (last + 1) * RATE <= len(read) <= (last + 2) * RATE
        assert np.array_equal(read, samples(bed, 0, len(read)))
        notes = wfdb.rdann(str(folder / name), "atr")
        found = [at - bed for at, symbol in zip(notes.sample, notes.symbol, strict=True) if symbol != '"']
        assert found[: last + 1] == expected
        assert len(found) <= last + 2
