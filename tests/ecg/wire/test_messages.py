"""Whatever anybody publishes, a decoder returns a message within its bounds or raises MessageError."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ecg.wire import messages
from ecg.wire.messages import (
    SCHEMA,
    Alarms,
    Beat,
    BedStatus,
    Message,
    MessageError,
    ProducerStatus,
    Truth,
    Wave,
    decode,
    encode_json,
    encode_wave,
)
from tests.support.example_messages import BEAT, EXAMPLES, MONITOR, STATUS, WAVE

HUGE = 10**30

KINDS = [type(example) for example in EXAMPLES]


def encode(message: Message) -> bytes:
    return encode_wave(message) if isinstance(message, Wave) else encode_json(message)


def bounded(value: Any) -> bool:
    """Is every number in a message finite and within 64 bits?."""
    if isinstance(value, msgspec.Struct):
        return all(bounded(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, (list, tuple)):
        return all(bounded(one) for one in value)
    if isinstance(value, dict):
        return bounded(list(value.values()))
    return not isinstance(value, (int, float)) or (math.isfinite(value) and abs(value) < 2**63)


def harmless(payload: bytes) -> None:
    """Every decoder takes the payload for a message within bounds, or says in one short line why not."""
    for kind in KINDS:
        try:
            message = decode(payload, kind)
        except MessageError as error:
            said = str(error)
            if len(said) > 500 or not said.isprintable():
                pytest.fail(f"not one short line: {said!r}")
        else:
            assert isinstance(message, kind) and bounded(message)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_a_message_is_decoded_as_it_was_encoded(example: Message) -> None:
    assert decode(encode(example), type(example)) == example


def test_a_beat_and_alarms_name_their_monitor_and_are_read_without_it() -> None:
    assert b'"monitor":"1f03ab"' in encode_json(BEAT)
    assert decode(encode_json(BEAT).replace(b',"monitor":"1f03ab"', b""), Beat).monitor == ""
    assert Alarms(SCHEMA, "b", "s", 9, []).monitor == ""


def test_a_wave_in_millivolts_is_the_same_bytes_as_before_units_were_known() -> None:
    assert b"units" not in encode_wave(WAVE)
    assert decode(encode_wave(WAVE), Wave).units == []


def test_microvolts_and_volts_are_millivolts_once_decoded() -> None:
    sent = structs.replace(WAVE, leads=["I", "ABP"], gain=[0.2, 5.5], units=["µV", "mmHg"])
    read = decode(encode_wave(sent), Wave)
    assert (read.gain, read.units) == ([pytest.approx(200.0), 5.5], ["mV", "mmHg"])
    sent = structs.replace(WAVE, gain=[200_000.0, 200.0], units=["V", "mV"])
    read = decode(encode_wave(sent), Wave)
    assert (read.gain, read.units) == ([pytest.approx(200.0), 200.0], ["mV", "mV"])


def with_field(example: Message, name: str, value: object) -> bytes:
    """The example's bytes with another value of one field, whatever its type."""
    tree = {**msgspec.to_builtins(example, builtin_types=(bytes,)), name: value}
    return msgspec.msgpack.encode(tree) if isinstance(example, Wave) else msgspec.json.encode(tree)


@pytest.mark.parametrize(
    ("example", "name", "value"),
    [
        (WAVE, "rate", math.nan),
        (WAVE, "rate", math.inf),
        (WAVE, "rate", 50.0),
        (WAVE, "rate", -360.0),
        (WAVE, "gain", [math.nan, 200.0]),
        (WAVE, "gain", [math.inf, 200.0]),
        (WAVE, "gain", [-200.0, 200.0]),
        (WAVE, "gain", [200.0]),
        (WAVE, "baseline", [0.0, math.nan]),
        (WAVE, "baseline", [0.0, -math.inf]),
        (WAVE, "index", -1),
        (WAVE, "index", 2**63),
        (WAVE, "index", 2**53 + 1),
        (WAVE, "seq", -1),
        (WAVE, "seq", 2**64 - 1),
        (WAVE, "sent_ns", -1),
        (WAVE, "sent_ns", 2**64 - 1),
        (WAVE, "v", 9),
        (WAVE, "stream", "s" * 257),
        (WAVE, "record", "r" * 257),
        (WAVE, "leads", []),
        (WAVE, "leads", ["L" * 65, "V1"]),
        (WAVE, "leads", ["L"] * 65),
        (WAVE, "units", ["mV"]),
        (WAVE, "units", ["mV", "u" * 65]),
        (WAVE, "units", ["mV"] * 65),
        (WAVE, "units", ["mV", 3]),
        (structs.replace(WAVE, gain=[200.0, 2e3]), "units", ["mV", "uV"]),
        (WAVE, "samples", b""),
        (WAVE, "samples", b"abc"),
        (WAVE, "patient", {"a": [[[[[[]]]]]]}),
        (STATUS, "rate", 1e300),
        (STATUS, "rate", -1.0),
        (STATUS, "speed", -1.0),
        (STATUS, "speed", "s" * 65),
        (STATUS, "published", -1),
        (STATUS, "published", 2**63),
        (STATUS, "leads", ["L" * 65]),
        (STATUS, "stream", "s" * 257),
        (STATUS, "state", "\x1b[2J" + "x" * 10_000),
        (STATUS, "more", [[[["too deep"]]]]),
        (Truth(SCHEMA, "s", []), "annotations", [{"index": -1, "symbol": "N"}]),
        (Truth(SCHEMA, "s", []), "annotations", [{"index": 1, "symbol": "N" * 65}]),
        (Truth(SCHEMA, "s", []), "annotations", [{"index": 1, "symbol": "N", "rhythm": "(" * 65}]),
        (ProducerStatus(SCHEMA, "offline", []), "beds", ["b" * 65]),
        (ProducerStatus(SCHEMA, "offline", []), "beds", ["b"] * (2**16 + 1)),
        (BEAT, "probabilities", {"N": 1.5}),
        (BEAT, "index", -1),
        (BEAT, "rr_ms", -800.0),
        (MONITOR, "beds", -1),
        (MONITOR, "device", "d" * 65),
    ],
)
def test_a_value_out_of_bounds_is_refused(example: Message, name: str, value: object) -> None:
    with pytest.raises(MessageError):
        decode(with_field(example, name, value), type(example))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b'{"v":1,"state":"\xff"}', BedStatus),
        (b'{"v":1,"unknown":"\xff"}', BedStatus),
        (b"[" * 900_000, Truth),
        (b'{"a":' * 100_000, BedStatus),
        (b'{"v":1,"annotations":' + b"[" * 500_000, Truth),
        (b"\x81\xa1z" + b"\x91" * 1_000_000, Wave),
        (b"\x91" * 1_000_000, Wave),
        (b"\x81\xa7samples\xc6\xff\xff\xff\xff", Wave),
        (b"\x81\xa5leads\xdd\xff\xff\xff\xff", Wave),
        (b"\xdf\xff\xff\xff\xff", Wave),
        (encode_json(STATUS).replace(b'"published":7', b'"published":%d' % HUGE), BedStatus),
        (encode_json(STATUS).replace(b'"published":7', b'"published":' + b"9" * 6000), BedStatus),
        (encode_json(STATUS).replace(b'"rate":360.0', b'"rate":1e999'), BedStatus),
        (encode_json(STATUS).replace(b'"rate":360.0', b'"rate":NaN'), BedStatus),
        (b'{"v":1,"stream":"s","annotations":[{"index":%d,"symbol":"N"}]}' % HUGE, Truth),
        (b'{"v":%d,"stream":"s","annotations":[]}' % HUGE, Truth),
        (b'{"v":1,"unknown":' + b"9" * 5000 + b"}", BedStatus),
        (b"", Wave),
        (b"", BedStatus),
        (b"nul", BedStatus),
        (b'"\\ud800"', BedStatus),
    ],
    ids=lambda value: f"{len(value)} bytes {value[:20]!r}" if isinstance(value, bytes) else value.__name__,
)
def test_hostile_bytes_are_refused_in_one_short_line(payload: bytes, kind: type[Message]) -> None:
    with pytest.raises(MessageError) as refused:
        decode(payload, kind)
    assert str(refused.value).isprintable() and len(str(refused.value)) < 500
    harmless(payload)


@pytest.mark.parametrize("payload", [None, "text", 3, bytearray(b"{}"), memoryview(b"{}"), [b"{}"]])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_bytes_is_refused(payload: object, kind: type[Message]) -> None:
    with pytest.raises(MessageError, match="no bytes"):
        decode(payload, kind)


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    status = encode_json(STATUS)
    most = status + b" " * (messages.MOST_JSON_BYTES - len(status))
    assert decode(most, BedStatus) == STATUS
    with pytest.raises(MessageError, match="are too many"):
        decode(most + b" ", BedStatus)
    room = messages.MOST_WAVE_BYTES - len(encode_wave(WAVE)) - 64
    largest = structs.replace(WAVE, samples=bytes(room - room % 4))
    assert len(decode(encode_wave(largest), Wave).samples) == room - room % 4
    with pytest.raises(MessageError, match="are too many"):
        decode(encode_wave(structs.replace(WAVE, samples=bytes(messages.MOST_WAVE_BYTES))), Wave)


@given(st.binary(max_size=200))
def test_random_bytes_do_no_harm(payload: bytes) -> None:
    harmless(payload)


NUMBERS = st.integers() | st.floats() | st.sampled_from([2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), HUGE, 1e308])
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=80)
NAMES = st.sampled_from(sorted({name for kind in KINDS for name in kind.__struct_encode_fields__}))


def trees(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with the fields of our messages, and anything in them."""
    inner = st.recursive(
        scalars, lambda children: st.lists(children, max_size=4) | st.dictionaries(NAMES, children, max_size=4)
    )
    return st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=12)


def packable(tree: Any) -> Any:
    """The tree with integers that MessagePack cannot hold cut to 64 bits."""
    if isinstance(tree, dict):
        return {key: packable(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [packable(value) for value in tree]
    return max(min(tree, 2**64 - 1), -(2**63)) if isinstance(tree, int) and not isinstance(tree, bool) else tree


@given(trees(SCALARS))
def test_random_json_does_no_harm(tree: Any) -> None:
    harmless(json.dumps(tree).encode(errors="surrogatepass"))


@given(trees(SCALARS | st.binary(max_size=40)))
def test_random_messagepack_does_no_harm(tree: Any) -> None:
    harmless(msgspec.msgpack.encode(packable(tree)))


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_message_with_one_other_value_does_no_harm(example: Message, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(type(example).__struct_encode_fields__))
    values = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=8), SCALARS, max_size=3)
    tree = {**msgspec.to_builtins(example, builtin_types=(bytes,)), name: data.draw(values)}
    if isinstance(example, Wave):
        harmless(msgspec.msgpack.encode(packable(tree)))
    else:
        harmless(json.dumps(tree).encode(errors="surrogatepass"))


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_message_with_a_few_other_bytes_does_no_harm(example: Message, data: st.DataObject) -> None:
    payload = bytearray(encode(example))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(payload) - 1))
        payload[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not payload:
            break
    harmless(bytes(payload))
