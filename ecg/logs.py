"""The programs' log: Python's `logging`, as text or as JSON lines, on standard error or in a file, repeats held back.

What the programs promise to say on standard output and standard error they print themselves. The log comes on top of
that: by default only what is wrong.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from ecg.errors import UserError
from ecg.settings import LogSettings

OURS: Final = ("ecg", "monitor", "producer", "trainer")
MOST_KINDS: Final = 1000
"""Kinds of messages whose repeats are counted; a stranger may make up as many as he likes."""


class Repeats(logging.Filter):
    """Lets a kind of message through once in `seconds`; the next one says how many were held back.

    A kind is a logger, a level and the text before its values are put in.
    """

    def __init__(self, seconds: float, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._now_s = seconds, now_s
        self._kinds: dict[tuple[str, int, str], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Is it to be written?."""
        now_s, kind = self._now_s(), (record.name, record.levelno, str(record.msg))
        known = self._kinds.get(kind)
        if known is not None and now_s - known[0] < self._seconds:
            known[1] += 1
            return False
        if known is not None and known[1]:
            record.repeated = int(known[1])
        self._kinds.pop(kind, None)
        self._kinds[kind] = [now_s, 0]
        if len(self._kinds) > MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        return True


class Text(logging.Formatter):
    """One line: time (UTC), level, logger, sentence."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        """The line, with how many like it were held back."""
        repeated = getattr(record, "repeated", 0)
        return super().formatMessage(record) + (f" ({repeated} more of these held back)" if repeated else "")


class Json(logging.Formatter):
    """One JSON object a line: time, level, logger, text, and where there are such: repeated, error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
        }
        if repeated := getattr(record, "repeated", 0):
            line["repeated"] = repeated
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class Handler(logging.StreamHandler[IO[str]]):
    """Writes lines; one that cannot be written, on a full disk say, is lost.

    where: the file, "" for standard error. aloud: may standard error be told of it? problem: why lines are lost, "" for
    none.
    """

    def __init__(self, stream: IO[str], where: str = "", aloud: bool = False) -> None:
        super().__init__(stream)
        self._where, self._aloud = where, aloud
        self._failing, self.problem = False, ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        self._failing = False
        super().emit(record)
        if not self._failing:
            self.problem = ""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 (logging's own name)
        """Say at once, and once, that the file cannot be written."""
        error = sys.exc_info()[1]
        before, self._failing = self.problem, True
        where = self._where or "on standard error"
        self.problem = f"the log {where} cannot be written: {getattr(error, 'strerror', None) or error}"
        if self._where and self._aloud and not before:
            with suppress(OSError, ValueError):
                print(self.problem, file=sys.stderr, flush=True)


def problem() -> str:
    """Why the log cannot be written, "" where it can."""
    handlers = logging.getLogger().handlers
    return next((one.problem for one in handlers if isinstance(one, Handler) and one.problem), "")


def begin(log: LogSettings, level: str = "", quiet: bool = False) -> None:
    """Log as the settings say. level: goes before theirs, "" for none.

    quiet: standard error belongs to a screen; only a file is written to. Raises UserError where that cannot be opened.
    """
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, Handler | logging.NullHandler)]:
        root.removeHandler(old)
        old.close()
    if log.file:
        path = Path(log.file).expanduser()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream: IO[str] | None = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UserError(f"cannot write the log {path}: {error.strerror}; set file of [log] to another") from None
    else:
        stream = None if quiet else sys.stderr
    where = str(path) if log.file else ""
    handler: logging.Handler = Handler(stream, where, not quiet) if stream else logging.NullHandler()
    handler.setFormatter(Json() if log.format == "json" else Text())
    handler.addFilter(Repeats(log.repeat_seconds))
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel((level or log.level).upper())
    logging.captureWarnings(False)
