"""Commands to producers as the monitor hears them: in the event log, on the screen and in the recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecg.wire.commands import Ack, Command, words
from ecg.wire.messages import SCHEMA, encode_json, encode_wave
from ecg.wire.topics import Topics
from monitor.service.commands import MOST
from monitor.service.connection import HEARD, Arrival
from monitor.service.event_log import EventLog
from monitor.service.notices import notices
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.recorder import rows
from monitor.service.recorder.rows import Place
from monitor.service.router import Router
from monitor.ward.events import Steered
from tests.support.services import QUARTERS
from tests.support.wards import Run

VT = Command(v=SCHEMA, do="set", id="t1", rhythm="vt", seconds=20.0)
DONE = Ack(v=SCHEMA, ok=True, do="set", id="t1", stream="s", index=720)


class Heard:
    """A ward with one bed, and what is said of it on the wire."""

    def __init__(self) -> None:
        self.run = Run()
        self.router = Router(self.run.ward, Topics("ecg/v1"), Lag(10.0), Problems())
        self.say("wave", encode_wave(QUARTERS[0]))
        self.run.step()

    def say(self, kind: str, payload: bytes, retained: bool = False, bed: str = "a") -> list[Steered]:
        self.router.take([Arrival(f"ecg/v1/{bed}/{kind}", payload, retained, 1)])
        return [event for event in self.run.step() if isinstance(event, Steered)]


def test_a_command_and_its_answer_are_one_event() -> None:
    heard = Heard()
    assert heard.say("command", encode_json(VT)) == []
    (event,) = heard.say("ack", encode_json(DONE))
    assert event == Steered(bed="a", stream="s", index=720, rate=360.0, what="set", detail="rhythm=vt seconds=20")
    (again,) = heard.say("ack", encode_json(DONE))  # the command was missed: the answer is known all the same
    assert again.detail == ""


@pytest.mark.parametrize(
    ("kind", "payload", "retained", "bed"),
    [
        ("ack", encode_json(Ack(v=SCHEMA, ok=False, do="set", id="t1", said="no")), False, "a"),
        ("ack", encode_json(DONE), True, "a"),
        ("ack", encode_json(DONE), False, "stranger"),
        ("ack", b"{", False, "a"),
        ("command", b"\xff", False, "a"),
    ],
)
def test_what_changed_nothing_is_no_event_and_no_junk(kind: str, payload: bytes, retained: bool, bed: str) -> None:
    heard = Heard()
    assert heard.say(kind, payload, retained, bed) == []
    assert heard.run.ward.ledger.junk == 0 and list(heard.run.ward.beds) == ["a"]


def test_commands_without_an_answer_do_not_pile_up() -> None:
    heard = Heard()
    for number in range(MOST + 5):
        heard.say("command", encode_json(Command(v=SCHEMA, do="pause", id=f"{number}")))
    assert (
        heard.say("ack", encode_json(Ack(v=SCHEMA, ok=True, do="pause", id="0", stream="s", index=1)))[0].detail == ""
    )


def test_it_is_in_the_log_on_the_screen_and_in_the_recording(tmp_path: Path) -> None:
    event = Steered(bed="a", stream="s", index=720, rate=360.0, what="set", detail="rhythm=vt seconds=20")
    log = EventLog(tmp_path / "log", lambda: 0.0)
    log.take([event])
    log.close()
    line = json.loads((tmp_path / "log").read_text())
    assert (line["what"], line["kind"], line["index"], line["at_s"]) == ("command", "set", 720, 2.0)
    assert line["detail"] == "rhythm=vt seconds=20"
    (notice,) = notices(event, 1.0)
    assert (notice.kind, notice.text, notice.index) == ("command", "set rhythm=vt seconds=20", 720)
    (row,) = rows.rows(event, Place(4, 360), 1.0)
    assert row.table == "commands" and row.values == (4, "a", "set", "rhythm=vt seconds=20 @720", 1.0)
    (mark,) = rows.marks(event, Place(4, 360))
    assert mark.sample == 360 and "rhythm=vt" in str(mark)


def test_every_field_is_told_in_words() -> None:
    command = Command(
        v=SCHEMA, do="set", id="x", artefacts={"muscle": 2.0}, off=["II", "V1"], rate=120.0, ectopy="pvcs"
    )
    assert words(command) == "rate=120 ectopy=pvcs artefacts=muscle:2 off=II,V1"
    assert words(Command(v=SCHEMA, do="set", off=[])) == "off=none" and {"command", "ack"} <= set(HEARD)
