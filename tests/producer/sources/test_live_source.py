"""Live streams of Lab Streaming Layer become beds: samples, gaps and units right, or refused in one sentence."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.wire.messages import SCHEMA, Command, Wave, wave_samples
from producer.cli import main
from producer.sources.live import ANEW_SECONDS, LiveBed, channels_of, tall
from producer.sources.lsl import make_live

RATE = 250.0


def bed(parts: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]], units: tuple[str, ...] = ("mV",)) -> LiveBed:
    """A bed to which these pieces come, one at a call."""
    left = iter(parts)
    nothing = np.zeros((0, len(units))), np.zeros(0)
    labels = ("II", "V1", "ABP")[: len(units)]
    return LiveBed(
        name="b",
        stream_name="s",
        rate=RATE,
        channels=channels_of(labels, units, "all", "stream 's'"),
        pull=lambda: next(left, nothing),
        chunk_seconds=0.25,
        run="r",
    )


def piece(first: int, count: int, at_s: float | None = None) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    number = np.arange(first, first + count)
    begin = first / RATE if at_s is None else at_s
    return 0.01 * number[:, None], begin + np.arange(count) / RATE


def values(wave: Wave) -> np.ndarray[Any, Any]:
    """Samples of a wave in its units."""
    return np.asarray((wave_samples(wave) - np.array(wave.baseline)) / np.array(wave.gain))


def sent(one: LiveBed) -> list[Wave]:
    waves = []
    while (wave := one.next(0)[0]) is not None:
        waves.append(wave)
    return waves


def test_what_comes_is_handed_on_in_order() -> None:
    one = bed([piece(0, 60), piece(60, 1), piece(61, 200)])
    waves = sent(one)
    assert [(wave.index, len(wave_samples(wave))) for wave in waves] == [(0, 60), (60, 1), (61, 200)]
    assert np.allclose(np.concatenate([values(wave) for wave in waves])[:, 0], 0.01 * np.arange(261), atol=6e-4)
    assert one.published == 261 and one.status(False, 1.0, final=True).published == 261


def test_lost_samples_leave_a_gap_and_a_clock_that_starts_anew_another_stream() -> None:
    gap = np.concatenate((piece(0, 50)[0], piece(150, 50)[0])), np.concatenate((piece(0, 50)[1], piece(150, 50)[1]))
    one = bed([gap, piece(200, 25, at_s=0.803), piece(0, 25, at_s=ANEW_SECONDS + 10), piece(0, 25, at_s=0.0)])
    waves = sent(one)
    assert [(wave.index, wave.stream[-2:]) for wave in waves] == [
        (0, "-0"),
        (150, "-0"),
        (200, "-0"),
        (0, "-1"),
        (0, "-2"),
    ]
    assert one.published == 225 + 25 + 25


def test_units_are_brought_to_mv_about_the_level_of_the_beginning() -> None:
    high = np.array([[187_500.0, 0.5, 80.0], [188_500.0, 1.5, 120.0], [np.nan, 1.0, 1e9]])
    (wave,) = sent(bed([(high, np.arange(3) / RATE)], ("microvolts", "", "mmHg")))
    assert wave.units == ["mV", "mV", "mmHg"]
    assert np.allclose(values(wave)[:2], [[187.5, 0.5, 80.0], [188.5, 1.5, 120.0]], atol=0.02)
    assert wave_samples(wave)[2].tolist() == [-32768, 1000, 32767]


def test_a_device_takes_no_commands() -> None:
    with pytest.raises(UserError, match="b is a live stream"):
        bed([]).obey(Command(v=SCHEMA, do="jump", seconds=1.0))


def test_channels_that_are_no_ecg_or_in_no_unit_are_one_sentence() -> None:
    with pytest.raises(UserError, match=r"stream 'x' has no ECG lead: its channels are ABP, RESP"):
        channels_of(("ABP", "RESP"), ("mmHg",), "all", "stream 'x'")
    with pytest.raises(UserError, match="no lead 'V9': give one of II"):
        channels_of(("II",), ("mV",), "V9", "stream 'x'")
    chosen = channels_of(("II", "V1"), (), "v1", "stream 'x'")
    assert chosen.columns == [1]
    swing = np.array([[0.0, 0.0], [1.0, 900.0]])
    assert tall(swing, ("II", "V1"), ("", ""), chosen) == "V1 swings by 900"
    assert not tall(swing, ("II", "V1"), ("", "mV"), chosen)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--source", "lsl", "--records", "100"], "lsl is live: --records and --file do not go with it"),
        (["--source", "lsl", "--speed", "2"], "comes at its own pace: leave --speed out"),
        (["--source", "xyz"], 'give "records", "sim", "sim:SCENARIO", "sim:ward", "lsl" or "lsl:STREAM"'),
    ],
)
def test_options_that_do_not_go_together_are_said(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        main([*words, "--quiet"])


@pytest.fixture
def lsl() -> Any:
    """The package; skipped where it, or its library, is not installed."""
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"no live streams here ({error}): pip install 'ecg-monitor-simulator[lsl]'")
    return pylsl


def outlet(pylsl: Any, name: str, unit: str, rate: float = RATE) -> Any:
    info = pylsl.StreamInfo(name, "ECG", 2, rate, "float32", f"{name}-1")
    channels = info.desc().append_child("channels")
    for label in ("Lead II", "V1"):
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        if unit:
            channel.append_child_value("unit", unit)
    return pylsl.StreamOutlet(info)


def test_a_real_outlet_becomes_a_bed(lsl: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.sources.lsl.LISTEN_SECONDS", 0.4)
    made = partial(make_live, lead="all", chunk_seconds=0.25, run="r", speed=1.0)
    with pytest.raises(UserError, match="no live stream 'nobody here' was found"):
        made("lsl:nobody here")
    name = "holter 17"
    out = outlet(lsl, name, "uV")
    with pytest.raises(UserError, match=f"stream {name!r} sent nothing within"):
        made(f"lsl:{name}")
    stop = threading.Event()
    number = 0

    def send() -> None:
        nonlocal number
        while not stop.wait(0.02):
            out.push_chunk([[float(at), -float(at)] for at in range(number, number + 5)])
            number += 5

    thread = threading.Thread(target=send)
    thread.start()
    try:
        (one,) = made(f"lsl:{name}")
        waves: list[Wave] = []
        while sum(len(wave_samples(wave)) for wave in waves) < 200:
            wave, _ = one.next(0)
            waves += [wave] if wave else []
    finally:
        stop.set()
        thread.join()
    assert (one.name, one.record_name, one.rate, one.leads) == ("holter-17", name, RATE, ["Lead II", "V1"])
    heard = np.concatenate([values(wave) for wave in waves])
    assert np.allclose(np.diff(1000 * heard[:, 0]), 1, atol=0.01) and np.allclose(heard[:, 0], -heard[:, 1], atol=2e-3)
