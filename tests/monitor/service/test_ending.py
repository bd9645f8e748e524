"""A service that is behind ends soon: what it has read is kept, and the rest is counted as lost."""

from __future__ import annotations

import asyncio
import time

import msgspec
import numpy as np

from ecg.settings import Config
from ecg.wire.broker import Broker
from ecg.wire.messages import encode_json, encode_wave
from monitor.service.connection import Arrival
from monitor.service.ending import STOP_SECONDS, Ending, give_up
from monitor.service.loop import Service
from monitor.ward.events import ResetReason
from monitor.ward.ward import Ward
from tests.support.brokers import Mosquitto
from tests.support.services import FINAL, QUARTERS, put, service
from tests.support.wards import CARD, WEIGHTS


async def test_what_was_not_read_is_lost_and_the_ledger_balances() -> None:
    running = service()
    put(running, QUARTERS, 0.0)
    inbox = running._connection.inbox
    running.take(inbox.take(100))
    while running.ward.waiting:  # one step has only so much time
        running.take([])
    inbox.put([Arrival("ecg/v1/a/wave", b"junk", False, 0)])
    inbox.put([Arrival("ecg/v1/a/status", encode_json(FINAL), False, 0)])
    left = give_up(running.ward, running._connection.topics, inbox.take(len(inbox)), 60.0)
    ledger = running.ward.ledger
    assert (left, ledger.received, ledger.lost, ledger.junk) == (0, 100 * 90, 140 * 90, 1)
    assert ledger.balances()


async def test_signal_that_waits_in_the_ward_is_lost_too_and_its_bed_can_be_saved() -> None:
    running = service()
    long = np.tile(np.frombuffer(b"".join(wave.samples for wave in QUARTERS), "<i2"), 2)
    leads = len(QUARTERS[0].leads)
    ward = running.ward
    ward.wave("a", msgspec.structs.replace(QUARTERS[0], samples=long.tobytes()), 0)
    count = len(long) // leads
    ward.step(0.0)  # one turn of 10 s
    assert ward.waiting
    assert give_up(ward, running._connection.topics, [], 60.0) == 0
    assert (ward.ledger.received, ward.ledger.lost) == (10 * 360, count - 10 * 360)
    ward.step()
    assert ward.save("a") is not None
    ward.wave("a", msgspec.structs.replace(QUARTERS[0], index=count), 0)
    assert ward.beds["a"].gap_at == count
    assert ResetReason.OVERLOAD.lost_signal


async def test_a_bed_whose_first_signal_was_never_read_can_be_ended() -> None:  # found by bench attacks
    running = service()
    ward = running.ward
    ward.wave("a", QUARTERS[0], 0)
    ward.wave("b", QUARTERS[0], 0)
    unread = [Arrival("ecg/v1/b/wave", encode_wave(QUARTERS[1]), False, 0)]
    assert give_up(ward, running._connection.topics, unread, 60.0) == 0
    ward.end_all()
    ward.step()
    assert (ward.ledger.received, ward.ledger.lost) == (0, 3 * 90)


async def test_messages_are_not_looked_at_where_there_is_no_time() -> None:
    running = service()
    put(running, QUARTERS, 0.0)
    inbox = running._connection.inbox
    assert give_up(running.ward, running._connection.topics, inbox.take(len(inbox)), -1.0) == len(QUARTERS)


def test_who_was_told_to_end_has_little_time_for_each_part_of_it() -> None:
    ending = Ending()
    assert ending.left(120.0) == 120.0
    ending.ask()
    assert 0 < ending.left(120.0) <= STOP_SECONDS


async def test_a_busy_service_that_is_told_to_end_does_not_work_through_all_that_waits(mosquitto: Mosquitto) -> None:
    broker = Broker("127.0.0.1", mosquitto.port, "external")
    running = Service(Config(), broker, Ward(Config(), WEIGHTS, CARD.name, "cpu"))
    inbox = running._connection.inbox
    lap = len(QUARTERS) * 90

    def listening() -> None:
        for number in range(60):  # an hour of a bed for each of sixty
            for place, wave in enumerate(QUARTERS):
                later = msgspec.structs.replace(wave, index=wave.index + lap * (number % 4))
                topic = f"ecg/v1/bed{number // 4}-{place % 4}/wave"
                inbox.put([Arrival(topic, encode_wave(later), False, time.time_ns())])
        asyncio.get_running_loop().call_later(0.1, running.halt)

    running.on_listening = listening
    await asyncio.wait_for(running.run(), 60)
    ledger = running.ward.ledger
    assert ledger.lost > 0
    assert not inbox
    assert any("messages were not read before the end" in problem for problem in running.problems)
    assert ledger.balances()
