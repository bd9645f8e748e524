"""The demonstration's producer, however it ends."""

from __future__ import annotations

import subprocess
import sys

from monitor import demo


def test_a_producer_that_has_gone_before_it_is_told_to_begin_leaves_no_traceback() -> None:
    for told in (b"begin\n", b""):
        process = subprocess.Popen([sys.executable, "-c", "import os; os.close(0)"], stdin=subprocess.PIPE)
        process.wait(20)
        assert process.stdin
        process.stdin.write(told)  # it stands in the buffer, which closing writes
        demo._tell(process)
        demo._end(process)
        assert process.stdin.closed
