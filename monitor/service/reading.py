"""From the inbox into the ward, by turns: what one step takes, and what waits for the next."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Final

from ecg import clock
from ecg.wire.packets import Arrival
from monitor.service.fresh import messages_of, parts_of
from monitor.service.inbox import Inbox
from monitor.service.overload import Lag
from monitor.service.router import Router
from monitor.ward.ward import Ward

MOST_MESSAGES: Final = 4096
"""Messages taken in one step: more would keep the connection waiting."""
MOST_BYTES: Final = 1 << 20
"""Payload taken in one step, for the same reason: a minute of ECG of a dozen beds."""
AT_A_TIME: Final = 64
"""Messages taken before the clock is looked at: strangers may send such as take milliseconds each."""
TOGETHER: Final = 128
"""The same of those that stay together as they came: what is read of a socket at once holds about so many."""


class Reading:
    """What the service reads of its inbox. waited: called with how long the oldest message of some had waited, s."""

    def __init__(self, inbox: Inbox, ward: Ward, router: Router, lag: Lag, waited: Callable[[float], None]) -> None:
        self._inbox, self._ward, self._router, self._lag, self._waited = inbox, ward, router, lag, waited
        self._caught_up_s = time.monotonic()

    @property
    def busy(self) -> bool:
        """Is there more to do, if nothing comes?."""
        return self._ward.waiting or bool(self._router.held)

    @property
    def behind_s(self) -> float:
        """For how long signal has been waiting unread, s."""
        in_ward_s = time.monotonic() - self._caught_up_s if self._ward.waiting else 0.0
        return max(self._inbox.waited_s, in_ward_s)

    def some(self, seconds: float) -> None:
        """Messages of each bed by turns, for so long and as many as a step takes at most."""
        limit_s, count, size = time.monotonic() + seconds, MOST_MESSAGES, MOST_BYTES
        if fresh := self._inbox.take_fresh(count, size):
            parts = [part for chunk in fresh for part in parts_of(chunk, TOGETHER)]
            for place, part in enumerate(parts, 1):
                self.take(messages_of(part))
                if time.monotonic() > limit_s or self._router.held:
                    self._inbox.put_back(parts[place:])
                    break
            return
        arrivals = self._inbox.take(AT_A_TIME, size)
        self.take(arrivals)
        while arrivals and time.monotonic() < limit_s:
            count -= len(arrivals)
            size -= sum(len(one.payload) for one in arrivals)
            arrivals = self._inbox.take(min(count, AT_A_TIME), size)
            self.take(arrivals)

    def shed(self) -> None:
        """Where signal has waited too long, choose the beds whose unread messages are to be forgone."""
        self._lag.shed(self._inbox, self._ward.waits_for_nobody, time.monotonic())

    def take(self, arrivals: list[Arrival]) -> None:
        """These messages, behind those of beds at which another stream can begin now; what cannot be used is counted.

        Beds at which another stream is about to begin have no turn until the ward has taken all of the present one.
        """
        if not self._ward.waiting:
            self._caught_up_s = time.monotonic()
        inbox, router = self._inbox, self._router
        for bed in router.go_on() if router.held else ():
            inbox.unpark(bed)
        router.take(arrivals)
        for bed in router.held:
            inbox.park(bed)
        if arrivals:
            self._waited((clock.steady_ns() - min(one.received_ns for one in arrivals)) / 1e9)

    def rest(self) -> list[Arrival]:
        """All that has not been read: nobody will."""
        self._inbox.unpark()
        held = [*itertools.chain(*self._router.held.values())]
        self._router.held.clear()
        return [*held, *self._inbox.take(len(self._inbox))]
