"""Two leads of a bed: both are read, and either goes on alone where the other one is off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.model.fusion import fused
from ecg.records.record import Record
from ecg.settings import Config, MonitorSettings
from monitor.service import checkpoint
from monitor.ward.events import ResetReason
from monitor.ward.leading import BACK_SECONDS
from tests.support.wards import EXCERPT, Run, alarm_story, messages, part, same

RATE = 360
SECONDS = 40


def two(off: dict[int, tuple[float, float]] | None = None, seconds: float = SECONDS) -> Record:
    """The excerpt and, as a second lead, its mirror image at two thirds. off: seconds in which a lead stands still."""
    one = part(EXCERPT, 0, round(seconds * RATE))
    first = one.samples[:, 0].astype(np.int32) - round(float(one.baseline[0]))
    samples = np.stack((one.samples[:, 0], np.round(-first / 1.5) + one.baseline[0]), axis=1).astype(np.int16)
    for lead, (begin, end) in (off or {}).items():
        samples[round(begin * RATE) : round(end * RATE), lead] = 100
    return replace(
        one,
        leads=("MLII", "V1"),
        gain=np.repeat(one.gain, 2),
        baseline=np.repeat(one.baseline, 2),
        samples=samples,
    )


def heard(record: Record, bounds: list[int] | None = None, config: Config | None = None) -> Run:
    """The record as one bed."""
    run = Run(config)
    for wave in messages(record, bounds or []):
        run.ward.wave("a", wave, 0)
        run.step()
    return run


def gaps(run: Run) -> float:
    """The longest time between two beats, seconds."""
    index = np.array([beat.index for beat in run.beats])
    return float(np.diff(index).max()) / RATE


def test_a_bed_has_one_beat_where_two_leads_show_it() -> None:
    both, first = heard(two()), heard(two(), config=Config(monitor=MonitorSettings(second_lead=False)))
    assert [beat.index for beat in both.beats] == [beat.index for beat in first.beats]
    assert both.ward.ledger.beats == len(both.beats)
    probabilities = [np.array([beat.probabilities for beat in run.beats]) for run in (both, first)]
    assert np.abs(probabilities[0] - probabilities[1]).max() > 0.01


def test_one_lead_alone_is_read_as_ever() -> None:
    alone = part(EXCERPT, 0, SECONDS * RATE)
    same(heard(alone).beats, heard(two(), config=Config(monitor=MonitorSettings(second_lead=False))).beats)


@pytest.mark.parametrize("lead", [0, 1])
def test_the_other_lead_goes_on_where_one_is_off(lead: int) -> None:
    run = heard(two({lead: (12, 24)}))
    kinds = [change.kind for change in alarm_story(run, "a")]
    assert gaps(run) < 3.5  # two seconds until a line that stands is known to be off
    assert "lead_off" not in kinds
    assert [reset.reason for reset in run.resets] == [ResetReason.NEW_BED]
    bed = run.ward.beds["a"]
    assert bed.lead == "MLII"
    if lead == 1:
        assert [beat.index for beat in run.beats] == [beat.index for beat in heard(two()).beats]


def test_the_first_lead_leads_again_after_a_while() -> None:
    record = two({0: (12, 24)})
    leads = []
    run = Run()
    for wave in messages(record, list(range(RATE, SECONDS * RATE, RATE))):
        run.ward.wave("a", wave, 0)
        run.step()
        leads.append(run.ward.beds["a"].lead)
    assert leads[13] == "MLII"
    assert set(leads[15 : 24 + int(BACK_SECONDS)]) == {"V1"}
    assert set(leads[25 + int(BACK_SECONDS) :]) == {"MLII"}


def test_both_leads_off_is_a_lead_off() -> None:
    run = heard(two({0: (12, 24), 1: (14, 22)}))
    kinds = [change.kind for change in alarm_story(run, "a")]
    assert "lead_off" in kinds
    assert [reset.reason for reset in run.resets] == [ResetReason.NEW_BED, ResetReason.LEAD_WAS_OFF]


OFF = st.tuples(st.floats(3, 30), st.floats(3, 8)).map(lambda pair: (pair[0], min(pair[0] + pair[1], 39.0)))
BOUNDS = st.lists(st.integers(1, SECONDS * RATE - 1), max_size=12)


@given(st.dictionaries(st.integers(0, 1), OFF, min_size=1), BOUNDS, st.none() | st.integers(0, 12))
@settings(max_examples=25, deadline=None)
def test_cuts_and_restarts_change_no_beat_whichever_lead_is_off(
    off: dict[int, tuple[float, float]], bounds: list[int], restart: int | None
) -> None:
    record = two(off)
    run = Run()
    for number, wave in enumerate(messages(record, bounds)):
        run.ward.wave("a", wave, 0)
        run.step()
        if number == restart:
            fresh = Run()
            checkpoint.unpack(fresh.ward, checkpoint.pack(run.ward))
            fresh.events = run.events
            run = fresh
    whole = heard(record)
    same(run.beats, whole.beats)
    assert run.ward.beds["a"].lead == whole.ward.beds["a"].lead


def test_a_verdict_of_two_leads_lies_between_theirs() -> None:
    one, other = np.array([[0.9, 0.1]], np.float32), np.array([[0.2, 0.8]], np.float32)
    assert np.allclose(fused(one, other, 0.0), one)
    assert np.allclose(fused(one, other, 1.0), other)
    assert 0.2 < fused(one, other)[0, 0] < 0.9
    assert np.allclose(fused(one, one), one)
    assert np.isfinite(fused(np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 1.0]], np.float32))).all()
