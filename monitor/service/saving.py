"""The memory of all beds in a file, a few beds at a time between messages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from ecg.errors import UserError
from ecg.files import write_atomic
from monitor.service import checkpoint as memory
from monitor.service.problems import Problems
from monitor.ward.ward import Ward

AT_ONCE: Final = 16
"""Beds saved before messages are looked at again: 10 ms or so."""


class Saving:
    """Saves a ward's memory where a file is given; a full disk does not stop a monitor."""

    def __init__(self, ward: Ward, file: Path | None, problems: Problems) -> None:
        self._ward, self._problems = ward, problems
        self.file = file
        self._one_at_a_time = asyncio.Lock()

    async def save(self) -> None:
        """Save the memory of all beds, some at a time, between messages."""
        if self.file is None:
            return
        async with self._one_at_a_time:
            making = memory.packing(self._ward)
            while True:
                try:
                    for _ in range(AT_ONCE):
                        next(making)
                except StopIteration as done:
                    content: bytes = done.value
                    break
                await asyncio.sleep(0)
            try:
                await asyncio.to_thread(write_atomic, {self.file: content})
            except UserError as error:
                self._problems.add(str(error))
