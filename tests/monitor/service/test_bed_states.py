"""The state of each bed on the wire: published where it changed, and nowhere else."""

from __future__ import annotations

from ecg.wire.messages import BedState, decode_json
from ecg.wire.topics import Topics
from monitor.service.bed_states import BedStates
from tests.support.shown_ward import WardLink, spoilt


def test_a_bed_is_noisy_on_the_wire_with_the_reason_and_told_only_where_that_changes() -> None:
    link = WardLink(2, 18.0, records=[spoilt(20, 45)], shift=-100.0, leads=2)
    states = BedStates(link.ward, Topics("ecg/v1"), "abc", link.view.book)
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
