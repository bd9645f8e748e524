"""`producer send`: one command to a running bed, and the answer to it."""

from __future__ import annotations

import argparse
import asyncio
import secrets
from pathlib import Path
from typing import Any, Final

import msgspec

from ecg import programs, settings
from ecg.errors import UserError
from ecg.rhythms.scenario import seconds_of
from ecg.rhythms.simulation.artefacts import KINDS
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from ecg.rhythms.simulation.vitals import BOUNDS
from ecg.settings import MqttSettings
from ecg.wire import broker as brokers
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, Ack, Command, MessageError, decode_json, encode_json
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from ecg.wire.topics import BED_PATTERN, Topics
from producer.faults import FAULTS

ANSWER_SECONDS: Final = 5.0
FIRST: Final = ("pause", "resume", "freeze", "speed", "jump", "next", "script", *FAULTS)
"""Words that stand alone, some with a value after them."""
NUMBERS: Final = (*BOUNDS, "per_minute")


def parser() -> argparse.ArgumentParser:
    """Every option of this command."""
    made = argparse.ArgumentParser(
        prog=f"{programs.shown('producer')} send",
        description="Send one command to a running bed, and print what its producer answers. "
        "Words: a rhythm, extra beats or artefacts (`scenarios rhythms` lists them), rate=120 and other numbers, "
        "clean, off LEAD, on, swap RA-LA; or one of pause, resume, freeze, speed 2, jump 120, next, script NAME, "
        "drop 5, duplicate 5, reorder 5, delay 5, corrupt 5.",
    )
    made.add_argument("bed", help="name of the bed")
    made.add_argument("words", nargs="+", metavar="WORD", help="such as: vt; sinus rate=90; muscle; off II; pause")
    made.add_argument("--for", dest="seconds", metavar="TIME", help='put it back after so long, such as 20s or "2 min"')
    made.add_argument("--over", metavar="TIME", help="let numbers get there little by little")
    made.add_argument("--broker", metavar="HOST:PORT", help="MQTT broker")
    made.add_argument("--root", help="topic root, such as ecg/v1")
    made.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    return made


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status: 0 where it was carried out. Raises UserError."""
    options = parser().parse_args(arguments)
    if not BED_PATTERN.fullmatch(options.bed):
        raise UserError(f"{options.bed!r} is no bed: give 1 to 64 of A-Z, a-z, 0-9, _ and -")
    command = command_of(options.words, options.seconds, options.over)
    mqtt = settings.load(options.config).mqtt
    if options.broker is not None:
        mqtt = settings.with_broker(mqtt, options.broker)
    if options.root is not None:
        mqtt = settings.with_root(mqtt, options.root)
    problem = brokers.probe(mqtt.host, mqtt.port)
    if problem is not None:
        raise UserError(f"no broker answers at {mqtt.host}:{mqtt.port}: {problem}; name it with --broker")
    answer = asyncio.run(ask(mqtt, Broker(mqtt.host, mqtt.port, "external"), options.bed, command))
    if not answer.ok:
        raise UserError(f"{options.bed}: {answer.said}")
    print(f"{options.bed}: {answer.do} from sample {answer.index} of {answer.stream}")
    return 0


def command_of(words: list[str], seconds: str | None = None, over: str | None = None) -> Command:
    """The command that these words mean. Raises UserError at a word that means nothing."""
    fields: dict[str, Any] = {}
    if seconds is not None:
        fields["seconds"] = seconds_of(seconds, "--for")
    if over is not None:
        fields["over"] = seconds_of(over, "--over")
    if words[0] in FIRST:
        return _made({"do": words[0], **fields, **_value(words)})
    artefacts: dict[str, float] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, given, value = word.partition("=")
        if given and name in NUMBERS:
            fields[name] = _number(value, name)
        elif word in RHYTHMS:
            fields["rhythm"] = word
        elif word in ECTOPY and word != "none":
            fields["ectopy"] = word
        elif name in KINDS:
            artefacts[name] = _number(value, name) if given else 1.0
        elif word == "clean":
            fields.update(artefacts={}, off=[], swap="", ectopy="none")
        elif word == "on":
            fields["off"] = []
        elif word in ("off", "swap", "territory") and rest:
            fields[word] = rest.pop(0).split(",") if word == "off" else rest.pop(0)
        else:
            raise UserError(
                f"{word!r} means nothing here: give a rhythm such as vt, an artefact such as muscle, rate=120"
            )
    if artefacts:
        fields["artefacts"] = artefacts
    return _made({"do": "set", **fields})


def _value(words: list[str]) -> dict[str, Any]:
    """The value after one of FIRST."""
    first, value = words[0], words[1] if len(words) > 1 else None
    if len(words) > 2:
        raise UserError(f"{first} takes one value at most, and got {' '.join(words[1:])}")
    if value is None:
        return {}
    if first == "speed":
        return {"factor": _number(value.removesuffix("x"), first)}
    if first == "jump":
        return {"seconds": seconds_of(value, first)}
    if first in FAULTS:
        return {"messages": int(_number(value, first))}
    if first in ("next", "script"):
        return {"record" if first == "next" else "scenario": value}
    raise UserError(f"{first} takes no value, and got {value}")


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{name} = {text!r} is no number") from None


def _made(fields: dict[str, Any]) -> Command:
    """The command of these fields. Raises UserError where one is out of bounds."""
    try:
        return msgspec.convert({"v": SCHEMA, "id": secrets.token_hex(4), **fields}, Command)
    except msgspec.ValidationError as error:
        raise UserError(f"{fields['do']} cannot be sent: {error}") from None


async def ask(mqtt: MqttSettings, broker: Broker, bed: str, command: Command, seconds: float = ANSWER_SECONDS) -> Ack:
    """Send a command and wait for its answer. Raises UserError where none comes."""
    topics = Topics(mqtt.topic_root)
    answered: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()

    def arrived(_topic: str, payload: bytes, _retained: bool) -> None:
        try:
            answer = decode_json(payload, Ack)
        except MessageError:
            return
        if answer.id == command.id and not answered.done():
            answered.set_result(answer)

    name = f"send-{secrets.token_hex(3)}"
    session = Session(mqtt, broker, name, lambda: None, filters=[topics.of(bed, "ack")], arrived=arrived)
    await session.open()
    try:
        session.publish([Outgoing(topics.of(bed, "command"), encode_json(command), False)])
        return await asyncio.wait_for(answered, seconds)
    except TimeoutError:
        raise UserError(f"nobody answers for bed {bed}: is its producer running, with control = true?") from None
    finally:
        await session.close()
