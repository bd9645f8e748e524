"""The programs' log: one line a record, repeats held back, nothing that a full disk could break."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecg import logs
from ecg.errors import UserError
from ecg.settings import LogSettings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging as it was, for other tests."""
    root = logging.getLogger()
    level, levels = root.level, {name: logging.getLogger(name).level for name in logs.OURS}
    yield
    for one in [one for one in root.handlers if isinstance(one, logs.Handler)]:
        root.removeHandler(one)
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_a_line_of_text_says_when_how_grave_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(LogSettings())
    logging.getLogger("monitor.x").warning("bed %s\nis odd", "a")
    logging.getLogger("monitor.x").info("not said")
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING monitor\.x: bed a\nis odd\n", said.err)


def test_a_line_of_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(LogSettings(format="json"), "debug")
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("ecg.y").exception("it %s", "failed\n\x1b[31m")
    logging.getLogger("ecg.y").debug("said")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["text"]) == ("error", "ecg.y", "it failed\n\x1b[31m")
    assert "ValueError: odd" in first["error"]
    assert second["text"] == "said"


def test_repeats_are_held_back_and_counted() -> None:
    now = [0.0]
    held = logs.Repeats(10.0, lambda: now[0])

    def passes(text: str) -> logging.LogRecord | None:
        record = logging.LogRecord("x", logging.WARNING, "", 0, text, (1,), None)
        return record if held.filter(record) else None

    assert [passes("bed %s") is not None for _ in range(5)] == [True, False, False, False, False]
    assert passes("other %s")
    now[0] = 11.0
    again = passes("bed %s")
    assert again is not None and getattr(again, "repeated", 0) == 4
    for number in range(3000):
        passes(f"made up {number} %s")
    assert len(held._kinds) <= logs.MOST_KINDS


def test_a_log_in_a_file_leaves_standard_error_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(LogSettings(file=str(tmp_path / "a" / "log")))
    logging.getLogger("monitor").error("said")
    assert capsys.readouterr().err == ""
    assert "said" in (tmp_path / "a" / "log").read_text()
    with pytest.raises(UserError, match="set file of \\[log\\] to another"):
        logs.begin(LogSettings(file=str(tmp_path)))


def test_a_screen_has_its_terminal_for_itself(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(LogSettings(), quiet=True)
    logging.getLogger("monitor").error("said")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_on_a_full_disk_is_told_at_once_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(LogSettings(file="/dev/full", repeat_seconds=0.1))
    for number in range(3):
        logging.getLogger("monitor.x").warning("said %s", "x" * 10_000 * number)
        logging.getLogger(f"monitor.x{number}").warning("another")
    assert logs.problem() == "the log /dev/full cannot be written: No space left on device"
    assert capsys.readouterr().err == f"{logs.problem()}\n"
