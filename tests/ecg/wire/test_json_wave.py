"""Waves in JSON: what devices send is decoded to the same signal, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.settings import MqttSettings
from ecg.wire.bounds import MOST_JSON_BYTES
from ecg.wire.broker import Broker
from ecg.wire.messages import MessageError, Wave, decode_wave, encode_wave, wave_samples
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from tests.support.brokers import until

PAGES = Path(__file__).parents[3] / "docs"
PUBLISHED = [
    line.strip()
    for page in ("devices.md", "wire.md")
    for line in (PAGES / page).read_text(encoding="utf-8").splitlines()
    if line.startswith('    {"stream":')
]
PLAIN: dict[str, Any] = {"stream": "s-1-0", "index": 7, "rate": 250, "leads": ["II"], "samples": [0.5, -0.25, None, 1]}


def sent(**changes: Any) -> bytes:
    """A plain wave with other fields; None takes one out."""
    tree = {name: value for name, value in {**PLAIN, **changes}.items() if value is not None}
    return json.dumps(tree).encode()


def values(wave: Wave) -> list[list[float]]:
    """The samples in the units of their leads, NaN where there is none."""
    adu = wave_samples(wave).astype(float)
    adu[adu == -32768] = np.nan
    scaled: list[list[float]] = ((adu - wave.baseline) / wave.gain).tolist()
    return scaled


def test_samples_in_millivolts_are_read_with_defaults_for_what_is_left_out() -> None:
    wave = decode_wave(sent())
    assert np.allclose(np.array(values(wave))[[0, 1, 3], 0], [0.5, -0.25, 1.0])
    assert wave_samples(wave)[2, 0] == -32768
    assert (wave.v, wave.record, wave.seq, wave.sent_ns, wave.units) == (1, "s-1-0", 0, 0, [])
    assert decode_wave(encode_wave(wave)) == wave


def test_samples_with_a_gain_are_adu() -> None:
    wave = decode_wave(sent(gain=[1365], baseline=[2048], samples=[2048, 3413, None]))
    assert wave_samples(wave)[:, 0].tolist() == [2048, 3413, -32768]
    assert (wave.gain, wave.baseline) == ([1365.0], [2048.0])


def test_rows_of_several_leads_keep_their_units() -> None:
    wave = decode_wave(
        sent(leads=["II", "ABP", "PLETH"], units=["uV", "mmHg", "NU"], samples=[500, 120.5, 0.25, 750, 80, 0.5])
    )
    assert wave.units == ["mV", "mmHg", "NU"]
    assert np.allclose(values(wave), [[0.5, 120.5, 0.25], [0.75, 80, 0.5]])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"samples": [2048]}, "sample 2048 is beyond what a sample in its unit may be .*give gain"),
        ({"samples": [40000], "gain": [200]}, "sample 40000 is beyond 16 bits"),
        ({"samples": []}, "0 samples are no whole rows of 1 leads"),
        ({"leads": []}, "no whole rows of 0 leads"),
        ({"leads": ["II", "V1"], "samples": [1, 2, 3]}, "3 samples are no whole rows of 2 leads"),
        ({"units": ["mV", "mV"]}, "2 units do not fit 1 leads"),
        ({"gain": [200, 200]}, "1 leads, 2 gains, 1 baselines do not fit"),
        ({"baseline": [5]}, "a baseline without a gain"),
        ({"samples": ["1"]}, "Expected `float | null`, got `str`"),
        ({"samples": [[1]]}, "Expected `float | null`, got `array`"),
        ({"samples": [1] * 65_537}, "Expected `array` of length <= 65536"),
        ({"rate": 50}, ">= 100"),
        ({"rate": None}, "missing required field `rate`"),
        ({"stream": None}, "missing required field `stream`"),
        ({"v": 2}, "schema version 2 is not 1"),
        ({"patient": "x"}, "unknown field `patient`"),
    ],
)
def test_what_does_not_fit_is_refused_and_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(MessageError, match=said):
        decode_wave(sent(**changes))


@pytest.mark.parametrize("payload", [b"{", b"{}", b" ", b"{" * 900_000, sent() + b"x", b'{"samples":[1e999]}'])
def test_json_that_is_no_wave_is_refused(payload: bytes) -> None:
    with pytest.raises(MessageError):
        decode_wave(payload)


def test_json_waves_are_bounded_like_other_json() -> None:
    plain = sent()
    assert decode_wave(b"\n" + plain + b" " * (MOST_JSON_BYTES - len(plain) - 1)).index == 7
    with pytest.raises(MessageError, match="are too many in JSON"):
        decode_wave(plain + b" " * MOST_JSON_BYTES)


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
FIELDS = st.sampled_from([*Wave.__struct_fields__, "more"])


@given(st.dictionaries(FIELDS, ANY | st.lists(ANY, max_size=4), max_size=4), st.booleans())
def test_whatever_is_in_a_json_wave_it_is_decoded_within_bounds_or_refused(other: dict[str, Any], dumb: bool) -> None:
    try:
        wave = decode_wave(json.dumps({} if dumb else {**PLAIN, **other}).encode())
    except MessageError as error:
        if len(str(error)) > 500 or not str(error).isprintable():
            pytest.fail(f"not one short line: {error}")
    else:
        assert len(wave.leads) == len(wave.gain) == len(wave.baseline) and len(wave.units) in (0, len(wave.leads))
        assert wave_samples(wave).size and all(1e-3 <= gain <= 1e6 for gain in wave.gain)


async def test_what_the_pages_send_arrives_as_signal(any_broker: Broker) -> None:
    arrived: list[Wave] = []
    session = Session(
        MqttSettings(),
        any_broker,
        "listener",
        lambda: Outgoing("t/will", b"", False),
        filters=["ecg/v1/+/wave"],
        arrived=lambda _topic, payload, _retained: arrived.append(decode_wave(payload)),
    )
    await session.open()
    async with aiomqtt.Client(any_broker.host, any_broker.port) as client:
        for number, text in enumerate(PUBLISHED):
            await client.publish(f"ecg/v1/b{number}/wave", text)
    await until(lambda: len(arrived) == len(PUBLISHED))
    await session.close()
    assert len(PUBLISHED) == 4
    for wave, text in zip(arrived, PUBLISHED, strict=True):
        plain = json.loads(text)
        numbers = [np.nan if one is None else one for one in plain["samples"]]
        expected = np.array(numbers, float).reshape(-1, len(plain["leads"]))
        if "gain" in plain:
            expected = (expected - plain["baseline"]) / plain["gain"]
        assert (wave.stream, wave.index, wave.rate, wave.leads) == tuple(
            plain[name] for name in ("stream", "index", "rate", "leads")
        )
        assert np.allclose(values(wave), expected, atol=6e-4, equal_nan=True)
