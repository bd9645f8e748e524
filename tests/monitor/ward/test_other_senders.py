"""Beds whose sender is no producer of ours: waves in JSON, in uV, with a pressure first."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecg.wire.messages import decode_wave
from tests.support.wards import ALONE, MINUTE, Run

SIGNAL = MINUTE.millivolts(0).astype(float)


def told(**changes: object) -> Run:
    """What a ward makes of the minute as half-second waves in JSON. changes: of fields, or of samples by a function."""
    run, step = Run(), 180
    spread = changes.pop("spread", None)
    for index in range(0, len(SIGNAL), step):
        part = SIGNAL[index : index + step]
        samples = spread(part) if callable(spread) else part.round(4).tolist()
        fields = {"stream": "esp-1-0", "index": index, "rate": 360, "leads": ["II"], "samples": samples, **changes}
        run.ward.wave("a", decode_wave(json.dumps(fields).encode()), 0)
        run.step()
    return run.finish()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"units": ["uV"], "spread": lambda part: (1000 * part).round(1).tolist()},
        {"gain": [200], "baseline": [1024], "spread": lambda part: np.rint(200 * part + 1024).tolist()},
        {
            "leads": ["ABP", "ECG Lead II"],
            "units": ["mmHg", "mV"],
            "spread": lambda part: np.column_stack((90 + 30 * np.abs(part), part)).round(4).reshape(-1).tolist(),
        },
    ],
)
def test_the_same_beats_are_read_whoever_sends_them(changes: dict[str, object]) -> None:
    assert [(beat.index, beat.cls) for beat in told(**changes).of("a")] == [
        (beat.index, beat.cls) for beat in ALONE.of("a")
    ]
