"""What went wrong of late, in sentences, for the status line and for the end of a run."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

KEPT: Final = 5
SHOWN_SECONDS: Final = 60.0
"""So long a failure stands in the status line after it was last met."""

_log = logging.getLogger(__name__)


class Problems:
    """Sentences of the last problems. Messages that could not be used are kept apart: they push nothing else out."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._unusable: deque[str] = deque(maxlen=KEPT)
        self._failures: dict[str, float] = {}

    def unusable(self, topic: str, reason: str) -> None:
        """A message could not be used."""
        _log.info("skipped a message on %s: %s", topic, reason)
        self._unusable.append(f"skipped a message on {topic}: {reason}")

    def add(self, sentence: str) -> None:
        """Something went wrong that the monitor goes on after."""
        if sentence not in self._failures:
            _log.warning("%s", sentence)
        self._keep(sentence)

    def _keep(self, sentence: str) -> None:
        self._failures.pop(sentence, None)
        self._failures[sentence] = self._now_s()
        while len(self._failures) > KEPT:
            del self._failures[next(iter(self._failures))]

    def failed(self, what: str, error: BaseException) -> str:
        """Something failed that should not be able to; its traceback is logged. Returns the sentence."""
        sentence = f"{what} failed ({type(error).__name__}: {error})"
        if sentence not in self._failures:
            _log.error("%s", sentence, exc_info=error)
        self._keep(sentence)
        return sentence

    def sentences(self) -> list[str]:
        """All that is kept, failures first, each kind oldest first."""
        return [*self._failures, *self._unusable]

    def shown(self) -> list[str]:
        """Failures of the last minute."""
        limit = self._now_s() - SHOWN_SECONDS
        return [sentence for sentence, at in self._failures.items() if at >= limit]
