"""Beats on a standard output that is full, or that nobody reads."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from ecg.wire.messages import Beat
from monitor.service.printing import Printing

FULL = Path("/dev/full")
BEAT = Beat(
    v=1,
    bed="a",
    stream="s",
    index=1,
    class_="N",
    probabilities={"N": 1.0},
    rr_ms=None,
    heart_rate=None,
    latency_ms=1.0,
    lookahead_ms=1.0,
    model="m",
)


def test_a_full_device_loses_lines_and_ends_nothing() -> None:
    full = True

    def use(_beat: Beat) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")

    printing = Printing(use)
    beats = [BEAT] * 3
    printing.work(beats)
    assert (printing.lost, printing.problem) == (3, "beats cannot be printed: No space left on device")
    full = False
    printing.work(beats)
    assert (printing.lost, printing.problem) == (3, "")


def test_a_reader_who_has_gone_ends_the_run() -> None:
    def use(_beat: Beat) -> None:
        raise BrokenPipeError(errno.EPIPE, "nobody reads")

    with pytest.raises(BrokenPipeError):
        Printing(use).work([BEAT])


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_the_last_line_on_a_full_device_is_a_sentence_and_no_traceback() -> None:
    code = "import sys; from monitor.service.printing import last; sys.stderr.write(last('ledger')); sys.exit(3)"
    with FULL.open("wb") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "the ledger cannot be printed: No space left on device")
