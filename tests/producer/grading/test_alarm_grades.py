"""Alarms against the rhythms of the truth."""

from __future__ import annotations

import json

import pytest

from ecg.records.ec57 import Score
from ecg.wire.messages import SCHEMA, BedStatus, Truth, TruthMark, encode_json
from producer.grading.alarms import ASKED, AlarmMarks, AlarmStream
from producer.grading.answers import Raised, Reader, UnreadableError
from producer.grading.listening import Listener
from producer.grading.report import requirements, shown, tree

RATE = 100
VT = "ventricular_tachycardia"


def graded(rhythms: list[tuple[float, str]], alarms: list[tuple[str, float, float]]) -> AlarmMarks:
    """Rhythms that begin at these seconds; alarms with onset and the second they were told in."""
    one = AlarmStream(RATE)
    one.true([TruthMark(round(at * RATE), "+", rhythm) for at, rhythm in rhythms])
    for kind, onset, until in alarms:
        one.raised(Raised(kind, round(onset * RATE), round(until * RATE)))
        one.raised(Raised(kind, round(onset * RATE), round(until * RATE) + 500))  # told again
    return one.settle()


@pytest.mark.parametrize(
    ("rhythms", "alarms", "score"),
    [
        ([(0, "(N"), (60, "(VT"), (70, "(N"), (99, "(N")], [(VT, 61, 64)], Score(1, 0, 0)),
        ([(0, "(N"), (60, "(VT"), (70, "(N"), (99, "(N")], [(VT, 79, 79)], Score(1, 0, 0)),
        ([(0, "(N"), (60, "(VT"), (70, "(N"), (99, "(N")], [(VT, 81, 81)], Score(0, 1, 1)),
        ([(0, "(N"), (60, "(VT"), (70, "(N"), (99, "(N")], [], Score(0, 1, 0)),
        ([(0, "(N"), (60, "(VT"), (62, "(N"), (99, "(N")], [], None),  # too short to ask for one
        ([(0, "(N"), (60, "(VT"), (62, "(N"), (99, "(N")], [(VT, 60, 62)], Score(1, 0, 0)),
        ([(0, "(N"), (99, "(N")], [(VT, 20, 20), (VT, 40, 40)], Score(0, 0, 2)),
        ([(0, "(N"), (60, "(VFL"), (70, "(N"), (99, "(N")], [("fibrillation", 62, 66)], None),
    ],
)
def test_an_episode_asks_for_its_alarm_and_an_alarm_for_its_episode(
    rhythms: list[tuple[float, str]], alarms: list[tuple[str, float, float]], score: Score | None
) -> None:
    assert graded(rhythms, alarms).scores.get(VT) == score


def test_a_delay_is_the_signal_until_the_alarm_was_told() -> None:
    made = graded([(0, "(N"), (60, "(VFIB"), (80, "(N"), (99, "(N")], [("fibrillation", 61, 66.5)])
    assert made.scores == {"fibrillation": Score(1, 0, 0)}
    assert made.delays == {"fibrillation": [6.5]}


def test_alarms_are_read_by_paths_and_by_their_names() -> None:
    ours = json.dumps({"stream": "s", "index": 900, "active": [{"kind": VT, "onset": 7}, {"kind": "couplet"}]})
    assert Reader({}, {}, tuple(ASKED)).alarms(ours.encode()) == [Raised(VT, 7, 900, "s")]
    paths = {"ALARMS": "$", "ALARM": "$.what", "ONSET": "$.at", "UNTIL": "$.now"}
    theirs = Reader(paths, {"VTACH": VT}, tuple(ASKED))
    assert theirs.alarms(b'{"what":"VTACH","at":5,"now":8}') == [Raised(VT, 5, 8)]
    for odd in (b'{"what":"VTACH"}', b"3", b"x"):
        with pytest.raises(UnreadableError):
            theirs.alarms(odd)


def test_alarms_are_graded_beside_beats_where_asked_for() -> None:
    for asked, found in (("ecg/v1/+/alarm", 1), ("", 0)):
        one = Listener("ecg/v1", "ecg/v1/+/beat", Reader({}, {}, tuple(ASKED)), 2000, 10, asked)
        status = BedStatus(
            v=SCHEMA, state="online", record="r", source="x", speed=1, rate=RATE, leads=["II"], stream="r-1-0"
        )
        marks = [TruthMark(0, "+", "(VT"), TruthMark(900, "N", "(VT")]
        one.arrived("ecg/v1/b/status", encode_json(status), 0.0)
        one.arrived("ecg/v1/b/truth", encode_json(Truth(SCHEMA, "r-1-0", marks)), 0.0)
        text = json.dumps({"stream": "r-1-0", "index": 400, "active": [{"kind": VT, "onset": 100}]})
        one.arrived("ecg/v1/b/alarm", text.encode(), 1.0)
        one.arrived("ecg/v1/b/alarm", b"", 1.0)  # a retained alarm taken away
        grades = one.end()
        assert grades.alarms.scores.get(VT, Score(0, 0, 0)).found == found
        (wanted,) = requirements([f"{VT}.se=1"])
        assert wanted.met(grades.numbers()) is bool(found)
        said = tree(grades, [])["alarms"]
        assert said == (
            {VT: {"found": 1, "missed": 0, "false": 0, "se": 1, "ppv": 1, "slowest_s": 4.0}} if found else {}
        )
        assert ("1 found" in str(shown(grades, []).caption)) is bool(found)
