"""Commands to running beds: answered, never before their index, and the ledger balances whatever is asked."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

import aiomqtt
import numpy as np
import pytest

from ecg.errors import UserError
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from ecg.settings import MonitorSettings, MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.messages import (
    SCHEMA,
    Ack,
    BedStatus,
    Command,
    MessageError,
    Wave,
    decode_json,
    decode_wave,
    encode_json,
    wave_samples,
)
from ecg.wire.outbox import Outgoing
from monitor.ward.intake import Intake
from monitor.ward.ledger import Ledger
from producer import commanding
from producer.cli import main
from producer.connection import Connection
from producer.control import MOST_WAITING, Control
from producer.faults import FAULTS
from producer.schedule import Lane, Progress, lanes_of, replay
from producer.sources.base import Bed
from producer.sources.records import make_beds
from producer.sources.simulated import make_simulated
from tests.support.beds import small
from tests.support.brokers import Mosquitto, until

COMMANDS = int(os.environ.get("ECG_COMMANDS", "1200"))
"""Random commands to a bed; 10,000 take 10 s."""


def simulated(name: str = "stable-sinus") -> Bed:
    (bed,) = make_simulated(
        f"sim:{name}", beds=0, seed=3, lead="II", rate=None, chunk_seconds=0.25, run="r", loop=False, truth=True
    )
    return bed


def recorded(length: int = 30_000) -> Bed:
    records = [small(length), small(length // 2)]
    (bed, _) = make_beds(records, 0, "all", 0.25, "r", True, True)
    return bed


class Wire:
    """Where a connection would be: what is sent of one bed goes straight into an intake, as a monitor's."""

    def __init__(self, bed: Bed) -> None:
        self.bed, self.ledger = bed, Ledger()
        self.intake = Intake(bed="b", settings=MonitorSettings(), ledger=self.ledger)
        self.lane = Lane(self, bed, 1.0, 0.0, 0.25)  # type: ignore[arg-type]
        self.control = Control(MqttSettings(), Broker("h", 1, "external"), [self.lane], "c")
        self.waves: list[Wave] = []
        self.stream = ""
        self.now_ns = 1

    async def paced(self, bed: Bed, speed: float | str) -> None:
        """The status that says so is nothing to the intake."""

    def command(self, **fields: Any) -> Ack:
        return self.control.command(self.lane, encode_json(Command(v=SCHEMA, **fields)))

    def step(self) -> None:
        """One message."""
        if self.lane.paused:
            return
        wave, _ = self.bed.next(0)
        assert wave is not None
        if self.stream and wave.stream != self.stream:
            self._hear(self.lane.faults.flush())
            self.intake.owner.announced = wave.stream
        self.stream = wave.stream
        self._hear(self.lane.faults.through(wave))

    def _hear(self, payloads: list[bytes]) -> None:
        for payload in payloads:
            self.now_ns += 250_000_000
            try:
                wave = decode_wave(payload)
            except MessageError:
                self.ledger.junk += 1
                continue
            self.waves.append(wave)
            self.intake.offer(wave, self.now_ns)

    def finish(self) -> None:
        """The bed's last word: what it handed out."""
        self._hear(self.lane.faults.flush())
        self.intake.end()
        self.ledger.run("b", self.bed.stream).published = self.bed.published


def random_command(rng: random.Random) -> dict[str, Any]:
    """Anything that a tester may ask for, right or wrong."""
    do = rng.choice(["set"] * 8 + ["script", "pause", "resume", "resume", "freeze", "speed", "jump", "next", *FAULTS])
    fields: dict[str, Any] = {"do": do}
    if do == "set":
        for name, values in (
            ("rhythm", list(RHYTHMS)),
            ("ectopy", [*ECTOPY, "nonsense"]),
            ("rate", [20, 60, 100, 180, 299, 1000]),
            ("artefacts", [{}, {"motion": 1.0}, {"saturation": 2.0}]),
            ("off", [[], ["II"], ["all"], ["V9"]]),
            ("swap", ["", "RA-LA", "LA-LL"]),
            ("st", [0, 0.5]),
            ("potassium", [4, 8.5]),
            ("seconds", [0.01, 1, 30]),
            ("over", [0, 5]),
        ):
            if rng.random() < 0.3:
                fields[name] = rng.choice(values)
    elif do == "script":
        fields["scenario"] = rng.choice(["noise-round", "fever", "no-such"])
    elif do == "jump":
        fields["seconds"] = rng.choice([0, 3.3, 20, 1e4])
    elif do == "speed":
        fields["factor"] = rng.choice([0.1, 1, 7, 60])
    elif do in FAULTS:
        fields["messages"], fields["behind"] = rng.randint(1, 5), rng.randint(1, 6)
    return fields


@pytest.mark.parametrize("kind", [simulated, recorded])
async def test_random_commands_neither_stop_a_bed_nor_break_its_ledger(kind: Any) -> None:
    rng, wire = random.Random(11), Wire(kind())
    for _ in range(COMMANDS):
        answer = wire.command(**random_command(rng))
        assert answer.ok or (answer.said and "\n" not in answer.said)
        if wire.lane.paused and rng.random() < 0.5:
            wire.command(do="resume")
        for _ in range(rng.randint(0, 2)):
            wire.step()
    assert wire.control.taken > 200 and wire.control.refused > 50
    wire.command(do="resume")
    before = wire.bed.published
    for _ in range(20):
        wire.step()
    assert wire.bed.published > before
    wire.finish()
    ledger = wire.ledger
    assert ledger.balances() and ledger.published == wire.bed.published and ledger.lost and ledger.junk
    assert ledger.received + ledger.lost == wire.bed.published


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"v":1}', b'{"v":1,"do":"die"}', b'{"v":1,"do":"set","x":1}'])
def test_what_is_no_command_is_refused_in_one_line(payload: bytes) -> None:
    wire = Wire(simulated())
    answer = wire.control.command(wire.lane, payload)
    assert not answer.ok and answer.said.isprintable() and wire.control.refused == 1


def test_nothing_changes_before_the_index_of_the_answer() -> None:
    rng = random.Random(5)
    for _ in range(40):
        one, other = Wire(simulated("bigeminy-night")), Wire(simulated("bigeminy-night"))
        for _ in range(rng.randint(1, 30)):
            one.step()
            other.step()
        answer = one.command(**{**random_command(rng), "do": "set"})
        for _ in range(12):
            one.step()
            other.step()
        a, b = (np.concatenate([wave_samples(w) for w in wire.waves]) for wire in (one, other))
        index = len(a) if answer.index is None else answer.index
        assert (a[:index] == b[:index]).all()


def test_each_fault_does_what_it_says() -> None:
    def heard(**fields: Any) -> list[int]:
        wire = Wire(recorded())
        for number in range(12):
            if number == 2:
                assert wire.command(**fields).index == 180
            wire.step()
        return [wave.index // 90 for wave in wire.waves]

    assert heard(do="drop", messages=3) == [0, 1, 5, 6, 7, 8, 9, 10, 11]
    assert heard(do="duplicate", messages=2) == [0, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert heard(do="reorder", messages=1) == [0, 1, 3, 2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert heard(do="delay", messages=1, behind=4) == [0, 1, 3, 4, 5, 6, 2, 7, 8, 9, 10, 11]
    assert heard(do="corrupt", messages=2) == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11]


def test_a_frozen_bed_repeats_its_sample_while_time_goes_on() -> None:
    wire = Wire(recorded())
    wire.step()
    wire.command(do="freeze")
    for _ in range(3):
        wire.step()
    wire.command(do="resume")
    wire.step()
    still = np.concatenate([wave_samples(wave) for wave in wire.waves[1:4]])
    assert (still == still[0]).all() and [wave.index for wave in wire.waves] == [0, 90, 180, 270, 360]
    assert wave_samples(wire.waves[4])[0, 0] == 360


def test_a_record_jumps_and_goes_on_with_the_next_as_streams_of_one_run() -> None:
    wire = Wire(recorded())
    wire.step()
    answer = wire.command(do="jump", seconds=50)
    assert (answer.index, answer.stream) == (0, "t1-r-1")
    wire.step()
    assert wire.waves[1].index == 0 and wave_samples(wire.waves[1])[0, 0] == 18_000
    assert wire.command(do="next").stream == "t1-r-2"
    wire.step()
    assert wave_samples(wire.waves[2])[0, 0] == 0
    assert "past the end" in wire.command(do="jump", seconds=1000).said
    assert "is for simulated beds" in wire.command(do="set", artefacts={"muscle": 1.0}).said
    assert "no record 'x'" in wire.command(do="next", record="x").said


async def test_a_paused_bed_waits_and_goes_on_where_it_was(mosquitto: Mosquitto) -> None:
    found = Broker("127.0.0.1", mosquitto.port, "external")
    mqtt = MqttSettings(port=mosquitto.port)
    bed = simulated()
    link = Connection(mqtt, found, [bed], 100.0, "p")
    lanes = lanes_of([link], 100.0, 0.25)
    bed.chunk_seconds = 1.0
    control = Control(mqtt, found, lanes, "c")
    stop = asyncio.Event()
    heard: list[Wave] = []
    await link.open()
    await control.open()
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe([("ecg/v1/+/wave", 1), ("ecg/v1/+/status", 1)])
        running = asyncio.create_task(replay(lanes, 0, stop, Progress()))

        async def listen() -> None:
            async for message in client.messages:
                if message.topic.value.endswith("wave"):
                    heard.append(decode_wave(message.payload))  # noqa: PERF401 - one by one, as they come

        listening = asyncio.create_task(listen())
        await until(lambda: len(heard) > 5)
        answer = await commanding.ask(mqtt, found, bed.name, commanding.command_of(["pause"]))
        assert answer.ok and answer.index is not None
        await until(lambda: bool(lanes[0].paused))
        here = bed.index
        assert (await commanding.ask(mqtt, found, bed.name, commanding.command_of(["vt"], "3s"))).ok
        assert bed.index == here
        await commanding.ask(mqtt, found, bed.name, commanding.command_of(["resume"]))
        await until(lambda: bed.index > here + 1000)
        assert (await commanding.ask(mqtt, found, bed.name, commanding.command_of(["speed", "50"]))).ok
        stop.set()
        await running
        await until(lambda: heard[-1].index + len(heard[-1].samples) // 2 == bed.index)
        listening.cancel()
    await control.close()
    await link.close()
    ends = [wave.index + len(wave.samples) // 2 for wave in heard]
    assert [wave.index for wave in heard[1:]] == ends[:-1]
    (status,) = [decode_json(p, BedStatus) for t, p in (await _standing(found)).items() if t.endswith("sinus/status")]
    assert status.published == bed.published and status.speed == 50


async def test_a_flood_of_commands_to_one_bed_keeps_no_other_waiting_and_has_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beds = [simulated("stable-sinus"), simulated("fever")]
    lanes = [Lane(None, bed, 1.0, 0.0, 0.25) for bed in beds]  # type: ignore[arg-type]
    control = Control(MqttSettings(), Broker("h", 1, "external"), lanes, "c")
    answered: list[tuple[str, Ack]] = []

    def publish(items: list[Outgoing]) -> None:
        answered.extend((one.topic.split("/")[2], decode_json(one.payload, Ack)) for one in items)

    monkeypatch.setattr(control._session, "publish", publish)
    flooded, other = (bed.name for bed in beds)
    pause = encode_json(Command(v=SCHEMA, do="pause"))
    for _ in range(500):
        control._arrived(f"ecg/v1/{flooded}/command", pause, False)
    control._arrived(f"ecg/v1/{other}/command", pause, False)
    refused = 500 - MOST_WAITING
    assert len(answered) == refused == control.refused and "64 commands to bed" in answered[0][1].said
    working = asyncio.create_task(control._work())
    await until(lambda: len(answered) == 501)
    assert other in [bed for bed, _ in answered[refused : refused + 2]] and control.taken == MOST_WAITING + 1

    def breaks(*_: object) -> Ack:
        raise LookupError("what")

    monkeypatch.setattr(control, "command", breaks)
    control._arrived(f"ecg/v1/{other}/command", pause, False)
    await until(lambda: len(answered) == 502)
    assert answered[-1][1].said == "the command failed (LookupError: what)" and not working.done()
    working.cancel()


async def _standing(found: Broker) -> dict[str, bytes]:
    got = {}
    async with aiomqtt.Client(found.host, found.port) as client:
        await client.subscribe([("ecg/v1/#", 1), ("end", 1)])
        await client.publish("end", b"", 1)
        async for message in client.messages:
            if message.topic.value == "end":
                break
            got[message.topic.value] = bytes(message.payload)
    return got


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["vt"], {"do": "set", "rhythm": "vt"}),
        (["sinus", "rate=90", "st=0.2"], {"do": "set", "rhythm": "sinus", "rate": 90.0, "st": 0.2}),
        (["pvcs", "per_minute=12"], {"do": "set", "ectopy": "pvcs", "per_minute": 12.0}),
        (["muscle=2", "wander"], {"do": "set", "artefacts": {"muscle": 2.0, "wander": 1.0}}),
        (["off", "II,V1"], {"do": "set", "off": ["II", "V1"]}),
        (["clean"], {"do": "set", "artefacts": {}, "off": [], "swap": "", "ectopy": "none"}),
        (["speed", "2x"], {"do": "speed", "factor": 2.0}),
        (["jump", "2 min"], {"do": "jump", "seconds": 120.0}),
        (["drop", "5"], {"do": "drop", "messages": 5}),
        (["next"], {"do": "next"}),
        (["script", "fever"], {"do": "script", "scenario": "fever"}),
    ],
)
def test_words_become_a_command(words: list[str], wanted: dict[str, Any]) -> None:
    made = commanding.command_of(words)
    assert {name: getattr(made, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vtt"], "'vtt' means nothing"),
        (["rate=fast"], "rate = 'fast' is no number"),
        (["pause", "5"], "pause takes no value"),
        (["drop", "5", "6"], "takes one value"),
        (["drop", "100000"], "drop cannot be sent"),
        (["muscle=99"], "set cannot be sent"),
    ],
)
def test_words_that_mean_nothing_are_said(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        commanding.command_of(words)


def test_a_bed_that_nobody_sends_is_one_sentence(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding.ask, "__defaults__", (0.2,))
    with pytest.raises(UserError, match="nobody answers for bed 9"):
        main(["send", "9", "vt", "--for", "20s", "--broker", f"127.0.0.1:{mosquitto.port}"])
