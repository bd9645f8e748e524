"""A program whose terminal is gone ends, though nobody sends it a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")
PROGRAM = "import time; from ecg import programs; programs.end_with_terminal(); print('up', flush=True); time.sleep(60)"


def test_a_program_ends_with_its_terminal() -> None:
    near, far = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=far, stdout=subprocess.PIPE) as child:
        os.close(far)
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
        assert child.poll() is None
        os.close(near)
        assert child.wait(30) == -signal.SIGHUP
