"""What goes over MQTT: MessagePack or JSON for waves, JSON for everything else, each with a schema version.

Every message can be decoded without any other message. Sample indices count at the record's own rate from the start of
its stream. A *stream* is one unbroken run of sample indices on a bed (one lap of one record): its name changes whenever
index 0 starts anew, and that is what resets the bed's memory.

Anyone may publish anything. The bounds of the fields hold for decoding alone: `decode` raises MessageError and nothing
else, whatever the bytes, and what it returns is finite, within 64 bits and of bounded length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
from msgspec import Meta, structs
from numpy.typing import NDArray

from ecg.records.leads import MILLIVOLT, millivolts_per
from ecg.records.scaling import LEAST_GAIN, MOST_GAIN
from ecg.wire.bounds import LARGEST as LARGEST
from ecg.wire.bounds import MOST_ITEMS as MOST_ITEMS
from ecg.wire.bounds import MOST_JSON_BYTES as MOST_JSON_BYTES
from ecg.wire.bounds import MOST_LEADS as MOST_LEADS
from ecg.wire.bounds import MOST_WAVE_BYTES as MOST_WAVE_BYTES
from ecg.wire.bounds import SCHEMA as SCHEMA
from ecg.wire.bounds import (
    Baselines,
    BedName,
    Count,
    Gains,
    Leads,
    Milliseconds,
    Name,
    Nanoseconds,
    Positive,
    Rate,
    Share,
    Units,
    Version,
    Word,
)
from ecg.wire.commands import Ack as Ack
from ecg.wire.commands import Command as Command
from ecg.wire.json_wave import WaveJson
from ecg.wire.limits import Limits as Limits
from ecg.wire.topics import readable

SIMULATED: Final = "SIMULATED "
"""What the record's name of a simulated patient begins with, in every wave and status."""
SIMULATED_SOURCE: Final = "simulated"
"""The source that such a bed's status names."""


class Wave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One chunk of signal. samples: int16 little-endian [samples, leads], row by row; gain in ADU/mV.

    units: what gain counts ADU of, one for each lead ("mV", "mmHg", "NU", ...); [] where all are mV. A decoded wave
    has no other unit of voltage than mV: its gain is converted.
    A wave has these fields and no others: a value of no known type could be nested without end, and is never read.
    """

    v: Version
    stream: Name
    record: Name
    seq: Count
    index: Count
    rate: Rate
    leads: Leads
    gain: Gains
    baseline: Baselines
    sent_ns: Nanoseconds
    samples: bytes
    units: Units = []


class TruthMark(msgspec.Struct, frozen=True):
    """One reference annotation: sample index, MIT-BIH symbol, rhythm in force ("(N", "(AFIB", ..., or "").

    note: in words; of "~" (the signal's quality changes) the artefacts from here on, "clean" for none.
    """

    index: Count
    symbol: Word
    rhythm: Word = ""
    note: Name = ""


class Truth(msgspec.Struct, frozen=True):
    """Reference annotations whose samples have just been sent."""

    v: Version
    stream: Name
    annotations: Annotated[list[TruthMark], Meta(max_length=MOST_ITEMS)]


class BedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """State of one bed's producer. published: samples (per lead) sent on this bed so far, all streams
    together; null in a last will, where nobody is left to count.
    """

    v: Version
    state: Literal["online", "offline"]
    record: Name
    source: Name
    speed: Positive | Word
    rate: Rate
    leads: Leads
    stream: Name
    published: Count | None = None


class ProducerStatus(msgspec.Struct, frozen=True):
    """State of one producer connection that carries many beds, on ``<root>/_producer/<id>/status``.

    An MQTT connection has a single last will; where beds share a connection, this one names them all. It is retained
    while the connection stands, and after one that broke; not after an orderly end.
    """

    v: Version
    state: Literal["online", "offline"]
    beds: Annotated[list[BedName], Meta(max_length=MOST_ITEMS)]


class Beat(msgspec.Struct, frozen=True, rename={"class_": "class"}, kw_only=True):
    """One classified beat. index: R-peak, samples at the record's rate. rr_ms, heart_rate: null for the first.

    rr_ms: between the places where the energy of the QRS complexes lies, finer than samples; for normal beats mostly
    within 8 ms of what `index` gives, for wide ones up to 40 ms off.
    latency_ms: last needed sample sent -> beat published (the lookahead is not in it, it is lookahead_ms).
    monitor: id of the monitor that says so, "" where it does not say. unsure: the letter is not to be relied on.
    """

    v: Version
    bed: BedName
    stream: Name
    index: Count
    class_: Word
    probabilities: Annotated[dict[Word, Share], Meta(max_length=MOST_LEADS)]
    rr_ms: Positive | None
    heart_rate: Positive | None
    latency_ms: Milliseconds
    lookahead_ms: Positive
    model: Name
    monitor: Word = ""
    unsure: bool = False


class ActiveAlarm(msgspec.Struct, frozen=True):
    """One active or latched alarm condition. onset: sample index at which the condition began."""

    kind: Word
    priority: Literal["high", "medium", "low"]
    onset: Count
    text: Name
    acknowledged: bool = False
    latched: bool = False


class Alarms(msgspec.Struct, frozen=True):
    """All alarms of one bed at sample `index`, gravest first; an empty list says that all is well.

    monitor: id of the monitor that says so, "" where it does not say.
    """

    v: Version
    bed: BedName
    stream: Name
    index: Count
    active: Annotated[list[ActiveAlarm], Meta(max_length=MOST_ITEMS)]
    monitor: Word = ""


Counts = Annotated[dict[Word, Count], Meta(max_length=MOST_LEADS)]
"""Counts by name."""


class LeadState(msgspec.Struct, frozen=True):
    """Whether one lead can be analysed. why: of "noisy", names of `ecg.signal.quality.Fault` with blanks between."""

    lead: Word
    signal: Literal["good", "noisy", "off"]
    why: Word = ""


class BedState(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor makes of one bed's signal, up to sample `index`.

    signal: of the best of its leads; while that is not "good" its heart rate is unsure. held: alarms held back since
    the stream began because nothing could be analysed. limits: those in force, by name. own: of these the ones that
    the bed has in the place of the settings'. last_hour: alarms raised in its last hour of signal, by priority.
    monitor: id of the monitor that says so.
    """

    v: Version
    bed: BedName
    stream: Name
    index: Count
    signal: Literal["good", "noisy", "off"]
    leads: Annotated[list[LeadState], Meta(max_length=MOST_LEADS)]
    held: Count
    limits: Annotated[dict[Word, Positive], Meta(max_length=MOST_LEADS)] = {}
    own: Annotated[list[Word], Meta(max_length=MOST_LEADS)] = []
    last_hour: Counts = {}
    monitor: Word = ""


class MonitorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """State of one monitor. latency in ms, lookahead apart. dropped: messages that could not be used. last_hour:
    alarms of all beds in their last hour of signal, by priority. held: alarms held back in their streams. behind_s:
    for how long signal has been waiting unread.

    "online" is retained for as long as the monitor is there; "offline" is not, and a monitor that has ended leaves
    nothing behind on its topic.
    """

    v: Version
    state: Literal["online", "offline"]
    version: Word
    device: Word
    beds: Count
    beats_per_s: Positive
    latency_p50_ms: Milliseconds | None
    latency_p99_ms: Milliseconds | None
    dropped: Count
    last_hour: Counts = {}
    held: Count = 0
    behind_s: Positive = 0.0


Message = Wave | Truth | BedStatus | ProducerStatus | Beat | Alarms | BedState | MonitorStatus | Limits | Command | Ack
Event = Truth | BedStatus | ProducerStatus | Beat | Alarms | BedState | MonitorStatus | Limits | Command | Ack
AnyMessage = TypeVar("AnyMessage", bound=Message)
Json = TypeVar("Json", bound=Event)


class MessageError(ValueError):
    """A payload that cannot be used; the text is one sentence that says why."""


_Scalar = bool | int | float | str | None
_Inner = Annotated[dict[str, _Scalar], Meta(max_length=MOST_LEADS)]
_List = Annotated[list[_Scalar | _Inner], Meta(max_length=MOST_ITEMS)]
_Object = Annotated[dict[str, _Scalar | _List | _Inner], Meta(max_length=MOST_LEADS)]
"""What any JSON message looks like, fields unknown to us included: an object of scalars, of lists and of small objects,
three levels in all. A decoder of this type refuses a fourth level when it meets it, so it never goes deep.
"""


class _Form(NamedTuple):
    """How one kind of message is read. most: bytes. shape: refuses what is too deep. read: the message itself."""

    most: int
    shape: Callable[[bytes], object] | None
    read: Callable[[bytes], Any]


_json_shape = msgspec.json.Decoder(_Object).decode
_forms: Final[dict[type, _Form]] = {
    kind: _Form(MOST_JSON_BYTES, _json_shape, msgspec.json.Decoder(kind).decode)
    for kind in (Truth, BedStatus, ProducerStatus, Beat, Alarms, BedState, MonitorStatus, Limits, Command, Ack)
}
_packed_wave = msgspec.msgpack.Decoder(Wave).decode
_json_wave = msgspec.json.Decoder(WaveJson).decode


def _either_wave(payload: bytes) -> Wave:
    """A wave in MessagePack, or in JSON: no MessagePack map begins with a brace or with white space."""
    if payload[:1] not in (b"{", b" ", b"\n", b"\r", b"\t"):
        return _packed_wave(payload)
    if len(payload) > MOST_JSON_BYTES:
        raise ValueError(f"{len(payload)} bytes are too many in JSON: {MOST_JSON_BYTES} at most")
    return Wave(**_json_wave(payload).fields())


_forms[Wave] = _Form(MOST_WAVE_BYTES, None, _either_wave)  # its types bound its depth
_pack = msgspec.msgpack.Encoder().encode
_encode_json = msgspec.json.Encoder().encode


def decode(payload: object, kind: type[AnyMessage]) -> AnyMessage:
    """The message of that kind in a payload, checked. Raises MessageError, with one sentence, and nothing else."""
    form = _forms[kind]
    if not isinstance(payload, bytes):
        raise MessageError(f"not a {kind.__name__} message: no bytes but {type(payload).__name__}")
    if len(payload) > form.most:
        raise MessageError(f"{len(payload)} bytes are too many for a {kind.__name__} message: {form.most} at most")
    try:
        if form.shape is not None:
            form.shape(payload)
        message: Any = form.read(payload)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise MessageError(f"not a {kind.__name__} message: {readable(str(error))}") from None
    if message.v != SCHEMA:
        raise MessageError(f"{kind.__name__} schema version {message.v} is not {SCHEMA}")
    if kind is Wave:
        message = _checked(message)
    return message  # type: ignore[no-any-return]


def _checked(wave: Wave) -> Wave:
    """What the fields' own bounds do not say; voltages in mV. Raises MessageError."""
    leads = len(wave.leads)
    if leads == 0 or len(wave.gain) != leads or len(wave.baseline) != leads:
        raise MessageError(f"{leads} leads, {len(wave.gain)} gains, {len(wave.baseline)} baselines do not fit")
    if len(wave.samples) % (2 * leads) or not wave.samples:
        raise MessageError(f"{len(wave.samples)} bytes are no whole rows of {leads} int16 samples")
    if not wave.units:
        return wave
    if len(wave.units) != leads:
        raise MessageError(f"{len(wave.units)} units do not fit {leads} leads")
    sizes = [millivolts_per(unit) for unit in wave.units]
    if all(size in (None, 1.0) for size in sizes):
        return wave
    gain = [own / (size or 1.0) for own, size in zip(wave.gain, sizes, strict=True)]
    units = [own if size is None else MILLIVOLT for own, size in zip(wave.units, sizes, strict=True)]
    if not all(LEAST_GAIN <= one <= MOST_GAIN for one in gain):
        raise MessageError(f"gains of {gain} ADU/mV are out of bounds")
    return structs.replace(wave, gain=gain, units=units)


def decode_wave(payload: object) -> Wave:
    """The wave message in a payload, checked. Raises MessageError with one sentence."""
    return decode(payload, Wave)


def decode_json(payload: object, kind: type[Json]) -> Json:
    """The event message of that kind in a payload. Raises MessageError with one sentence."""
    return decode(payload, kind)


def encode_wave(wave: Wave) -> bytes:
    """MessagePack bytes of a wave message."""
    return _pack(wave)


def encode_json(message: Event) -> bytes:
    """JSON bytes of an event message."""
    return _encode_json(message)


_INT16: Final = np.dtype("<i2")


def wave_samples(wave: Wave) -> NDArray[np.int16]:
    """Samples of a checked wave message: int16 [samples, leads], ADU (a view of the payload)."""
    return rows_of(wave.samples, len(wave.leads))


def rows_of(samples: bytes, leads: int) -> NDArray[np.int16]:
    """Little-endian int16 samples, row by row: int16 [samples, leads] (a view)."""
    return np.frombuffer(samples, _INT16).reshape(-1, leads)
