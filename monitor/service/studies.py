"""The study that one screen has asked for, if any, with a thread of its own for as long as it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from monitor.link.protocol import Studied
from monitor.link.protocol import Study as Asked
from monitor.service.aside import Aside
from monitor.ward.ward import Ward

if TYPE_CHECKING:
    from monitor.study.study import Study

Job = Callable[[], None]
MOST_STUDIES: Final = 4
"""Studies at a time: each costs a core some share."""
MOST_JOBS: Final = 4096
"""Jobs that may wait; those beyond are dropped, and the study says so."""


class Studies:
    """One screen's study. at_once: jobs are done in the caller's thread, for tests."""

    def __init__(self, ward: Ward, at_once: bool = False) -> None:
        self._ward, self._at_once = ward, at_once
        self._study: Study | None = None
        self._aside: Aside[Job] | None = None
        self._refused: Asked | None = None

    def ask(self, asked: Asked) -> None:
        """Study this from now on, in the place of what was studied before."""
        wanted = bool(asked.beside or asked.inside or asked.forecast)
        if wanted and self._study is not None and self._study.bed == asked.bed:
            self._study.change(asked)
            return
        self.close()
        if not wanted:
            return
        if len(self._ward.watchers) >= MOST_STUDIES:
            self._refused = asked
            return
        from monitor.study.study import Study  # a service that nobody learns from does without scipy

        self._study = Study(self._ward, asked, self._worker())

    def _worker(self) -> Callable[[Iterable[Job]], None]:
        if self._at_once:
            return _now
        self._aside = Aside("study", _now, MOST_JOBS)
        return self._aside.put

    def look(self, bed: str) -> Studied | None:
        """What is new in the study of this bed; None where another one is studied, or none."""
        if self._refused is not None and self._refused.bed == bed:
            why = f"{MOST_STUDIES} screens study beds already, which is as many as may"
            return Studied(number=0, stream="", since=0, why=why)
        study, aside = self._study, self._aside
        if study is None or study.bed != bed:
            return None
        if aside is not None and aside.error is not None:
            study.fail(aside.error)
        elif aside is not None and aside.lost:
            study.said = f"the signal comes quicker than it can be studied: {aside.lost} pieces are left out"
        return study.look()

    def close(self) -> None:
        """Study nothing."""
        self._refused = None
        if self._study is not None:
            self._study.close()
            self._study = None
        if self._aside is not None:
            self._aside.close(0.0)
            self._aside = None


def _now(jobs: Iterable[Job]) -> None:
    for job in jobs:
        job()
