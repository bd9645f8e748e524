"""Messages of a broker heard by the grader, without one; then the whole program at real ones."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import aiomqtt
import pytest

from ecg.errors import UserError
from ecg.records import wfdb
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, BedStatus, Truth, TruthMark, decode, encode_json
from producer.cli import main
from producer.grading.answers import Reader
from producer.grading.listening import Listener, pattern
from producer.grading.report import requirements, shown, tree
from tests.support.annotated_pieces import annotated


def status(stream: str = "r-1-0", rate: float = 250.0) -> bytes:
    return encode_json(
        BedStatus(v=SCHEMA, state="online", record="r", source="x", speed=1, rate=rate, leads=["II"], stream=stream)
    )


def truth(*marks: tuple[int, str], stream: str = "r-1-0") -> bytes:
    return encode_json(Truth(SCHEMA, stream, [TruthMark(*mark) for mark in marks]))


def listener(topic: str = "ecg/v1/+/beat", **paths: str) -> Listener:
    return Listener("ecg/v1", topic, Reader(paths, {}), 2000.0, 10.0)


def test_answers_are_graded_on_the_bed_and_stream_that_is_sent() -> None:
    one = listener("their/+/beats", TIME="$.t", CLASS="$.c")
    one.arrived("ecg/v1/b1/status", status(), 0.0)
    one.arrived("ecg/v1/b1/truth", truth((250, "N"), (500, "V"), (750, "N")), 1.0)
    for seconds, name in ((1.0, "N"), (2.01, "V"), (2.02, "V")):
        one.arrived("their/b1/beats", json.dumps({"t": seconds, "c": name}).encode(), 1.5)
    one.arrived("their/b2/beats", b'{"t":1,"c":"N"}', 1.5)
    one.arrived("their/b1/beats", b"what", 1.5)
    one.arrived("other/b1/beats", b"what", 1.5)
    grades = one.end()
    numbers = grades.numbers()
    assert (numbers["missed"], numbers["false"], numbers["doubled"]) == (1, 1, 1)
    assert (numbers["V.se"], numbers["V.ppv"], numbers["N.se"], numbers["N.ppv"]) == (1.0, 0.5, 0.5, 1.0)
    assert numbers["latency_p50"] == pytest.approx(500)
    assert (grades.strange, grades.unreadable, grades.answers, sorted(grades.beds)) == (1, 1, 3, ["b1"])


def test_each_lap_is_graded_by_itself_and_another_run_is_strange() -> None:
    one = listener()
    one.arrived("ecg/v1/b/status", status("r-1-0"), 0.0)
    one.arrived("ecg/v1/b/truth", truth((100, "N")), 0.0)
    one.arrived("ecg/v1/b/status", status("r-1-1"), 1.0)
    one.arrived("ecg/v1/b/truth", truth((100, "N"), stream="r-1-1"), 1.0)
    for stream in ("r-1-0", "r-1-1", "old-7-0"):
        one.arrived("ecg/v1/b/beat", json.dumps({"stream": stream, "index": 100, "class": "N"}).encode(), 1.0)
    grades = one.end()
    assert (grades.beats().found, grades.beats().missed, grades.strange) == (2, 0, 1)


def test_what_was_required_is_met_or_not() -> None:
    one = listener()
    one.arrived("ecg/v1/b/status", status(), 0.0)
    one.arrived("ecg/v1/b/truth", truth((100, "N"), (400, "V")), 0.0)
    one.arrived("ecg/v1/b/beat", b'{"index":100,"class":"N"}', 1.0)
    numbers = one.end().numbers()
    for text, met in {"N.se=1": True, "V.se=0.1": False, "S.se=0": False, "beats.se=0.5": True,
                      "missed=1": True, "missed=0": False, "latency_p99=999": False}.items():  # fmt: skip
        (wanted,) = requirements([text])
        assert wanted.met(numbers) is met, text
    made = tree(one.grades, requirements(["N.se=1"]))
    assert made["required"] == [{"name": "N.se", "bound": 1.0, "value": 1.0, "met": True}]
    assert made["classes"]["S"] == {"true": 0, "named": 0, "se": None, "ppv": None}
    assert shown(one.grades, requirements(["V.se=0.5"])).row_count == 6


@pytest.mark.parametrize("text", ["V.se", "V.se=x", "X.se=1", "=1", "V.se=nan"])
def test_a_requirement_that_cannot_be_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"--require .* cannot be used: give NAME=NUMBER, where NAME is one of"):
        requirements([text])


@pytest.mark.parametrize(
    ("topic", "name", "bed"),
    [
        ("a/+/c", "a/b/c", "b"),
        ("a/+/+", "a/b/c", "b"),
        ("+/#", "a/b/c", "a"),
        ("a/b", "a/b", None),
        ("a/+", "a/b/c", 0),
    ],
)
def test_the_first_wildcard_is_the_bed(topic: str, name: str, bed: object) -> None:
    found = pattern(topic).fullmatch(name)
    assert (found.groupdict().get("bed") if found else 0) == bed


@pytest.mark.parametrize("topic", ["", "a/#/b", "a+/b", "a/b#"])
def test_what_is_no_filter_is_one_sentence(topic: str) -> None:
    with pytest.raises(UserError, match="is no filter"):
        pattern(topic)


async def consume(found: Broker, beats: int) -> None:
    """A program that finds every beat but each tenth, calls every V an N, and says each seventh twice."""
    seen = 0
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe("ecg/v1/+/truth", 1)
        await client.publish("ready", b"1", 1, retain=True)
        async for message in client.messages:
            bed = message.topic.value.split("/")[2]
            for mark in decode(bytes(message.payload), Truth).annotations:
                seen += 1
                kind = "normal" if mark.symbol in "NV" else mark.symbol
                text = json.dumps({"at": {"sample": mark.index + 3}, "what": {"kind": kind}})
                for _ in range((seen % 10 > 0) * (1 + (seen % 7 == 0))):
                    await client.publish(f"their/{bed}/beats", text, 1)
            if seen == beats:
                return


async def test_another_program_is_graded_beat_by_beat_at_a_real_broker(any_broker: Broker, tmp_path: Path) -> None:
    record = annotated("one", 0.0)
    wfdb.write(record, tmp_path)
    assert record.annotations is not None
    symbols = record.annotations.symbol.tolist()
    where = ["--broker", f"{any_broker.host}:{any_broker.port}"]
    words = [
        "--topic",
        "their/+/beats",
        "--map",
        "INDEX=$.at.sample",
        "--map",
        "CLASS=$.what.kind",
        "--call",
        "normal=N",
    ]
    grade = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "producer", "grade", *words, "--until-idle", "2", "--json", *where],
        *["--require", "N.se=0.5", "--require", "V.se=0.5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert grade.stdout and grade.stderr
    assert await grade.stderr.readline() == b"listening\n"
    consumer = asyncio.create_task(consume(any_broker, len(symbols)))
    async with aiomqtt.Client(any_broker.host, any_broker.port) as client:
        await client.subscribe("ready", 1)
        await anext(aiter(client.messages))
    send = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "producer", "--file", str(tmp_path / "one"), "--speed", "max", "--quiet", *where]
    )
    assert await send.wait() == 0
    await consumer
    out, problems = await grade.communicate()
    said = json.loads(out)
    kept = [symbol for place, symbol in enumerate(symbols, 1) if place % 10]
    twice = sum(place % 7 == 0 for place in range(1, len(symbols) + 1) if place % 10)
    v = symbols.count("V")
    assert (problems, grade.returncode) == (b"", 1)  # no V is called one: not as required
    assert said["beats"]["true"] == len(symbols)
    assert (said["beats"]["found"], said["beats"]["missed"]) == (len(kept), len(symbols) - len(kept))
    assert (said["beats"]["false"], said["beats"]["doubled"]) == (twice, twice)
    assert said["classes"]["V"] == {"true": v, "named": 0, "se": 0.0 if v else None, "ppv": None}
    assert said["classes"]["N"]["se"] == kept.count("N") / symbols.count("N")
    assert [one["met"] for one in said["required"]] == [True, False]
    assert said["latency_ms"]["p50"] > 0 and said["beds"] == ["one"]


def test_a_grade_that_hears_nothing_says_so(any_broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", "--seconds", "0.1", "--broker", f"{any_broker.host}:{any_broker.port}"]) == 4
    assert "no answer came on ecg/v1/+/beat: 0 beds with truth were heard" in capsys.readouterr().err
