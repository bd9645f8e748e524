"""The quick lane changes nothing: the same events, history and counts as where every message goes the long way."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from ecg import clock
from ecg.records.record import MISSING
from ecg.settings import Config
from ecg.wire.lots import Lot, TopicTable
from ecg.wire.messages import SIMULATED, Truth, TruthMark, Wave, encode_json, encode_wave
from ecg.wire.topics import Topics
from monitor.service.connection import Arrival
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.router import Router
from monitor.ward import ledger
from monitor.ward.events import Event
from monitor.ward.ledger import RunCount
from monitor.ward.ward import Ward
from tests.support.wards import CARD, EXCERPT, WEIGHTS, announced, messages, part

pytestmark = pytest.mark.usefixtures("kernels_built")
ROOT = "ecg/v1"
SECOND_NS = 1_000_000_000
SEEDS = 6
LENGTHS = (1, 7, 40, 90, 90, 90, 180, 361, 2100)
ODDITIES = (
    *("again", "lost", "late", "other stream", "begins anew", "cut", "bytes", "long", "huge", "no gain", "order"),
    *("missing", "lead off", "json", "truth", "status", "gone", "saved", "garbage", "read", "forgo", "other gain"),
)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's clock has been set, and goes evenly."""
    monkeypatch.setattr(clock, "stepped_ns", lambda: SECOND_NS)


class Side:
    """A ward with its router; long: every message goes the long way."""

    def __init__(self, long: bool) -> None:
        self.now_s, self.long = 0.0, long
        self.events: list[Event] = []
        self.said: list[Any] = []
        self.quick = 0
        self.open()

    def open(self) -> None:
        self.ward = Ward(Config(), WEIGHTS, CARD.name, "cpu", lambda: 0, lambda: self.now_s, CARD.doubt)
        self.lag = Lag(10.0)
        self.router = Router(self.ward, Topics(ROOT), self.lag, Problems())
        if self.long:
            self.ward.heard = lambda _taken: None

    def step(self) -> None:
        self.events += self.ward.step()
        self.router.go_on()
        self.quick = max(self.quick, len(self.ward.quick.slot_of))

    def saved_and_restored(self) -> None:
        """Another process goes on."""
        self.step()
        kept = [saved for name in self.ward.beds if (saved := self.ward.save(name)) is not None]
        self.open()
        for saved in kept:
            self.ward.restore(saved)

    def read(self) -> list[Any]:
        """What can be asked of the beds at any time."""
        self.ward.save("nobody")  # all that has come is heard
        found: list[Any] = [self.ward.ledger.as_dict(), sorted(self.ward.ledger.runs), self.ward.look()]
        for name, bed in self.ward.beds.items():
            strips = [(at, samples.tobytes()) for at, samples in bed.history.signal.strips(0)]
            intake = bed.intake
            found += [name, bed.next, bed.heard_s, bed.backlog, bed.idle, strips, [*bed.history.made]]
            found += [bed.state(self.now_s, 10.0), bed.shown_rate(self.now_s, 4.0), intake.owner.pause_s]
            found += [msgspec.to_builtins(intake.save()), self.ward.ledger.run(name, bed.stream).received]
        return found

    def result(self) -> list[Any]:
        """Each bed's events in order, and what was asked."""
        by_bed: dict[str, list[Any]] = {}
        for event in self.events:
            by_bed.setdefault(event.bed, []).append(repr(event))
        return [by_bed, self.said]


@dataclass
class Source:
    """A bed's messages in order, and where it is."""

    name: str
    waves: list[Wave]
    at: int = 0

    def next(self) -> Wave | None:
        if self.at >= len(self.waves):
            return None
        self.at += 1
        return self.waves[self.at - 1]


def source(number: int, lengths: list[int], leads: int, units: list[str]) -> Source:
    record = part(EXCERPT, number * 9000, number * 9000 + 9000)
    bounds = np.cumsum([lengths[one % len(lengths)] for one in range(400)]).tolist()
    made = []
    for at, wave in enumerate(messages(record, bounds, f"run-{number}-0"), 1):
        codes = np.frombuffer(wave.samples, "<i2").reshape(-1, len(wave.leads))
        wide = np.stack([codes[:, one % len(wave.leads)] + 3 * one for one in range(leads)], axis=1)
        names = [wave.leads[0], "V1", "PLETH", "ABP", "RESP"][:leads]
        made.append(
            replace(
                wave,
                leads=names,
                gain=[wave.gain[0]] * leads,
                baseline=[wave.baseline[0]] * leads,
                samples=wide.astype("<i2").tobytes(),
                units=units[:leads] if units else [],
                sent_ns=at * SECOND_NS // 4,
                record=f"{SIMULATED}heart" if number == 2 else wave.record,
            )
        )
    return Source(f"bed{number}", made)


def payloads(what: str, wave: Wave, dice: Random) -> list[bytes]:
    """A message with an oddity: what is sent in its place."""
    whole, codes = encode_wave(wave), np.frombuffer(wave.samples, "<i2").reshape(-1, len(wave.leads)).copy()
    if what == "again":
        return [whole, whole]
    if what == "lost":
        return []
    if what == "late":
        return [encode_wave(replace(wave, index=max(wave.index - 5, 0))), whole]
    if what == "other stream":
        return [whole, encode_wave(replace(wave, stream="other-0"))]
    if what == "begins anew":
        return [encode_wave(replace(wave, index=0))]
    if what == "other gain":
        return [encode_wave(replace(wave, gain=[one * 2 for one in wave.gain]))]
    if what == "cut":
        return [whole[: dice.randint(0, len(whole))], whole]
    if what == "bytes":
        at = dice.randrange(len(whole))
        return [whole[:at] + bytes([dice.randrange(256)]) + whole[at + 1 :]]
    if what == "long":
        return [whole + b"\x00", whole]
    if what == "huge":
        name = dice.choice(["seq", "index", "sent_ns"])
        value = dice.choice([(1 << 53) + 1, (1 << 62) + 5, (1 << 63) - 1, (1 << 64) - 1])
        return [encode_wave(replace(wave, **{name: value})), whole]
    if what == "no gain":
        return [encode_wave(replace(wave, gain=[float("nan")] * len(wave.leads))), whole]
    if what == "order":
        return [msgspec.msgpack.encode({name: getattr(wave, name) for name in reversed(wave.__struct_fields__)})]
    if what == "json":
        fields_of = {name: getattr(wave, name) for name in wave.__struct_fields__ if name != "samples"}
        return [msgspec.json.encode({**fields_of, "samples": codes.tolist()})]
    if what == "missing":
        codes[len(codes) // 2 :, 0] = MISSING
    if what == "lead off":
        codes[:, dice.randrange(codes.shape[1])] = 5
    return [encode_wave(replace(wave, samples=codes.astype("<i2").tobytes()))]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_messages_on_the_quick_lane_bring_about_what_they_do_on_the_long_way(seed: int) -> None:
    dice = Random(seed)
    sides, now_ns = [Side(False), Side(True)], 7 * SECOND_NS
    lanes = [(dice.choices(LENGTHS, k=dice.randint(1, 3)), dice.randint(1, 5)) for _ in range(dice.randint(1, 3))]
    beds = [
        source(number, lengths, leads, ["mV", "uV" if number else "mV", "NU", "mmHg", "Ohm"] if leads > 2 else [])
        for number, (lengths, leads) in enumerate(lanes)
    ]
    topics, together = TopicTable(), seed % 2 == 1
    for _ in range(dice.randint(20, 60)):
        lot: list[Arrival] = []
        what, unlucky = dice.choice(ODDITIES), dice.randint(0, 3 * len(beds))
        for turn in range(dice.randint(1, 3) * len(beds)):
            bed = beds[turn % len(beds)]
            wave = bed.next()
            if wave is None:
                continue
            now_ns += 0 if together and lot else SECOND_NS // 4
            topic = f"{ROOT}/{bed.name}/wave"
            odd = turn == unlucky
            sent = payloads(what, wave, dice) if odd else [encode_wave(wave)]
            lot += [Arrival(topic, payload, False, now_ns) for payload in sent]
            if odd and what == "truth":
                truth = Truth(v=1, stream=wave.stream, annotations=[TruthMark(wave.index, "N")])
                lot.append(Arrival(f"{ROOT}/{bed.name}/truth", encode_json(truth), False, now_ns))
            if odd and what == "status":
                lot.append(Arrival(f"{ROOT}/{bed.name}/status", encode_json(announced(wave.stream)), False, now_ns))
            if odd and what == "gone":
                gone = encode_json({"v": 1, "state": "offline", "beds": [one.name for one in beds]})  # type: ignore[arg-type]
                lot.append(Arrival(f"{ROOT}/_producer/p/status", gone, False, now_ns))
            if odd and what == "garbage":
                lot.append(Arrival(topic, dice.randbytes(dice.randrange(30)), False, now_ns))
        if not lot:
            continue
        steps, forgone = dice.random() < 0.6, f"bed{unlucky}" if what == "forgo" else ""
        for side in sides:
            side.now_s = now_ns / 1e9
            if forgone in side.ward.beds and not side.lag.left:
                side.lag.left[forgone], side.lag.behind_s[forgone] = 1, 0.25
            side.router.take(as_lot(lot, topics) if together and not side.long else lot)
            if what == "read":
                side.said.append(side.read())
            if what == "saved" and unlucky < len(beds):
                side.saved_and_restored()
            elif steps:
                side.step()
    for side in sides:
        side.step()
        side.said.append(side.read())
        side.ward.end_all()
        side.step()
        side.said.append(side.read())
    alike(*sides)


def as_lot(arrivals: list[Arrival], topics: TopicTable) -> Lot:
    """The same in the bytes that they came in."""
    rows, data = [], b""
    for one in arrivals:
        if one.topic not in topics.names:
            topics.add(one.topic.encode(), hash(one.topic) & 0xFFFFFFFF)
        rows.append((topics.names.index(one.topic), len(data), len(data) + len(one.payload), one.retained))
        data += one.payload
    return Lot(data, np.array(rows, np.int64).reshape(-1, 4), max(one.received_ns for one in arrivals), topics)


def alike(one: Side, other: Side) -> None:
    """The two sides have said the same."""
    for mine, theirs in zip(one.said, other.said, strict=True):
        assert mine == theirs
    (events, _), (expected, _) = one.result(), other.result()
    assert events.keys() == expected.keys()
    for bed in events:
        assert events[bed] == expected[bed]


def test_all_beds_get_onto_the_lane_however_many_there_are() -> None:
    side, long = Side(False), Side(True)
    for one in (side, long):
        for bed in range(70):
            fed = source(bed % 3, [90], 2, [])
            for number, wave in enumerate(fed.waves[:12]):
                one.router.take([Arrival(f"{ROOT}/b{bed}/wave", encode_wave(wave), False, (number + 1) * SECOND_NS)])
                if number % 3 == 2:
                    one.step()
        one.said.append(one.read())
    assert side.quick == 70 and long.quick == 0
    alike(side, long)


def test_what_comes_while_another_thread_counts_is_counted_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = [encode_wave(wave) for wave in source(0, [90], 2, []).waves[:12]]
    meanwhile: list[bytes] = []

    class Counted(RunCount):
        """Messages come right when somebody has been told of those before."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "received" and meanwhile:
                take(meanwhile.pop(0))

    def take(payload: bytes) -> None:
        side.router.take([Arrival(f"{ROOT}/b0/wave", payload, False, SECOND_NS)])

    monkeypatch.setattr(ledger, "RunCount", Counted)
    side = Side(False)
    for payload in fed[:6]:
        take(payload)
        side.step()
    assert side.quick == 1
    take(fed[6])
    meanwhile += fed[7:9]
    side.ward.ledger.as_dict()
    assert not meanwhile
    for payload in fed[9:]:
        take(payload)
    assert side.ward.ledger.received == 12 * 90
