"""A lead is off where the electrode itself says so, and nowhere else: a silent heart is never a lead that fell off."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.records.record import MISSING, Record
from monitor.ward.lead_off import Line, hear
from tests.support.wards import EXCERPT, MINUTE, Run, alarm_story, messages

RATE = 360
LIMIT = 2 * RATE
CALM = 7_290
"""A sample of the excerpt at rest between two beats: 20.25 s."""


def off(samples: np.ndarray, bounds: list[int] | None = None, gain: float = 200.0, baseline: float = 0.0) -> list[bool]:
    """For each sample, whether the lead is off; the samples come cut at these indices."""
    line, flags = Line(), []
    for begin, end in pairwise([0, *sorted(set(bounds or []) - {0, len(samples)}), len(samples)]):
        line, parts = hear(line, samples[begin:end].astype(np.int16), gain, baseline, LIMIT)
        assert [part[0] for part in parts] == [0, *(part[1] for part in parts[:-1])]
        assert parts[-1][1] == end - begin
        for first, last, said in parts:
            assert last > first
            flags += [said] * (last - first)
    return flags


def spans(flags: list[bool]) -> list[tuple[int, int]]:
    """(first sample that is off, first that is not)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], np.asarray(flags, int), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def by_hand(codes: list[int], adjacent: bool) -> list[bool]:
    """The definition, sample by sample: has the line stood for longer than the limit?."""
    wide = int(adjacent)
    return [
        i >= LIMIT and max(codes[i - LIMIT : i + 1]) - min(codes[i - LIMIT : i + 1]) <= wide for i in range(len(codes))
    ]


def real(length: int, gain: float = 200.0) -> np.ndarray:
    """The excerpt's samples at that gain, around 0."""
    return np.rint((EXCERPT.samples[:length, 0].astype(float) - 1024) * gain / 200).astype(int)


def test_five_minutes_of_real_signal_are_never_off() -> None:
    assert not any(off(EXCERPT.samples[:, 0], baseline=1024.0))
    assert not any(off(real(20_000, 5000.0).clip(-32_000, 32_000), gain=5000.0))


def test_one_code_again_and_again_is_off_once_its_time_is_up() -> None:
    samples = np.concatenate((real(1000), np.full(3000, 77), real(1000)))
    assert spans(off(samples)) == [(1000 + LIMIT, 4000)]


def test_the_converter_s_last_bit_is_no_sign_of_life_at_1000_adu_per_mv() -> None:
    dither = 40 + np.random.default_rng(0).integers(0, 2, 3000)
    samples = np.concatenate((real(1000, 1000.0), dither, real(1000, 1000.0)))
    assert spans(off(samples, gain=1000.0)) == [(1000 + LIMIT, 4000)]


def test_two_codes_5_uv_apart_may_be_an_amplifier_s_noise_over_a_silent_heart() -> None:
    dither = 40 + np.random.default_rng(0).integers(0, 2, 3000)
    assert not any(off(np.concatenate((real(1000), dither, real(1000)))))


@pytest.mark.parametrize("gain", [200.0, 1000.0, 5000.0, 16_830.0])
def test_a_silent_heart_that_drifts_by_35_uv_in_small_steps_is_not_off(gain: float) -> None:
    time = np.arange(6 * RATE) / RATE
    drift = np.rint(0.035 * time / 6 * gain).astype(int)
    assert np.abs(np.diff(drift)).max() / gain < 0.0015 or gain == 200.0
    assert not any(off(np.concatenate((real(1000, gain), drift)), gain=gain))


@pytest.mark.parametrize(
    ("low", "high", "baseline"),
    [(0, 2047, 1024.0), (0, 4095, 2048.0), (-1024, 1023, 0.0), (-2048, 2047, 0.0), (-32_767, 32_767, 0.0)],
)
def test_a_line_at_its_rails_is_off_though_it_jumps_from_one_to_the_other(low: int, high: int, baseline: float) -> None:
    rng = np.random.default_rng(1)
    rails = np.where(rng.random(2000) < 0.3, low + rng.integers(0, 2, 2000), high - rng.integers(0, 2, 2000))
    samples = np.concatenate((real(1000) + int(baseline), rails, real(1000) + int(baseline)))
    ((begin, end),) = spans(off(samples, baseline=baseline))
    assert end == 3000
    assert 1000 + LIMIT - 1 <= begin <= 1000 + LIMIT


def test_beats_that_are_clipped_at_a_rail_are_still_beats() -> None:
    clipped = (8 * real(20_000)).clip(-1024, 1023)
    assert (clipped == 1023).sum() > 100
    assert not any(off(clipped))


def test_samples_that_are_missing_are_off_like_a_line_that_stands_still() -> None:
    samples = np.concatenate((real(1000), np.full(3000, MISSING), real(1000)))
    assert spans(off(samples)) == [(999 + LIMIT, 4000)]
    assert spans(off(np.full(2000, MISSING))) == [(LIMIT, 2000)]
    samples[1000:4000:3] = samples[999]  # now and then the last value comes again
    assert spans(off(samples)) == [(999 + LIMIT, 4000)]


LINES = st.lists(
    st.tuples(st.sampled_from(["flat", "last bit", "real", "steps", "missing", "rail"]), st.integers(1, 1800)),
    min_size=1,
    max_size=6,
)


def line_of(parts: list[tuple[str, int]], seed: int) -> np.ndarray:
    """A line that is now dead, now alive."""
    rng = np.random.default_rng(seed)
    made = []
    for kind, count in parts:
        level = int(rng.integers(-3, 4))
        made.append(
            {
                "flat": np.full(count, level),
                "last bit": level + rng.integers(0, 2, count),
                "real": real(count),
                "steps": level + np.arange(count) // int(rng.integers(1, 900)),
                "missing": np.full(count, MISSING),
                "rail": np.full(count, 32_767),
            }[kind]
        )
    return np.concatenate(made)


@given(LINES, st.integers(0, 99), st.lists(st.integers(0, 9000), max_size=20), st.sampled_from([200.0, 1000.0]))
@settings(max_examples=80, deadline=None)
def test_the_verdict_is_the_definition_s_however_the_line_is_cut(
    parts: list[tuple[str, int]], seed: int, bounds: list[int], gain: float
) -> None:
    samples = line_of(parts, seed)
    held, codes = MISSING, []
    for code in samples.tolist():
        held = held if code in (MISSING, 32_767) else code
        codes.append(held)
    flags = off(samples, [bound for bound in bounds if bound < len(samples)], gain)
    assert flags == by_hand(codes, adjacent=gain >= 1000)


def told(samples: np.ndarray, gain: float = 200.0, step: int = 90) -> tuple[Run, list[str]]:
    """A ward that has heard these samples, and the bed's state after each message."""
    record = Record(
        name="made",
        rate=float(RATE),
        leads=("MLII",),
        gain=np.array([gain]),
        baseline=np.array([0.0]),
        samples=samples.astype(np.int16)[:, None],
        source="synthetic",
    )
    run, states = Run(), []
    for wave in messages(record, list(range(step, len(samples), step))):
        run.ward.wave("a", wave, 0)
        run.step()
        states.append(run.ward.beds["a"].state(0.0, 30.0))
    return run.finish(), states


def onsets(run: Run) -> dict[str, int]:
    """Sample at which each kind of alarm was first known."""
    found: dict[str, int] = {}
    for change in alarm_story(run, "a"):
        if change.what == "onset":
            found.setdefault(change.kind, change.index)
    return found


def silent(tail: np.ndarray, gain: float) -> np.ndarray:
    """Twenty seconds of beats, then this line (ADU, from 0 on) at the level of the last sample."""
    beats = real(CALM, gain)
    return np.concatenate((beats, beats[-1] + tail))


@pytest.mark.parametrize("gain", [200.0, 1000.0, 16_830.0])
def test_a_silent_heart_is_asystole_in_its_time_and_never_lead_off(gain: float) -> None:
    """A line that drifts by 35 uV in steps below 1.5 uV was lead off to the alarms, and asystole was held back."""
    seconds = 9
    drift = np.rint(0.035 * np.arange(seconds * RATE) / (6 * RATE) * gain).astype(int)
    run, states = told(silent(drift, gain), gain)
    last = max(beat.index for beat in run.beats)
    assert onsets(run)["asystole"] == last + 4 * RATE
    assert "lead_off" not in onsets(run)
    assert "lead off" not in states


def test_a_silent_heart_under_noise_is_asystole() -> None:
    noise = np.rint(0.004 * 1000 * np.random.default_rng(4).standard_normal(9 * RATE)).astype(int)
    run, states = told(silent(noise, 1000.0), 1000.0)
    assert "asystole" in onsets(run)
    assert "lead_off" not in onsets(run)
    assert "lead off" not in states


@pytest.mark.parametrize("kind", ["flat", "last bit", "rail", "missing"])
def test_bed_and_alarms_agree_on_a_dead_line(kind: str) -> None:
    """A line with a dither of 1 ADU at 1000 ADU/mV was `ok` for the bed and `lead off` for the alarms."""
    count = 9 * RATE
    beats = real(CALM, 1000.0)
    dead = {
        "flat": np.full(count, beats[-1]),
        "last bit": beats[-1] + np.random.default_rng(5).integers(0, 2, count),
        "rail": np.full(count, 32_767),
        "missing": np.full(count, MISSING),
    }[kind]
    run, states = told(np.concatenate((beats, dead, real(4000, 1000.0))), 1000.0)
    known = onsets(run)
    assert CALM + LIMIT - 1 <= known["lead_off"] <= CALM + LIMIT
    assert "asystole" not in known
    first = states.index("lead off")
    assert (first + 1) * 90 > known["lead_off"] >= first * 90
    over = [change for change in alarm_story(run, "a") if (change.kind, change.what) == ("lead_off", "end")]
    assert [change.over for change in over] == [CALM + count]
    assert "lead off" not in states[-10:]


def test_real_beats_are_never_told_as_lead_off() -> None:
    run, states = told(MINUTE.samples[:, 0].astype(int) - 1024)
    assert "lead off" not in states
    assert "lead_off" not in onsets(run)
