"""Everything that reads what strangers send or leave behind, as functions of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ecg.errors import UserError
from ecg.wire import messages
from ecg.wire.commands import Command
from ecg.wire.messages import SCHEMA, MessageError
from monitor.bench import file_decoders as files
from monitor.bench.file_decoders import Decoder


def wave() -> Decoder:
    """Wave messages, MessagePack and JSON."""
    right = messages.Wave(
        v=SCHEMA,
        stream="s-1-0",
        record="s",
        seq=1,
        index=360,
        rate=360.0,
        leads=["MLII", "ABP"],
        gain=[200.0, 10.0],
        baseline=[0.0, 0.0],
        sent_ns=1,
        samples=bytes(40),
        units=["mV", "mmHg"],
    )
    json = b'{"stream":"s-1-0","index":0,"rate":250,"leads":["II"],"samples":[0.1,null,0.2]}'
    return Decoder(messages.decode_wave, (MessageError,), [messages.encode_wave(right), json])


def _json(kind: Any, *seeds: bytes) -> Callable[[], Decoder]:
    return lambda: Decoder(lambda data: messages.decode_json(data, kind), (MessageError,), list(seeds))


def asked() -> Decoder:
    """Commands, their answers, and limits of a bed, by the first byte."""
    kinds = (Command, messages.Ack, messages.Limits)
    seeds = (
        b'{"v":1,"do":"set","id":"a","rhythm":"vt","seconds":20,"artefacts":{"hum":1},"off":["II"]}',
        b'{"v":1,"ok":true,"do":"set","id":"a","stream":"s","index":360}',
        b'{"v":1,"asystole_seconds":4,"tachycardia_rate":120}',
    )

    def read(data: bytes) -> object:
        return messages.decode_json(data[1:], kinds[data[0] % len(kinds) if data else 0])

    return Decoder(read, (MessageError,), [bytes([place]) + seed for place, seed in enumerate(seeds)])


def link() -> Decoder:
    """What a screen asks a service for, and what a service tells a screen."""
    from monitor.link import frames
    from monitor.link.protocol import Acknowledge, Hello, Show

    def read(data: bytes) -> object:
        return frames.intent(data[1:]) if data[:1] == b"i" else frames.told(data[1:])

    seeds: list[Any] = [Acknowledge("b", "pause"), Show(["b"]), Hello(1, "1", 2)]
    heads = (b"i", b"i", b"t")
    return Decoder(
        read, (frames.FrameError,), [head + frames.frame(one)[4:] for head, one in zip(heads, seeds, strict=True)]
    )


def memory() -> Decoder:
    """Saved memory whose checksum is right: whatever stands in it."""
    from ecg.model import weights
    from ecg.model.device import limit_threads
    from ecg.settings import Config
    from monitor.service import checkpoint
    from monitor.ward.play import play, waves
    from monitor.ward.ward import Ward

    limit_threads(1)
    fitted, model = weights.load("memory-gru")

    def empty() -> Ward:
        return Ward(Config(), fitted, model.name, "cpu")

    from ecg.records import library

    known, into = empty(), empty()
    for _events in play(known, {"a": list(waves(library.read("excerpt"), 10.0))[:2]}):
        pass
    content = checkpoint.pack(known)
    start = len(content) - len(content[len(checkpoint.HEAD) + 32 :])

    def read(data: bytes) -> object:
        try:
            return checkpoint.unpack(into, checkpoint.seal(data))
        finally:
            if into.beds or into.ledger.runs:
                into.clear()

    return Decoder(read, (UserError,), [content[start:]])


def router() -> Decoder:
    """Messages on topics of a bed, through router and ward: nothing may be raised at all."""
    from ecg.model import weights
    from ecg.model.device import limit_threads
    from ecg.settings import Config
    from ecg.wire.topics import Topics
    from monitor.service.connection import Arrival
    from monitor.service.overload import Lag
    from monitor.service.problems import Problems
    from monitor.service.router import Router
    from monitor.ward.ward import Ward

    limit_threads(1)
    fitted, model = weights.load("memory-gru")
    ward = Ward(Config(), fitted, model.name, "cpu")
    routing = Router(ward, Topics("ecg/v1"), Lag(10.0), Problems())
    kinds = ("wave", "status", "truth", "beat", "x/y")
    turns = 0

    def read(data: bytes) -> None:
        nonlocal turns
        turns += 1
        topic = f"ecg/v1/b{data[0] % 3 if data else 0}/{kinds[data[0] % 5 if data else 0]}"
        routing.go_on()
        routing.take([Arrival(topic, data[1:], False, turns * 10**7)])
        ward.step(0.5)
        if turns % 10_000 == 0:
            ward.clear()

    right = wave().seeds
    status = (
        b'{"v":1,"state":"online","record":"r","source":"s","speed":1.0,"rate":360.0,"leads":["II"],"stream":"s-1-0"}'
    )
    return Decoder(read, (), [b"\0" + right[0], b"\0" + right[1], b"\1" + status])


STATUS: Final = (
    b'{"v":1,"state":"offline","record":"r","source":"s","speed":"max","rate":360,"leads":["a"],"stream":"s",'
    b'"published":9}'
)
DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "wave": wave,
    "truth": _json(messages.Truth, b'{"v":1,"stream":"s","annotations":[{"index":1,"symbol":"N","rhythm":"(N"}]}'),
    "status": _json(messages.BedStatus, STATUS),
    "producer": _json(messages.ProducerStatus, b'{"v":1,"state":"online","beds":["a","b"]}'),
    "alarms": _json(messages.Alarms, b'{"v":1,"bed":"b","stream":"s","index":1,"active":[]}'),
    "commands": asked,
    "link": link,
    "settings": files.settings,
    "card": files.card,
    "memory": memory,
    "table": files.table,
    "edf": files.edf,
    "xdf": files.xdf,
    "header": files.header,
    "annotations": files.marks,
    "router": router,
}
