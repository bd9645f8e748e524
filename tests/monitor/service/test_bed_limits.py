"""Limits of one bed: taken from MQTT and screens, refused in one sentence, kept in the memory and on the broker."""

from __future__ import annotations

import pytest

from ecg.wire.limits import BOUNDS, contradiction
from ecg.wire.messages import SCHEMA, Ack, Limits, decode_json, encode_json
from ecg.wire.topics import Topics
from monitor.link.protocol import Adjust
from monitor.service import checkpoint
from monitor.service.alarm_book import AlarmBook
from monitor.service.bed_states import BedStates
from monitor.service.connection import Arrival, Outgoing
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.router import Router
from tests.support.services import service
from tests.support.wards import MINUTE, Run, messages

TOPIC = "ecg/v1/a/limits"
WAVES = messages(MINUTE, list(range(360, 3600, 360)))


class Routed:
    """A ward behind a router, and what was answered."""

    def __init__(self) -> None:
        self.run, self.problems = Run(), Problems()
        self.answers: list[tuple[str, Ack]] = []
        answer = lambda bed, ack: self.answers.append((bed, ack))  # noqa: E731
        self.router = Router(self.run.ward, Topics("ecg/v1"), Lag(10.0), self.problems, answer)

    def tell(self, payload: bytes, retained: bool = False) -> None:
        self.router.take([Arrival(TOPIC, payload, retained, 1)])

    @property
    def tachycardia(self) -> float:
        return self.run.ward.alarms.settings_of(self.run.ward.beds["a"].slot).tachycardia_rate


def test_limits_hold_for_their_bed_alone_also_for_one_that_comes_later_and_an_empty_message_ends_them() -> None:
    routed = Routed()
    routed.tell(b'{"v":1,"tachycardia_rate":130}', retained=True)
    assert routed.answers == []
    ward = routed.run.ward
    for bed in ("a", "b"):
        ward.wave(bed, WAVES[0], 1)
    assert routed.tachycardia == 130
    assert ward.alarms.settings_of(ward.beds["b"].slot) == ward.config.alarms
    routed.tell(b'{"v":1,"bradycardia_rate":40,"frequent_v_per_minute":6}')
    own = ward.alarms.limits_of(ward.beds["a"].slot)
    assert own is not None and own.values() == {"bradycardia_rate": 40, "frequent_v_per_minute": 6}
    assert routed.tachycardia == 120
    told = BedStates(ward, Topics("ecg/v1"), "m", AlarmBook()).of(ward.beds["a"])
    assert (told.own, told.limits["bradycardia_rate"]) == (["bradycardia_rate", "frequent_v_per_minute"], 40)
    routed.tell(b"")
    assert ward.alarms.limits_of(ward.beds["a"].slot) is None
    assert [(ack.ok, ack.do) for _, ack in routed.answers] == [(True, "limits")] * 2


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"nonsense", "not a Limits message"),
        (b'{"v":1,"tachycardia_rate":1000}', "<= 300"),
        (b'{"v":1,"tachycardia_rate":"fast"}', "Expected `float | null`"),
        (b'{"v":1,"vt_rate":100}', "unknown field `vt_rate`"),
        (b'{"v":1,"bradycardia_rate":125}', "bradycardia_rate 125 is not below tachycardia_rate 120"),
        (b'{"v":1,"asystole_seconds":2}', "pause_seconds 2.5 is not below asystole_seconds 2"),
        (b'{"v":2}', "schema version 2 is not 1"),
    ],
)
def test_limits_that_cannot_be_are_answered_in_one_sentence_and_change_nothing(payload: bytes, why: str) -> None:
    routed = Routed()
    routed.tell(b'{"v":1,"tachycardia_rate":130}')
    routed.run.ward.wave("a", WAVES[0], 1)
    routed.tell(payload)
    ((bed, ack),) = routed.answers[1:]
    assert (bed, ack.ok, ack.do) == ("a", False, "limits")
    assert why in ack.said and "\n" not in ack.said
    assert routed.tachycardia == 130
    assert routed.run.ward.ledger.junk == 1
    (problem,) = routed.problems.sentences()
    assert problem.startswith(f"skipped a message on {TOPIC}") and why in problem


def test_the_memory_keeps_them_and_settings_that_contradict_them_go_before() -> None:
    routed = Routed()
    routed.tell(b'{"v":1,"tachycardia_rate":130}')
    for wave in WAVES:
        routed.run.ward.wave("a", wave, 1)
    routed.run.ward.step()
    kept = checkpoint.pack(routed.run.ward)
    other = Run().ward
    assert checkpoint.unpack(other, kept) == 1
    assert other.alarms.settings_of(other.beds["a"].slot).tachycardia_rate == 130
    saved = routed.run.ward.save("a")
    assert saved is not None
    saved.alarms.own = Limits(v=SCHEMA, tachycardia_rate=300)  # not below the settings' extreme tachycardia
    third = Run().ward
    third.restore(saved)
    assert third.alarms.limits_of(third.beds["a"].slot) is None


async def test_a_screen_that_changes_them_publishes_a_retained_message(monkeypatch: pytest.MonkeyPatch) -> None:
    running = service()
    sent: list[Outgoing] = []
    monkeypatch.setattr(running._connection, "publish", sent.extend)
    running.ward.wave("a", WAVES[0], 1)
    limits = Limits(v=SCHEMA, pause_seconds=3.5)
    running.intent(Adjust("a", limits))
    running.intent(Adjust("a", Limits(v=SCHEMA, pause_seconds=5.0)))
    running.intent(Adjust("a"))
    of_limits = [one for one in sent if one.topic == TOPIC]
    assert [(one.payload, one.retain) for one in of_limits] == [(encode_json(limits), True), (b"", True)]
    assert decode_json(of_limits[0].payload, Limits) == limits
    assert running.problems == ["limits of bed a are not used: pause_seconds 5 is not below asystole_seconds 4"]


def test_every_limit_has_bounds_that_the_message_shares() -> None:
    values = {"v": SCHEMA}
    for name, bound in BOUNDS.items():
        for value in (bound.least, bound.most):
            assert decode_json(encode_json(Limits(**values, **{name: value})), Limits).values() == {name: value}  # type: ignore[arg-type]
    assert contradiction(dict.fromkeys(BOUNDS, 0))
