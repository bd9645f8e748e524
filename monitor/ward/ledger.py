"""The sample ledger: every sample that was published is received or known to be lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class RunCount:
    """One replay of one bed. Samples per lead. published: None until its final status has come."""

    published: int | None = None
    received: int = 0
    lost: int = 0

    @property
    def missing(self) -> int:
        """Published samples that are neither received nor known as lost yet."""
        return max(self.published - self.received - self.lost, 0) if self.published is not None else 0


MOST_OF_A_BED = 8
MOST_RUNS = 16_384
FINISHED = ("", "finished")
UNFINISHED = ("", "unfinished")
"""Where runs that are no longer kept one by one are counted together; no bed has that name."""


@dataclass(slots=True)
class Ledger:
    """Counts of the whole monitor. repeated: samples that came again (or too late). junk: unusable messages.

    runs: by bed and run. Anyone can make up names, so only the last few of a bed are kept one by one, and of all beds
    MOST_RUNS; the others are counted together. present: the run that each bed is at, which is always kept. settle:
    called before anybody is told what was received: it may have been counted elsewhere until then.
    """

    repeated: int = 0
    junk: int = 0
    beats: int = 0
    settle: Callable[[], None] = lambda: None
    _runs: dict[tuple[str, str], RunCount] = field(default_factory=dict)
    present: dict[str, tuple[str, str]] = field(default_factory=dict)
    _of_bed: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _asked: dict[str, tuple[str, RunCount]] = field(default_factory=dict)
    """Stream and count that were last asked for, by bed: the same one is asked for with each message."""

    @property
    def runs(self) -> dict[tuple[str, str], RunCount]:
        """What has been counted, by bed and run."""
        self.settle()
        return self._runs

    @staticmethod
    def key(bed: str, stream: str) -> tuple[str, str]:
        """Where in `runs` a stream is counted: its name ends in its lap, which does not matter here."""
        return bed, stream.rpartition("-")[0] or stream

    def run(self, bed: str, stream: str) -> RunCount:
        """The count a stream belongs to."""
        asked = self._asked.get(bed)
        if asked is not None and asked[0] == stream:
            return asked[1]
        key = self.key(bed, stream)
        found = self._runs.get(key)
        if found is None:
            found = self._runs[key] = RunCount()
            self._make_room(key)
        self._asked[bed] = stream, found
        return found

    def begin(self, bed: str, stream: str) -> None:
        """The bed is at this stream now."""
        self.present[bed] = self.key(bed, stream)

    def _make_room(self, new: tuple[str, str]) -> None:
        """Count old runs together where there are too many."""
        own = self._of_bed.setdefault(new[0], [])
        own.append(new)
        if len(own) > MOST_OF_A_BED:
            self._fold(next(key for key in own if key not in (new, self.present.get(new[0]))))
        if len(self._runs) > MOST_RUNS:
            present = {*self.present.values(), new, FINISHED, UNFINISHED}
            oldest = next((key for key in self._runs if key not in present), None)
            if oldest is not None:
                self._fold(oldest)

    def _fold(self, key: tuple[str, str]) -> None:
        run = self._runs.pop(key, None)
        self._asked.pop(key[0], None)
        own = self._of_bed.get(key[0], [])
        if key in own:
            own.remove(key)
        if not own:
            self._of_bed.pop(key[0], None)
        if run is None:
            return
        place = UNFINISHED if run.published is None else FINISHED
        total = self._runs.setdefault(place, RunCount())
        total.received += run.received
        total.lost += run.lost + run.missing
        if run.published is not None:
            total.published = (total.published or 0) + run.published

    def knows(self, bed: str, stream: str) -> bool:
        """Has anything of this stream's run been counted?."""
        return self.key(bed, stream) in self._runs

    @property
    def received(self) -> int:
        """Samples received, each once."""
        return sum(run.received for run in list(self.runs.values()))

    @property
    def lost(self) -> int:
        """Samples known to be lost, those at the end of a stream included once its final status is there."""
        return sum(run.lost + run.missing for run in list(self.runs.values()))

    @property
    def published(self) -> int:
        """Samples published, by the final statuses; of a run without one, what is known of it."""
        return sum(
            run.published if run.published is not None else run.received + run.lost for run in self.runs.values()
        )

    @property
    def unfinished(self) -> int:
        """Runs whose producer has not said how much it published; those counted together are one."""
        return sum(run.published is None for run in self.runs.values())

    def balances(self) -> bool:
        """Is everything published accounted for, once and only once?."""
        return self.published == self.received + self.lost

    def as_dict(self) -> dict[str, int]:
        """What a headless run prints last."""
        return {
            "published": self.published,
            "received": self.received,
            "lost": self.lost,
            "repeated": self.repeated,
            "beats": self.beats,
            "junk": self.junk,
            "unfinished": self.unfinished,
        }
