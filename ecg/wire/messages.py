"""What goes over MQTT: MessagePack for waves, JSON for everything else, each with a schema version.

Topics stand under a root such as ``ecg/v1``; `Topics` builds and parses them. Every message can be decoded
without any other message. Sample indices count at the record's own rate from the start of its stream.
A *stream* is one unbroken run of sample indices on a bed (one lap of one record): its name changes whenever
index 0 starts anew, and that is what resets the bed's memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

SCHEMA = 1
BED_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """One chunk of signal. samples: int16 little-endian [samples, leads], row by row; gain in ADU/mV."""

    v: int
    stream: str
    record: str
    seq: int
    index: int
    rate: float
    leads: list[str]
    gain: list[float]
    baseline: list[float]
    sent_ns: int
    samples: bytes


class TruthMark(msgspec.Struct, frozen=True):
    """One reference annotation: sample index, MIT-BIH symbol, rhythm in force ("(N", "(AFIB", ..., or "")."""

    index: int
    symbol: str
    rhythm: str = ""


class Truth(msgspec.Struct, frozen=True):
    """Reference annotations whose samples have just been sent."""

    v: int
    stream: str
    annotations: list[TruthMark]


class BedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """State of one bed's producer. published: samples (per lead) sent on this bed so far, all streams
    together; null in a last will, where nobody is left to count.
    """

    v: int
    state: Literal["online", "offline"]
    record: str
    source: str
    speed: float | str
    rate: float
    leads: list[str]
    stream: str
    published: int | None = None


class ProducerStatus(msgspec.Struct, frozen=True):
    """State of one producer connection that carries many beds, on ``<root>/_producer/<id>/status``.

    An MQTT connection has a single last will; where beds share a connection, this one names them all.
    """

    v: int
    state: Literal["online", "offline"]
    beds: list[str]


class Beat(msgspec.Struct, frozen=True, rename={"class_": "class"}, kw_only=True):
    """One classified beat. index: R-peak, samples at the record's rate. rr_ms, heart_rate: null for the first.

    rr_ms: between the places where the energy of the QRS complexes lies, finer than samples; for normal beats mostly
    within 8 ms of what `index` gives, for wide ones up to 40 ms off.
    latency_ms: last needed sample sent -> beat published (the lookahead is not in it, it is lookahead_ms).
    """

    v: int
    bed: str
    stream: str
    index: int
    class_: str
    probabilities: dict[str, float]
    rr_ms: float | None
    heart_rate: float | None
    latency_ms: float
    lookahead_ms: float
    model: str


class ActiveAlarm(msgspec.Struct, frozen=True):
    """One active or latched alarm condition. onset: sample index at which the condition began."""

    kind: str
    priority: Literal["high", "medium", "low"]
    onset: int
    text: str
    acknowledged: bool = False
    latched: bool = False


class Alarms(msgspec.Struct, frozen=True):
    """All alarms of one bed at sample `index`, gravest first; an empty list says that all is well."""

    v: int
    bed: str
    stream: str
    index: int
    active: list[ActiveAlarm]


class MonitorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """State of one monitor. latency in ms, lookahead apart. dropped: messages that could not be used."""

    v: int
    state: Literal["online", "offline"]
    version: str
    device: str
    beds: int
    beats_per_s: float
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    dropped: int


Json = TypeVar("Json", Truth, BedStatus, ProducerStatus, Beat, Alarms, MonitorStatus)

_pack = msgspec.msgpack.Encoder().encode
_unpack_wave = msgspec.msgpack.Decoder(Wave).decode
_encode_json = msgspec.json.Encoder().encode
_json_decoders: dict[type, msgspec.json.Decoder] = {  # type: ignore[type-arg]
    kind: msgspec.json.Decoder(kind) for kind in (Truth, BedStatus, ProducerStatus, Beat, Alarms, MonitorStatus)
}


class MessageError(ValueError):
    """A payload that cannot be used; the text is one sentence that says why."""


def encode_wave(wave: Wave) -> bytes:
    """MessagePack bytes of a wave message."""
    return _pack(wave)


def decode_wave(payload: bytes) -> Wave:
    """The wave message in a payload, checked. Raises MessageError with one sentence."""
    try:
        wave = _unpack_wave(payload)
    except msgspec.MsgspecError as error:
        raise MessageError(f"not a wave message: {error}") from None
    if wave.v != SCHEMA:
        raise MessageError(f"wave schema version {wave.v} is not {SCHEMA}")
    leads = len(wave.leads)
    if leads == 0 or len(wave.gain) != leads or len(wave.baseline) != leads:
        raise MessageError(f"{leads} leads, {len(wave.gain)} gains, {len(wave.baseline)} baselines do not fit")
    if len(wave.samples) % (2 * leads) or not wave.samples:
        raise MessageError(f"{len(wave.samples)} bytes are no whole rows of {leads} int16 samples")
    if not 100 <= wave.rate <= 10_000:
        raise MessageError(f"a rate of {wave.rate} Hz is not between 100 and 10000 Hz")
    if not all(1e-3 <= gain <= 1e6 for gain in wave.gain):
        raise MessageError(f"gains {wave.gain} ADU/mV are not between 0.001 and 1000000")
    if not all(abs(baseline) <= 1e6 for baseline in wave.baseline):
        raise MessageError(f"baselines {wave.baseline} ADU are not within a million of 0")
    if wave.index < 0 or wave.index > 2**53:
        raise MessageError(f"sample index {wave.index} is out of range")
    return wave


def wave_samples(wave: Wave) -> NDArray[np.int16]:
    """Samples of a checked wave message: int16 [samples, leads], ADU (a view of the payload)."""
    return np.frombuffer(wave.samples, dtype="<i2").reshape(-1, len(wave.leads))


def encode_json(message: Truth | BedStatus | ProducerStatus | Beat | Alarms | MonitorStatus) -> bytes:
    """JSON bytes of an event message."""
    return _encode_json(message)


def decode_json(payload: bytes, kind: type[Json]) -> Json:
    """The event message of that kind in a payload. Raises MessageError with one sentence."""
    try:
        message = _json_decoders[kind].decode(payload)
    except msgspec.MsgspecError as error:
        raise MessageError(f"not a {kind.__name__} message: {error}") from None
    if message.v != SCHEMA:
        raise MessageError(f"{kind.__name__} schema version {message.v} is not {SCHEMA}")
    return message  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under one root, for example ``ecg/v1``."""

    root: str

    def of(self, bed: str, kind: Literal["wave", "truth", "status", "beat", "alarm"]) -> str:
        """Topic of one bed's messages of that kind."""
        return f"{self.root}/{bed}/{kind}"

    def every(self, kind: Literal["wave", "truth", "status", "beat", "alarm"]) -> str:
        """Subscription filter for that kind on all beds."""
        return f"{self.root}/+/{kind}"

    def producer(self, name: str) -> str:
        """Status topic of a producer connection that many beds share."""
        return f"{self.root}/_producer/{name}/status"

    def monitor(self, name: str) -> str:
        """Status topic of one monitor."""
        return f"{self.root}/_monitor/{name}/status"

    def parse(self, topic: str) -> tuple[str, str] | None:
        """(bed, kind) of a bed topic; None where the topic is not one or the bed's name is not allowed."""
        if not topic.startswith(self.root + "/"):
            return None
        bed, _, kind = topic[len(self.root) + 1 :].partition("/")
        if "/" in kind or not BED_PATTERN.fullmatch(bed):
            return None
        return bed, kind
