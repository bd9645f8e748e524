"""The event log: a line of JSON for each change of an alarm, whole whatever the disk does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ecg.errors import UserError
from monitor.alarms import Change
from monitor.service.event_log import EventLog
from monitor.ward.events import AlarmChanged, Event, MemoryReset, ResetReason

RATE = 360.0
CHANGES = (
    Change("onset", "asystole", 5000, 3600),
    Change("end", "asystole", 7200, 3600, 7100),
    Change("silence", "", 7300, 50_500),
)
EVENTS: list[Event] = [
    MemoryReset(bed="bed-1", stream="s1", index=0, reason=ResetReason.NEW_BED),
    AlarmChanged(bed="bed-1", stream="s1", rate=RATE, index=0, active=(), changes=()),
    AlarmChanged(bed="bed-1", stream="s1", rate=RATE, index=7300, active=(), changes=CHANGES),
]


def test_every_change_is_a_line_of_json_and_the_file_is_only_added_to(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "alarms.jsonl"
    for _ in range(2):
        log = EventLog(file, lambda: 1_700_000_000.25)
        log.take(EVENTS)
        log.close()
        assert (log.lost, log.problem) == (0, "")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2 * len(CHANGES)
    asystole = lines[0]
    assert asystole["time"] == "2023-11-14T22:13:20.250+00:00"
    assert (asystole["bed"], asystole["stream"], asystole["what"]) == ("bed-1", "s1", "onset")
    assert (asystole["priority"], asystole["kind"]) == ("high", "asystole")
    assert (asystole["at_s"], asystole["onset_s"]) == (pytest.approx(5000 / RATE, abs=1e-3), 10.0)


def test_a_log_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the event log"):
        EventLog(tmp_path / "file" / "alarms.jsonl")


def test_a_full_disk_does_not_stop_the_monitor_but_is_told() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full to write to")
    log = EventLog("/dev/full")
    log.take(EVENTS)
    log.close()
    assert log.lost == len(CHANGES)
    assert "cannot be written" in log.problem


FILLS_UP = """
import resource, signal, sys
sys.path[:0] = sys.argv[2:]
from test_event_log import EVENTS
from monitor.service.event_log import EventLog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = EventLog(sys.argv[1], lambda: 0.0)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for size in (1500, 2000, hard):  # the disk fills up twice, in the middle of a line, and then has room again
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    for _ in range(5):
        log._write([(EVENTS[-1], 0.0)])
print(log.lost)
log.close()
"""


def test_a_line_torn_by_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    file = tmp_path / "alarms.jsonl"
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[3])]
    ran = subprocess.run(
        [sys.executable, "-c", FILLS_UP, str(file), *folders], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    whole, torn = 0, 0
    for line in file.read_bytes().splitlines():
        try:
            json.loads(line)
            whole += 1
        except json.JSONDecodeError:
            torn += 1
    assert torn in (1, 2)
    assert whole + int(ran.stdout) == 3 * 5 * len(CHANGES)
    assert whole > 5 * len(CHANGES)
