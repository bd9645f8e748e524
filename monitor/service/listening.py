"""Where little comes, the main loop reads and writes the connection itself: a thread that wakes costs more than that.

It looks at the socket when its step is due, sends what the step has to say, and waits for the broker's confirmation.
The connection's thread goes on reading where the loop is late, and where much comes.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

from ecg.wire.session import Session

CONFIRM_SECONDS: Final = 0.002
"""So long the loop stands still for a confirmation: a broker of this host takes a tenth of that."""
FEW: Final = 16
"""Messages whose confirmations are stood still for."""
IN_VAIN: Final = 10
"""Times that are not waited for after one in vain."""


class Listening:
    """Reads one session in the thread of another event loop than its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._spared = 0

    @property
    def can(self) -> bool:
        """Does so little come that it can all be read here?."""
        flow = self._session.flow
        return flow is not None and flow.little

    @property
    def near(self) -> bool:
        """Is the broker on this host?."""
        flow = self._session.flow
        return flow is not None and flow.near

    def look(self) -> None:
        """Read what has come."""
        flow = self._session.flow
        if flow is not None:
            flow.look()

    def leave(self) -> None:
        """Have the session read again."""
        flow = self._session.flow
        if flow is not None:
            flow.recall()

    @property
    def in_flight(self) -> int:
        """Messages sent and not confirmed."""
        flow = self._session.flow
        return flow.in_flight if flow is not None else 0

    def confirm(self) -> None:
        """Stand still for the broker's confirmations of what was sent here, if they are few and do not take long."""
        flow = self._session.flow
        if flow is None or not 0 < flow.in_flight <= FEW:
            return
        if self._spared:
            self._spared -= 1
        elif not flow.look_for(CONFIRM_SECONDS):
            self._spared = IN_VAIN

    async def wait(self, seconds: float) -> bool:
        """Wait until something comes, for so long, and read it; False where nothing can be waited for."""
        flow = self._session.flow
        at = flow.waits() if flow is not None else None
        if flow is None or at is None:
            return False
        loop = asyncio.get_running_loop()
        came: asyncio.Future[None] = loop.create_future()
        over = loop.call_later(seconds, _tell, came)
        loop.add_reader(at, _tell, came)
        try:
            await came
        finally:
            over.cancel()
            loop.remove_reader(at)
            os.close(at)
        flow.look()
        return True


def _tell(one: asyncio.Future[None]) -> None:
    if not one.done():
        one.set_result(None)
