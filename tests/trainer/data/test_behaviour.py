"""The cache's key follows what the code does, not how it is written."""

from __future__ import annotations

import numpy as np
import pytest

from ecg.records.record import Record
from ecg.signal import compiled, detector
from trainer.data import behaviour, cutting


def fresh() -> str:
    return behaviour.cutting.__wrapped__()


def test_the_same_code_gives_the_same_digest() -> None:
    assert fresh() == fresh() == behaviour.cutting()


def test_another_labelling_gives_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fresh()
    monkeypatch.setitem(cutting.CLASS_NUMBER, "e", 2)
    assert fresh() != before


def test_another_match_window_gives_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fresh()
    monkeypatch.setattr(cutting, "match_window", lambda rate: round(0.25 * rate))
    assert fresh() != before


def test_another_detector_gives_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    with compiled.only_numpy():
        before = fresh()
        monkeypatch.setattr(detector, "THRESHOLD", 0.6)
        assert fresh() != before


def test_what_a_minute_cannot_show_is_said_by_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fresh()
    monkeypatch.setattr(behaviour, "VERSION", behaviour.VERSION + 1)
    assert fresh() != before


def test_the_sample_holds_every_class_of_label() -> None:
    sample = behaviour.sample()
    assert isinstance(sample, Record)
    classes = {int(c) for one in cutting.cut([sample], "reference") for c in one.classes}
    assert classes == set(range(5))
    assert len(cutting.reference_of(sample).flutter) == 1
    assert np.any(cutting.cut([sample], "detector")[0].classes == -1)
