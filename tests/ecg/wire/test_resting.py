"""A socket is left alone until somebody needs what it brings, and never for more than the kernel keeps."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

import pytest

from ecg.settings import MqttSettings
from ecg.wire import resting
from ecg.wire.broker import Broker
from ecg.wire.outbox import Outgoing
from ecg.wire.packets import Arrival
from ecg.wire.resting import LEAST_SECONDS, MOST_BYTES, MOST_SECONDS, WINDOW, Rest
from ecg.wire.session import Session
from tests.support.brokers import Mosquitto, until

WILL = Outgoing("r/will", b"", False)


@pytest.mark.parametrize(
    ("bytes_a_second", "until_s", "rest_s"),
    [
        (1000, 0.07, 0.07),
        (1000, LEAST_SECONDS / 2, 0.0),
        (1000, -1.0, 0.0),
        (1000, 5.0, MOST_SECONDS),
        (10 * MOST_BYTES, 5.0, 0.1),
        (1000 * MOST_BYTES, 5.0, 0.0),
    ],
)
def test_a_rest_lasts_until_it_is_over_or_the_kernel_is_full(
    bytes_a_second: int, until_s: float, rest_s: float
) -> None:
    rest, now_s = Rest(lambda: now_s + until_s), 100.0
    found = 0.0
    for _ in range(20):
        now_s += 0.02
        rest.looked(now_s, round(bytes_a_second * 0.02))
        found = rest.left(now_s)
    assert found == pytest.approx(rest_s, rel=0.01)
    assert rest.little == (bytes_a_second * 2 * MOST_SECONDS < MOST_BYTES)
    now_s += MOST_SECONDS  # whatever may be waited for, nobody has looked for so long
    assert rest.left(now_s) == 0


def test_there_is_no_rest_while_a_broker_waits_for_acknowledgements_to_send_more() -> None:
    rest = Rest(lambda: 1e9)
    rest.looked(100.0, 1000, WINDOW - 1)
    assert rest.little and rest.left(100.0) > 0
    rest.looked(101.0, 1000, WINDOW)
    assert not rest.little and rest.left(101.0) == 0
    rest.looked(102.0, 1000)
    assert rest.little and rest.left(102.0) > 0


async def test_what_comes_in_a_rest_is_heard_at_its_end_and_a_confirmation_ends_it(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "MOST_SECONDS", 600.0)
    at, looks, told = Broker("127.0.0.1", mosquitto.port, "external"), list[list[Arrival]](), list[int]()
    over_s = 0.0
    settings = MqttSettings()
    async with AsyncExitStack() as open_:
        sender = Session(settings, at, "sender", lambda: WILL)
        hearer = Session(
            settings,
            at,
            "hearer",
            lambda: WILL,
            filters=("r/x",),
            received=looks.append,
            told=told.extend,
            rests_until=lambda: over_s,
        )
        for one in (sender, hearer):
            await one.open()
            open_.push_async_callback(one.close)

        async def send(*payloads: str) -> None:
            sender.publish([Outgoing("r/x", payload.encode(), False) for payload in payloads])
            await sender.flush()

        over_s = time.monotonic() + 600
        await send("now")
        await until(lambda: len(looks) == 1)
        await send("a", "b")
        await send("c")
        assert len(looks) == 1
        over_s = time.monotonic() + 0.05
        hearer.publish([Outgoing("r/y", b"", False, mark=7)])
        await until(lambda: told == [7] and sum(map(len, looks)) == 4)
        await send("d")
        await until(lambda: sum(map(len, looks)) == 5)
    assert [one.payload for look in looks for one in look] == [b"now", b"a", b"b", b"c", b"d"]
