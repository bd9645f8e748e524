"""The state of each bed on the wire: published where it changed, and nowhere else."""

from __future__ import annotations

from ecg.wire.messages import Alarms, BedState, decode_json
from ecg.wire.topics import Topics
from monitor.service.bed_states import BedStates
from tests.support.shown_ward import WardLink, spoilt


def test_a_bed_is_noisy_on_the_wire_with_the_reason_and_told_only_where_that_changes() -> None:
    link = WardLink(2, 18.0, records=[spoilt(20, 45)], shift=-100.0, leads=2)
    states = BedStates(link.ward, Topics("ecg/v1"), "abc", link.view.book, link.clock)
    first = [decode_json(sent.payload, BedState) for sent in states.due()]
    assert [(one.bed, one.signal, one.monitor) for one in first] == [("bed-1", "good", "abc"), ("bed-2", "good", "abc")]
    assert [lead.lead for lead in first[0].leads] == ["MLII", "V1"]
    assert states.due() == []
    link.clock.now = 38.0
    link.snapshot()
    (sent,) = [one for one in states.due() if "/bed-1/" in one.topic]
    assert (sent.topic, sent.retain) == ("ecg/v1/bed-1/state", True)
    told = decode_json(sent.payload, BedState)
    assert told.signal == "noisy"
    assert all("muscle" in lead.why for lead in told.leads)
    assert told.held == link.ward.alarms.held(0)
    assert told.last_hour["medium"] >= 1
    burden = states.burdens()[0]
    assert (burden.bed, burden.held) == ("bed-1", told.held)
    assert burden.last_hour == burden.total == told.last_hour
    assert [alarm.kind for alarm in link.ward.alarms.active(0)][:1] == ["cannot_analyse"]
    assert states.due() == []


def test_of_a_bed_that_is_gone_the_broker_keeps_nothing() -> None:
    link = WardLink(2, 18.0)
    now = link.clock.now
    states = BedStates(link.ward, Topics("ecg/v1"), "abc", link.view.book, lambda: now)
    assert len(states.due()) == 2
    now += link.ward.config.monitor.forget_seconds + 1
    link.ward.beds["bed-1"].heard_s = now
    told = [(sent.topic, sent.payload, sent.retain) for sent in states.due()]
    assert told == [("ecg/v1/bed-2/alarm", b"", True), ("ecg/v1/bed-2/state", b"", True)]
    assert states.due() == []
    link.ward.beds["bed-2"].heard_s = now  # it is back
    alarm, state = states.due()
    assert decode_json(alarm.payload, Alarms).active == list(link.ward.alarms.active(1))
    assert decode_json(state.payload, BedState).bed == "bed-2"
    assert states.due() == []
