"""What the monitor says of itself: its status for screens and on the broker, and what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from ecg import logs
from ecg.wire.messages import MonitorStatus, encode_json
from monitor.link.protocol import ServiceStatus
from monitor.service.connection import Outgoing
from monitor.service.outlets import Outlets
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.reading import Reading
from monitor.service.status import Health, message, misunderstood
from monitor.ward.ward import Ward

BEHIND_SECONDS: Final = 0.1
"""Who is further behind says so, and a producer of fast replay waits then."""


class Sayings:
    """What one monitor says of itself.

    topic: of its status. publish: puts messages on their way.
    """

    def __init__(
        self,
        ward: Ward,
        health: Health,
        lag: Lag,
        problems: Problems,
        reading: Reading,
        outlets: Outlets,
        topic: str,
        publish: Callable[[list[Outgoing]], None],
    ) -> None:
        self._ward, self._health, self._lag, self._problems = ward, health, lag, problems
        self._reading, self._outlets, self._topic, self._publish = reading, outlets, topic, publish
        self._said: MonitorStatus | None = None

    def status(self) -> ServiceStatus:
        """The status line."""
        now = time.monotonic()
        unclear = misunderstood(self._ward.senders.misunderstood(now))
        problems = [self._lag.problem(now), unclear, *self._outlets.troubles(), logs.problem()]
        return self._health.status([*problems, *self._problems.shown()])

    def problems(self) -> list[str]:
        """What went wrong of late, in sentences."""
        return [*self._outlets.problems(), *self._problems.sentences()]

    def report(self, state: Literal["online", "offline"]) -> None:
        """Publish the monitor's own status."""
        self._said = message(state, self.status(), *self._health.burden(), self._reading.behind_s)
        self._publish([Outgoing(self._topic, encode_json(self._said), retain=state == "online")])

    def behind(self) -> list[Outgoing]:
        """Where signal waits, and once more when it does not any more, the last status with that.

        Asked for in the connection's thread: the main loop may be in a long step then.
        """
        said, behind_s = self._said, self._reading.behind_s
        if said is None or said.state != "online" or max(behind_s, said.behind_s) <= BEHIND_SECONDS:
            return []
        self._said = said = msgspec.structs.replace(said, behind_s=round(behind_s, 2))
        return [Outgoing(self._topic, encode_json(said), True)]
