from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecg.records import library
from ecg.records.patients import DS1
from ecg.records.record import Record
from ecg.rhythms.atria import fibrillation, sick_sinus, two_to_one
from ecg.rhythms.donors import Focus, detour, donor_of, foci
from ecg.rhythms.draft import SHORTEST, Draft
from ecg.rhythms.drawing import draw_noises, draw_plan
from ecg.rhythms.morphing import disturb, fibrillate, move
from ecg.rhythms.plan import Noise, Plan, PWave, Wave
from ecg.rhythms.ventricles import conduction
from tests.support.annotated_pieces import annotated, fake
from trainer.recipes import FOLDS
from trainer.synthesis import versions
from trainer.synthesis.versions import MAIN_LEAD, begin_elsewhere, donors_for, missed, version

RATE = 360.0


@pytest.fixture(scope="module")
def steady() -> Record:
    """A minute of the real excerpt under steady beats that are all called N."""
    whole = library.read("excerpt")
    peaks = np.arange(100, round(60 * whole.rate), round(0.8 * whole.rate))
    notes = fake(peaks, ["N"] * len(peaks))
    return replace(whole, name="steady", samples=whole.samples[: round(60 * whole.rate)], annotations=notes)


def beats_of(peaks: list[float] | np.ndarray, seconds: float) -> np.ndarray:
    """A made-up lead: a triangle 40 ms wide at each R-peak (s), a low P wave 160 ms before it."""
    at = np.arange(round(seconds * RATE)) / RATE
    signal = np.zeros(len(at))
    for peak in peaks:
        signal += np.clip(1 - np.abs(at - peak) / 0.02, 0, None)
        signal += 0.2 * np.exp(-(((at - peak + 0.16) / 0.02) ** 2))
    return signal


def test_a_plan_of_nothing_changes_nothing() -> None:
    peaks = np.arange(1, 19) * 300
    signal = np.random.default_rng(0).normal(size=6000)
    moved, marks, _ = move(signal, peaks, peaks, Plan.nothing(len(peaks)), RATE)
    assert np.array_equal(moved, signal)
    assert np.array_equal(marks, peaks)


@pytest.mark.parametrize("factor", [0.5, 0.6, 0.8, 1.0, 1.4])
def test_a_beat_is_moved_with_its_r_peak_and_the_rest_keeps_its_distance(factor: float) -> None:
    at = np.arange(1, 15) * 0.9
    peaks = np.rint(at * RATE).astype(np.int64)
    made = Plan.nothing(len(peaks))
    made.interval[6] = factor
    moved, marks, _ = move(beats_of(at, 14), peaks, peaks, made, RATE)
    rr = np.diff(marks) / RATE
    assert rr[5] == pytest.approx(0.9 * factor, abs=0.01)
    assert np.delete(rr, 5) == pytest.approx(0.9, abs=0.01)
    assert np.all(moved[marks] > 0.85)
    assert len(moved) == pytest.approx(14 * RATE + 0.9 * (factor - 1) * RATE, abs=3)


def test_a_p_wave_is_made_smaller_or_turned_and_the_qrs_is_left_alone() -> None:
    at = np.arange(1, 15) * 0.9
    peaks = np.rint(at * RATE).astype(np.int64)
    made = Plan.nothing(len(peaks))
    made.p_wave[4], made.p_wave[9] = 0.0, -1.0
    signal = beats_of(at, 14)
    moved, _, _ = move(signal, peaks, peaks, made, RATE)
    p_wave = peaks - round(0.16 * RATE)
    assert moved[p_wave[4]] == pytest.approx(0, abs=0.02)
    assert moved[p_wave[9]] == pytest.approx(-signal[p_wave[9]], abs=0.02)
    assert moved[peaks[[4, 9]]] == pytest.approx(signal[peaks[[4, 9]]])


def test_an_ectopic_p_wave_may_be_of_another_shape_and_later() -> None:
    at = np.arange(1, 15) * 0.9
    peaks = np.rint(at * RATE).astype(np.int64)
    made = Plan.nothing(len(peaks))
    made.p_wave[4], made.p_turn[4] = 0.0, 1.0
    made.p_shift[9] = 0.03
    signal = beats_of(at, 14)
    moved, _, _ = move(signal, peaks, peaks, made, RATE)
    p_wave = peaks - round(0.16 * RATE)
    wave = moved[p_wave[4] - 20 : p_wave[4] + 20]
    assert wave.max() == pytest.approx(-wave.min(), rel=0.2)
    assert np.ptp(wave) == pytest.approx(0.2, rel=0.3)
    later = moved[p_wave[9] - 20 : p_wave[9] + 25]
    assert (later.argmax() - 20) / RATE == pytest.approx(0.03, abs=0.004)
    assert moved[peaks[[4, 9]]] == pytest.approx(signal[peaks[[4, 9]]])


def test_early_beats_are_early_and_only_normal_ones_are_made_so() -> None:
    rng = np.random.default_rng(1)
    rr = 0.8 * np.exp(rng.normal(0, 0.02, 8000))
    normal = rng.random(8000) > 0.02
    classes = np.where(normal, "N", "V")
    made = draw_plan(np.cumsum(rr), classes, np.ones(8000, bool), [], np.random.default_rng(4))
    assert 200 < made.early.sum() < 4000
    assert normal[made.early].all()
    assert np.median(made.interval[made.early]) < 0.93
    assert made.interval[made.early].max() < 1.5
    assert (made.interval * rr)[made.early].min() > 0.9 * SHORTEST
    still = ~normal
    assert np.all(made.p_wave[still] == 1)
    assert np.all((made.p_turn == 0) | made.early)
    irregular = (made.interval != 1) & ~made.early
    assert irregular.sum() > 500


def test_a_rhythm_without_steady_normal_beats_gets_no_early_ones() -> None:
    rng = np.random.default_rng(0)
    rr = 0.8 * np.exp(rng.normal(0, 0.5, 1500))
    assert not draw_plan(np.cumsum(rr), np.full(1500, "V"), np.ones(1500, bool), [], rng).early.any()


def test_where_the_atria_fibrillate_no_beat_is_made_supraventricular() -> None:
    rr = 0.8 * np.exp(np.random.default_rng(1).normal(0, 0.02, 8000))
    atrial = np.arange(8000) < 3000
    made = draw_plan(np.cumsum(rr), np.full(8000, "N"), atrial, [], np.random.default_rng(5))
    assert made.early[:3000].sum() > 100
    assert not made.early[3000:].any()
    assert (made.interval[3000:] != 1).any()


def test_early_beats_in_made_up_fibrillation_become_normal_and_stay_early_in_other_rhythms() -> None:
    classes = np.where(np.arange(600) % 7 == 3, "S", "N")
    draft = drafted(classes=classes)
    length = fibrillation(draft, 3)
    here = slice(3, 3 + length)
    assert np.array_equal(draft.made.lost[here], classes[here] == "S")
    assert not draft.made.lost[3 + length :].any()
    assert len(set(draft.made.p_wave[here])) == 1
    draft = drafted(classes=classes)
    draft.stretch(3, np.full(100, 0.8))
    assert not draft.made.lost.any()
    assert np.all(draft.made.interval[3:103] == 0.8)


def test_most_ventricular_beats_have_no_p_wave(donor_record: Record) -> None:
    donor = donor_of(donor_record, main=True)
    assert donor is not None
    draft = drafted()
    for at in range(3, 500):
        draft.ventricular(at, 0.8, Focus(donor, 0, 1.0))
    assert 0.7 < (draft.made.p_wave[3:500] < 0.3).mean() < 0.95


def test_a_version_is_the_same_each_time_and_another_number_is_another_one(steady: Record) -> None:
    one, again, other = version(steady, 0), version(steady, 0), version(steady, 1)
    assert one.name == "steady~0"
    assert np.array_equal(one.samples, again.samples)
    assert one.samples.shape != other.samples.shape or not np.array_equal(one.samples, other.samples)


def test_a_version_has_the_beats_of_the_record_in_order_and_calls_early_ones_a(
    steady: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MISSED", 0.0)
    several = [version(steady, number) for number in range(6)]
    assert steady.annotations is not None
    early = 0
    for made in several:
        assert made.annotations is not None
        assert len(made.annotations.index) == len(steady.annotations.index)
        assert (np.diff(made.annotations.index) > 0).all()
        assert made.annotations.index[-1] < len(made.samples)
        assert set(made.annotations.symbol) <= {"N", "A"}
        early += int((made.annotations.symbol == "A").sum())
    assert early > 3


def test_later_versions_are_of_the_other_lead(steady: Record) -> None:
    two = replace(
        steady,
        leads=("MLII", "V1"),
        gain=np.repeat(steady.gain[:1], 2),
        baseline=np.repeat(steady.baseline[:1], 2),
        samples=np.stack((steady.samples[:, 0], -steady.samples[:, 0]), axis=1),
    )
    assert version(two, MAIN_LEAD - 1).leads == ("MLII",)
    assert version(two, MAIN_LEAD).leads == ("V1",)
    alone = replace(two, leads=("MLII",), gain=two.gain[:1], baseline=two.baseline[:1], samples=two.samples[:, :1])
    assert version(alone, MAIN_LEAD).leads == ("MLII",)


def test_a_record_with_other_beats_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MISSED", 0.0)
    record = annotated("one", 0)
    made = version(record, 0)
    assert record.annotations is not None
    assert made.annotations is not None
    kept, found = record.annotations.symbol != "N", made.annotations.symbol
    turns = [np.roll(record.annotations.symbol, k)[np.roll(kept, k)] for k in range(len(kept))]
    assert any(
        np.array_equal(found[np.roll(kept, k)], symbols) for k, symbols in zip(range(len(kept)), turns, strict=True)
    )


def test_a_record_may_begin_elsewhere_and_has_the_same_beats_in_the_same_order() -> None:
    record = annotated("one", 0)
    before = record.annotations
    assert before is not None
    turned = begin_elsewhere(record, np.random.default_rng(4))
    after = turned.annotations
    assert after is not None
    assert (np.diff(after.index) > 0).all()
    moved = int(np.flatnonzero(after.index == after.index[after.index >= 0].min())[0])
    assert moved == 0
    k = next(k for k in range(1, len(before.index)) if np.array_equal(np.roll(before.symbol, -k), after.symbol))
    first = (before.index[k] - after.index[0]) % len(record.samples)
    assert before.index[k - 1] < first < before.index[k]
    assert np.array_equal(turned.samples, np.roll(record.samples, -first, axis=0))
    assert (before.symbol[k - 1], before.symbol[k]) == ("N", "N")


def test_a_record_without_two_normal_beats_begins_where_it_begins(steady: Record) -> None:
    notes = steady.annotations
    assert notes is not None
    ventricular = replace(steady, annotations=replace(notes, symbol=np.full(len(notes.symbol), "V")))
    assert begin_elsewhere(ventricular, np.random.default_rng(0)) is ventricular


@pytest.fixture(scope="module")
def donor_record() -> Record:
    return annotated("donor", 60)


def test_a_donor_gives_its_ventricular_beats_in_units_of_its_normal_ones(donor_record: Record) -> None:
    donor = donor_of(donor_record, main=True)
    assert donor is not None
    assert donor_record.annotations is not None
    assert 0 < len(donor.beats) <= (donor_record.annotations.symbol == "V").sum()
    assert np.abs(donor.beats[:, :5].mean(axis=1)).max() < 0.02
    assert 0.5 < np.median(np.ptp(donor.beats, axis=1)) < 4


def test_a_record_without_ventricular_beats_gives_none(steady: Record) -> None:
    assert donor_of(steady, main=True) is None
    assert foci([], np.random.default_rng(0)) == []


def test_put_in_ventricular_beats_look_like_the_donors_and_mixed_ones_lie_between(donor_record: Record) -> None:
    donor = donor_of(donor_record, main=True)
    assert donor is not None
    rng = np.random.default_rng(0)
    at = np.arange(1, 15) * 0.9
    peaks = np.rint(at * RATE).astype(np.int64)
    made = Plan.nothing(len(peaks))
    body = Focus(donor, 0, 1.0).beat(rng)
    made.bodies, made.weight[4], made.weight[9] = {4: body, 9: body}, 1.0, 0.5
    signal = beats_of(at, 14)
    moved, marks, moved_peaks = move(signal, peaks, peaks, made, RATE, 2.0)
    assert np.array_equal(marks, moved_peaks)
    reach = np.arange(-20, 60)
    own, whole, mixed = signal[peaks[4] + reach], moved[marks[4] + reach], moved[marks[9] + reach]
    donated = 2.0 * body[round(0.14 * RATE) - 20 :][: len(reach)]
    assert np.corrcoef(whole, donated)[0, 1] > 0.99
    assert np.corrcoef(mixed, own + donated)[0, 1] > 0.98
    assert np.diff(marks) / RATE == pytest.approx(0.9, abs=0.03)


def test_with_donors_a_version_has_ventricular_and_fusion_beats_where_normal_ones_were(
    steady: Record, donor_record: Record
) -> None:
    donor = donor_of(donor_record, main=True)
    assert donor is not None
    donors = {(steady.name, main, "V"): [donor] for main in (True, False)}
    symbols = np.concatenate([version(steady, n, donors).annotations.symbol for n in range(12)])  # type: ignore[union-attr]
    assert {"N", "A", "V", "F"} == set(symbols)
    assert (symbols == "N").mean() > 0.5


def test_a_donor_at_another_rate_is_not_used(steady: Record, donor_record: Record) -> None:
    donor = donor_of(replace(donor_record, rate=250.0), main=True)
    assert donor is not None
    donors = {(steady.name, main, "V"): [donor] for main in (True, False)}
    for number in range(6):
        notes = version(steady, number, donors).annotations
        assert notes is not None
        assert "V" not in notes.symbol


def test_donors_come_from_the_records_own_part_of_ds1_only(
    donor_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def stand_in(name: str) -> Record:
        read.append(name)
        return replace(donor_record, name=name)

    monkeypatch.setattr(library, "read", stand_in)
    found = donors_for([FOLDS[1][0]], DS1)
    assert set(read) == set(FOLDS[1])
    assert set(found) == {(FOLDS[1][0], main, kind) for main in (True, False) for kind in "VN"}


def test_fibrillating_atria_are_seen_between_their_two_beats_only() -> None:
    rng = np.random.default_rng(0)
    peaks = np.arange(1, 14) * 360
    signal = np.zeros(5000)
    fibrillate(signal, peaks, Wave(2, 9, 0.1, 6.0), 2.0, RATE, rng)
    assert not signal[: peaks[2]].any()
    assert not signal[peaks[9] :].any()
    inside = signal[peaks[2] : peaks[9]]
    assert 0.1 < np.ptp(inside) < 0.6
    spectrum = np.abs(np.fft.rfft(inside))
    assert np.argmax(spectrum) * RATE / len(inside) == pytest.approx(6.0, abs=1.5)


def test_in_some_versions_beats_are_missed_and_most_are_not() -> None:
    drawn = np.stack([missed(2000, np.random.default_rng(seed)) for seed in range(200)])
    assert 0.2 < drawn.any(axis=1).mean() < 0.4
    assert 0 < drawn[drawn.any(axis=1)].mean() < 0.2


def test_missed_beats_are_in_the_signal_of_a_version_and_have_no_mark(
    steady: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MISSED", 0.0)
    whole = version(steady, 3)
    monkeypatch.setattr(versions, "missed", lambda count, rng: np.arange(count) == 40)
    lacking = version(steady, 3)
    assert whole.annotations is not None
    assert lacking.annotations is not None
    assert np.array_equal(lacking.samples, whole.samples)
    assert np.array_equal(lacking.annotations.index, np.delete(whole.annotations.index, 40))


@pytest.mark.parametrize(("low", "high"), [(1.0, 10.0), (15.0, 60.0)])
def test_noise_has_its_size_and_band_and_is_between_its_two_beats_only(low: float, high: float) -> None:
    peaks = np.arange(1, 60) * 360
    signal = np.zeros(60 * 360)
    disturb(signal, peaks, Noise(5, 50, 0.1, low, high, 0.0), 2.0, RATE, np.random.default_rng(0))
    assert not signal[: peaks[5]].any()
    assert not signal[peaks[50] :].any()
    inside = signal[peaks[5] : peaks[50]]
    assert inside.std() == pytest.approx(0.2, rel=0.05)
    power = np.abs(np.fft.rfft(inside)) ** 2
    hertz = np.fft.rfftfreq(len(inside), 1 / RATE)
    assert power[(hertz > 0.9 * low) & (hertz < 1.1 * high)].sum() > 0.97 * power.sum()


def test_noise_too_short_to_be_heard_is_left_out() -> None:
    signal = np.zeros(3000)
    disturb(signal, np.arange(1, 9) * 300, Noise(2, 3, 0.1, 1.0, 9.0, 0.5), 1.0, RATE, np.random.default_rng(0))
    assert not signal.any()


def test_some_versions_are_noisy_and_noise_begins_at_one_of_their_beats() -> None:
    drawn = [draw_noises(500, np.random.default_rng(seed)) for seed in range(200)]
    assert 0.25 < np.mean([bool(made) for made in drawn]) < 0.55
    assert all(0 <= noise.first < min(noise.last, 500) for made in drawn for noise in made)


def test_another_way_through_the_ventricles_keeps_the_p_wave_and_the_class(donor_record: Record) -> None:
    donor = donor_of(donor_record, main=True, kind="N")
    assert donor is not None
    at = np.arange(1, 15) * 0.9
    peaks = np.rint(at * RATE).astype(np.int64)
    other = detour([donor], np.random.default_rng(3))
    assert other is not None
    made = Plan.nothing(len(peaks))
    made.conducted[4], made.bodies[4] = True, other.beat(np.random.default_rng(0))
    signal = beats_of(at, 14)
    moved, marks, _ = move(signal, peaks, peaks, made, RATE, 1.0)
    before = np.arange(round(-0.2 * RATE), round(-0.1 * RATE))
    assert moved[marks[4] + before] == pytest.approx(signal[peaks[4] + before], abs=0.02)
    after = np.arange(round(-0.02 * RATE), round(0.2 * RATE))
    assert np.corrcoef(moved[marks[4] + after], made.bodies[4][round(0.14 * RATE) + after])[0, 1] > 0.98
    assert detour([], np.random.default_rng(0)) is None


def test_beats_that_take_the_detour_stay_normal_or_early(donor_record: Record) -> None:
    donor = donor_of(donor_record, main=True, kind="N")
    assert donor is not None
    draft = drafted(detour=Focus(donor, 0, 1.0))
    length = conduction(draft, 3)
    assert draft.made.conducted[3 : 3 + length].all()
    assert draft.made.conducted.sum() == length == len(draft.made.bodies)
    assert not draft.made.early.any()
    assert not draft.made.weight.any()
    draft = drafted(detour=Focus(donor, 0, 1.0), aberrant=0.5)
    for at in range(3, 500):
        draft.early(at, 0.8, PWave(-1.0))
    assert draft.made.early[3:500].all()
    assert 0.3 < draft.made.conducted[3:500].mean() < 0.7


def drafted(
    count: int = 600, classes: np.ndarray | None = None, detour: Focus | None = None, aberrant: float = 0.0
) -> Draft:
    """A steady rhythm of normal beats (or of these classes) under no plan yet."""
    there = np.ones(count, bool)
    normal, supra = (there, ~there) if classes is None else (classes == "N", classes == "S")
    rr = np.full(count, 0.8)
    rng = np.random.default_rng(3)
    return Draft(
        made=Plan.nothing(count),
        rr=rr,
        atrial=there,
        steady=normal,
        movable=normal,
        supra=supra,
        narrow=there,
        foci=[],
        detour=detour,
        aberrant=aberrant,
        rng=rng,
    )


def test_where_the_atria_lead_most_beats_are_ectopic_and_the_others_follow_pauses() -> None:
    draft = drafted()
    length = sick_sinus(draft, 3)
    here = slice(3, 3 + length)
    early = draft.made.early[here]
    assert 0.3 < early.mean() < 1
    assert np.median(draft.made.interval[here][~early]) > 1.2 * np.median(draft.made.interval[here][early])
    assert set(draft.made.p_wave[here][~early]) == {1.0}
    assert len(set(draft.made.p_wave[here][early])) == 1


def test_dropped_beats_leave_intervals_of_about_twice_the_length_and_no_beat_is_early() -> None:
    draft = drafted()
    length = two_to_one(draft, 3)
    intervals = draft.made.interval[3 : 3 + length]
    assert not draft.made.early.any()
    longer = intervals != 1
    assert longer.any()
    assert np.all((intervals[longer] > 1.7) & (intervals[longer] < 2.2))
