"""The recorder: takes signal and events as they come, and writes them once a second in a thread of its own.

Whoever hands something over never waits. What the disk is too slow for is dropped and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ecg.settings import RecorderSettings
from monitor.link.protocol import Intent
from monitor.service.recorder import rows
from monitor.service.recorder.writer import Batch, Writer
from monitor.ward.events import Event
from monitor.ward.pieces import Taken

EVERY_SECONDS: Final = 0.9
"""Between two beginnings of writing: with the writing itself, nothing waits for more than a second."""
MOST_BYTES: Final = 256 << 20
"""Signal that waits for the disk."""
MOST_EVENTS: Final = 200_000
PATIENCE_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class Recorder:
    """A sink for events, and for signal as the ward takes it (`heard`).

    Raises UserError where the folder cannot be used. What cannot be recorded is logged once, and stands in `problem`.
    """

    def __init__(
        self,
        settings: RecorderSettings,
        wall_s: Callable[[], float] = time.time,
        every_s: float = EVERY_SECONDS,
    ) -> None:
        self._writer = Writer(settings, _log.warning, wall_s)
        self._wall_s, self._every_s, self._failed = wall_s, every_s, ""
        self._batch, self._bytes, self._dropped = Batch(), 0, 0
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str:
        """What is not recorded, and why; "" where everything is."""
        return self._failed or self._writer.problem

    @property
    def lost(self) -> int:
        """Samples, per lead, and events that are not on the disk and will not be."""
        return self._dropped + self._writer.lost

    def heard(self, taken: Taken) -> None:
        """Signal of a bed."""
        size = sum(len(block.codes) for block in taken.blocks)
        with self._changed:
            if self._ended or self._bytes + size > MOST_BYTES:
                self._dropped += sum(len(block) for block in taken.blocks)
                return
            self._bytes += size
            self._batch.signal.append(taken)

    def take(self, events: Sequence[Event]) -> None:
        """What happened."""
        now_s = self._wall_s()
        with self._changed:
            if self._ended or len(self._batch.events) > MOST_EVENTS:
                self._dropped += len(events)
                return
            self._batch.events.extend((event, now_s) for event in events)

    def command(self, intent: Intent) -> None:
        """What a person wants."""
        row = rows.command(intent, self._wall_s())
        if row is not None:
            with self._changed:
                if len(self._batch.commands) < MOST_EVENTS:
                    self._batch.commands.append(row)

    def close(self, patience_s: float = PATIENCE_SECONDS) -> None:
        """Write what is left and finish every record; after so long that is left to the next recorder."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(patience_s)

    def _run(self) -> None:
        due_s = time.monotonic()
        ended = False
        try:
            while not ended:
                due_s = max(due_s + self._every_s, time.monotonic())
                with self._changed:
                    while not self._ended and (wait := due_s - time.monotonic()) > 0:
                        self._changed.wait(wait)
                    ended = self._ended
                    batch, self._batch, self._bytes = self._batch, Batch(), 0
                self._writer.write(batch)
            self._writer.close()
        except Exception as error:  # whatever it is, the monitor goes on
            self._failed = f"the recorder failed ({type(error).__name__}: {error}): nothing is recorded any more"
            _log.exception("%s", self._failed)
            with self._changed:
                self._ended = True
