"""What the service does beside its main loop, every piece in a task that somebody watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from monitor.service.problems import Problems


class Timers:
    """Tasks of one service. None dies unseen.

    on_failure: called with a sentence when a task has ended that the service cannot go on without.
    """

    def __init__(self, problems: Problems, on_failure: Callable[[str], None]) -> None:
        self._problems, self._on_failure = problems, on_failure
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a piece of work that the service cannot go on without."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def every(
        self, seconds: float, name: str, work: Callable[[], Awaitable[None] | None], *, at_once: bool = False
    ) -> None:
        """Run `work` every so many seconds. Where it fails, that is told, and its next turn comes.

        at_once: the first time now.
        """
        self.start(name, self._repeat(seconds, name, work, 0.0 if at_once else seconds))

    async def close(self) -> None:
        """Cancel everything."""
        tasks, self._tasks = list(self._tasks), set()
        for task in tasks:
            task.remove_done_callback(self._done)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(
        self, seconds: float, name: str, work: Callable[[], Awaitable[None] | None], first: float
    ) -> None:
        await asyncio.sleep(first)
        while True:
            try:
                waited = work()
                if waited is not None:
                    await waited
            except Exception as error:
                self._problems.failed(name, error)
            await asyncio.sleep(seconds)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_failure(self._problems.failed(task.get_name(), error))
        elif task.cancelled():
            self._on_failure(f"{task.get_name()} was ended from outside")
