"""Who works aside of the main loop on what happens: the event log, the recorder, and beats on the standard output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ecg.settings import Config
from ecg.wire.messages import Beat
from monitor.service.aside import Aside
from monitor.service.event_log import EventLog
from monitor.service.printing import Printing
from monitor.service.recorder.recorder import Recorder

MOST_PRINTED: Final = 100_000
"""Beats kept for whoever reads them from this process, where that is slow."""
PRINT_SECONDS: Final = 0.2
"""Beats of so long are printed together."""


class Outlets(NamedTuple):
    """Who works aside, as far as they are wanted: the event log, the recorder, and beats on the standard output."""

    log: EventLog | None
    recorder: Recorder | None
    printing: Printing | None
    printer: Aside[Beat] | None

    @property
    def error(self) -> Exception | None:
        """What ended the printing of beats, for good."""
        return self.printer.error if self.printer else None

    def close(self, patience_s: float) -> None:
        """Let them finish."""
        for aside in (self.log, self.printer, self.recorder):
            if aside:
                aside.close(patience_s)

    def problems(self) -> list[str]:
        """What of theirs was lost and why, in sentences, the last one first."""
        found: list[str] = []
        if self.log and self.log.lost:
            found.insert(0, f"{self.log.lost} changes of alarms are not in the event log. {self.log.problem}".strip())
        if self.recorder and (self.recorder.problem or self.recorder.lost):
            found.insert(0, f"{self.recorder.lost} samples and events not recorded. {self.recorder.problem}".strip())
        if self.printing and self.printing.lost:
            found.insert(0, f"{self.printing.lost} beats were not printed. {self.printing.problem}".strip())
        if self.printer and self.printer.lost:
            found.insert(0, f"{self.printer.lost} beats were not printed: what reads them is too slow")
        return found

    def troubles(self) -> list[str]:
        """What is wrong with them now; "" for nothing."""
        asides = (self.log, self.recorder, self.printing)
        return [aside.problem if aside else "" for aside in asides]


def opened(config: Config, on_beat: Callable[[Beat], None] | None) -> Outlets:
    """Those that the settings ask for. on_beat: as for `Service`."""
    printing = Printing(on_beat) if on_beat else None
    return Outlets(
        EventLog(config.alarms.log) if config.alarms.log else None,
        Recorder(config.recorder) if config.recorder.folder else None,
        printing,
        Aside("beats", printing.work, MOST_PRINTED, PRINT_SECONDS) if printing else None,
    )
