"""Beats that end, with something left that is no beat: asystole comes in its time and stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from monitor.evaluation.replay import listen
from tests.support.wards import NET

STOP = 20.0
RATE = 360.0


def left(kind: str, millivolts: float, count: int) -> np.ndarray:
    """Mains hum, white noise, or P waves alone, mV."""
    at = np.arange(count) / RATE
    if kind == "white":
        return np.random.default_rng(0).normal(0, millivolts, count)
    if kind == "p":
        distance = (at - 0.4) % 0.8
        distance = np.minimum(distance, 0.8 - distance)
        return millivolts * np.exp(-((distance / 0.025) ** 2) / 2) + np.random.default_rng(0).normal(0, 0.005, count)
    return millivolts * np.sin(2 * np.pi * float(kind) * at)


def dying(kind: str, millivolts: float) -> Record:
    """Record 100, whose beats end 0.4 s after the last one before STOP."""
    whole = library.read("100")
    assert whole.annotations is not None
    beats = whole.annotations.index[whole.annotations.symbol != "+"]
    stop = int(beats[beats < STOP * RATE][-1] + 0.4 * RATE)
    samples = whole.samples[: round(70 * RATE), :1].copy()
    rest = np.rint(left(kind, millivolts, len(samples) - stop) * 200)
    samples[stop:, 0] = samples[stop, 0] + rest.astype(np.int16)
    return replace(
        whole,
        leads=whole.leads[:1],
        gain=whole.gain[:1],
        baseline=whole.baseline[:1],
        samples=samples,
        annotations=None,
    )


@pytest.mark.parametrize(
    ("kind", "millivolts", "least_seconds"),
    [
        *((kind, size, 44.0) for kind in ("50", "60", "white") for size in (0.01, 0.05)),
        ("p", 0.07, 30.0),
        ("p", 0.12, 15.0),
    ],
)
def test_what_is_left_when_the_beats_end_hides_no_asystole(
    records: list[str], kind: str, millivolts: float, least_seconds: float
) -> None:
    """False beats in hum and noise ended the asystole after seconds; P waves of 0.15 mV kept it from being raised."""
    assert records
    record = dying(kind, millivolts)
    (one,) = listen([record], Config(), NET, torch.device("cpu"))
    asystoles = [alarm for alarm in one.raised if alarm.kind == "asystole"]
    assert len(asystoles) == 1
    assert STOP - 1 < asystoles[0].onset / RATE < STOP
    assert asystoles[0].raised - asystoles[0].onset < 4.1 * RATE
    assert asystoles[0].over - asystoles[0].onset > least_seconds * RATE
