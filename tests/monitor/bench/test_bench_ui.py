"""The screen's benchmark: the pseudo-terminal counts what is drawn, and a look at the real screen gives its figures."""

from __future__ import annotations

import sys
import time

import pytest

from ecg.settings import Config
from monitor.bench import harness, ui
from monitor.bench.report import records
from tests.support.brokers import MOSQUITTO

DRAWS = """
import os, sys, time, tty
tty.setraw(0)
os.write(1, b"\\x1b[?2026$p")
answer = os.read(0, 64)
for _ in range(7):
    os.write(1, b"\\x1b[?2026h" + b"x" * 50 + b"\\x1b[?2026l" if answer == b"\\x1b[?2026;2$y" else b"no")
    time.sleep(0.01)
while os.read(0, 1) != b"q":
    pass
"""


def test_a_terminal_answers_and_counts_frames_and_bytes() -> None:
    terminal = ui.Terminal([sys.executable, "-c", DRAWS], 80, 24)
    limit = time.monotonic() + 20
    while terminal.frames < 7 and time.monotonic() < limit:
        time.sleep(0.02)
    terminal.end()
    assert terminal.frames == 7
    assert terminal.bytes >= 7 * 66
    assert terminal.process.returncode == 0


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt-get install mosquitto)")
def test_a_look_at_the_real_screen_gives_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui, "WARM_UP_SECONDS", 2.0)
    with harness.programs() as made:
        port = harness.start_broker(made)
        harness.start_producer(made, port, 3, records("excerpt"))
        seen = ui.watched(made, port, Config(), ui.Look("bedside", 100, 30), 3, 3.0)
    assert seen["view"] == "bedside" and seen["terminal"] == "100x30"
    assert seen["frames_per_s"] > 0 and seen["kib_per_s"] > 0 and seen["screen_cpu"] > 0
    assert seen["overhead_ms"]["p50"] <= seen["overhead_ms"]["p99"]
