"""A service in a test, without a broker: messages are put into its inbox by hand."""

from __future__ import annotations

import time

from ecg.settings import Config
from ecg.wire.broker import Broker
from ecg.wire.messages import BedStatus, Wave, encode_wave
from monitor.service.connection import Arrival
from monitor.service.loop import Service
from monitor.ward.ward import Ward
from tests.support.wards import CARD, MINUTE, WEIGHTS, messages

QUARTERS = messages(MINUTE, list(range(90, 21_600, 90)))
FINAL = BedStatus(
    v=1,
    state="offline",
    record="r",
    source="wfdb",
    speed=1.0,
    rate=360.0,
    leads=["MLII"],
    stream=QUARTERS[0].stream,
    published=21_600,
)
"""The last word on a minute of a bed."""
JUST_CAME_S = -60.0
"""What messages have waited that are not late however busy the machine is: they come a minute from now."""


def service() -> Service:
    """A service that is not connected: messages are put into its inbox by hand."""
    ward = Ward(Config(), WEIGHTS, CARD.name, "cpu", doubt=CARD.doubt)
    return Service(Config(), Broker("127.0.0.1", 1, "external"), ward)


def put(to: Service, waves: list[Wave], waited_s: float, bed: str = "a") -> None:
    """Wave messages that have waited for so long."""
    received_ns = time.time_ns() - int(waited_s * 1e9)
    to._connection.inbox.put([Arrival(f"ecg/v1/{bed}/wave", encode_wave(wave), False, received_ns) for wave in waves])


def work(on: Service, chunk: int = 50) -> None:
    """All that waits, as `Service.run` takes it."""
    inbox = on._connection.inbox
    while inbox or on.reading.busy:
        on.reading.shed()
        on.take(inbox.take(chunk))
