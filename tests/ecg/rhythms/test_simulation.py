"""A simulated heart: the same samples however they are asked for, and a truth that is exact by construction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.records.aami import CLASS_OF
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from ecg.rhythms.simulation.leads import TWELVE
from ecg.rhythms.simulation.orders import Orders
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.simulation import Mark, Simulation

RATE = 250.0
ALL = ("II", "V1", "PLETH", "ABP")


def made(
    *script: tuple[float, Orders], names: tuple[str, ...] = ALL, seed: str = "s", rate: float = RATE
) -> Simulation:
    """A simulation with orders at some seconds."""
    steps = [(round(at * rate), one) for at, one in script]
    return Simulation(rate=rate, names=names, seed=seed, script=Script(steps))


def played(simulation: Simulation, seconds: float) -> tuple[np.ndarray, list[Mark]]:
    """Samples in the leads' own units, float64 [n, leads], and the marks."""
    chunk = simulation.next(round(seconds * simulation.rate))
    return chunk.samples / np.array(simulation.gain), chunk.marks


def beats(marks: list[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.symbol in CLASS_OF]


STORY = (
    (0.0, Orders(rhythm="sinus", ectopy="pvcs", per_minute=20)),
    (4.3, Orders(rate=110, over=3)),
    (6.0, Orders(rhythm="vt", artefacts={"motion": 1.0, "wander": 1.0})),
    (8.11, Orders(rhythm="vf", off=["V1"])),
    (10.0, Orders(rhythm="af", artefacts={}, off=[], swap="RA-LA")),
)


@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_samples_and_marks_do_not_depend_on_the_sizes_asked_for(sizes: list[int]) -> None:
    whole = made(*STORY).next(sum(sizes))
    simulation = made(*STORY)
    parts = [simulation.next(size) for size in sizes]
    assert (np.concatenate([part.samples for part in parts]) == whole.samples).all()
    assert [mark for part in parts for mark in part.marks] == whole.marks
    end = 0
    for part in parts:
        assert all(end <= mark.index < end + len(part.samples) for mark in part.marks)
        end += len(part.samples)


def test_a_seed_gives_the_same_heart_and_another_one_another() -> None:
    one, same, other = (made(seed=seed).next(2000).samples for seed in ("a", "a", "b"))
    assert (one == same).all() and (one != other).any()


def test_the_heart_beats_at_the_same_times_at_every_sampling_rate() -> None:
    slow, fast = (beats(played(made(*STORY, rate=rate), 12)[1]) for rate in (125.0, 1000.0))
    assert [mark.symbol for mark in slow] == [mark.symbol for mark in fast]
    assert np.allclose([m.index / 125 for m in slow], [m.index / 1000 for m in fast], atol=0.005)


NARROW = [name for name, one in RHYTHMS.items() if one.beat == "narrow" and one.atria == "sinus" and one.node == "all"]


@pytest.mark.parametrize("name", [name for name in NARROW if RHYTHMS[name].clock == ""])
def test_a_narrow_beat_has_its_mark_on_the_sample_of_its_r_peak(name: str) -> None:
    signal, marks = played(made((0.0, Orders(rhythm=name)), names=("II",), rate=500.0), 20)
    for mark in beats(marks):
        if 100 < mark.index < len(signal) - 100:
            peak = mark.index - 50 + int(signal[mark.index - 50 : mark.index + 50, 0].argmax())
            assert abs(peak - mark.index) <= 1


@pytest.mark.parametrize("name", list(RHYTHMS))
def test_every_rhythm_has_its_label_its_symbol_and_about_its_rate(name: str) -> None:
    rhythm = RHYTHMS[name]
    signal, marks = played(made((0.0, Orders(rhythm=name))), 60)
    assert np.isfinite(signal).all() and abs(signal[:, :2]).max() < 5
    assert [mark.rhythm for mark in marks if mark.symbol == "+"] == [rhythm.label]
    assert {mark.rhythm for mark in marks if mark.index > RATE} == {rhythm.label} or not beats(marks)
    found = beats(marks)
    if rhythm.node == "none" and not rhythm.clock:
        assert not found
        assert [mark.symbol for mark in marks if mark.symbol == "["] == (["["] if rhythm.label == "(VFIB" else [])
        return
    common = max(sorted({m.symbol for m in found}), key=[m.symbol for m in found].count)
    assert common == rhythm.symbol
    if not rhythm.pauses and rhythm.node in ("all", "none", "ratio") and rhythm.clock not in ("failing", "blind"):
        assert len(found) == pytest.approx(rhythm.rate, rel=0.06, abs=2)


def intervals(name: str, **more: object) -> np.ndarray:
    """RR intervals in s of a minute."""
    return np.diff([m.index for m in beats(played(made((0.0, Orders(rhythm=name, **more))), 60)[1])]) / RATE  # type: ignore[arg-type]


def test_a_sinus_rhythm_breathes_and_atrial_fibrillation_is_irregular() -> None:
    assert 0.01 < intervals("sinus").std() / intervals("sinus").mean() < 0.06
    assert intervals("af").std() / intervals("af").mean() > 0.15
    assert intervals("sinus", variability=0).std() < 0.02


def test_flutter_is_conducted_after_whole_numbers_of_flutter_waves() -> None:
    ratios = intervals("flutter") * 300 / 60
    assert set(np.rint(ratios)) == {2, 3, 4} and abs(ratios - np.rint(ratios)).max() < 0.2


def test_wenckebach_beats_come_in_groups_with_a_pause_after_each() -> None:
    rr = intervals("wenckebach")
    assert (rr > 1.3 * np.median(rr)).sum() == pytest.approx(60 * 75 / 60 / 4.3, abs=4)


def test_pauses_are_pauses() -> None:
    assert (intervals("pauses") > 2.6).sum() >= 4


EXTRA = {name: one for name, one in ECTOPY.items() if name != "none"}


@pytest.mark.parametrize("name", list(EXTRA))
def test_extra_beats_come_early_in_their_number_and_with_their_class(name: str) -> None:
    extra = EXTRA[name]
    marks = beats(played(made((0.0, Orders(rhythm="sinus", ectopy=name)), seed="e"), 120)[1])
    symbols = "".join(mark.symbol for mark in marks)
    wanted = ("a" if extra.aberrant else "A") if extra.atrial else "V"
    assert set(symbols) == {"N", wanted}
    runs = [len(run) for run in symbols.strip("V").replace("A", "V").replace("a", "V").split("N") if run]
    assert runs and set(runs) == {extra.many}
    if extra.after:
        between = [len(run) for run in symbols.strip("N").split("V")[1:-1]]
        assert set(between) == {extra.after}
        assert any(mark.rhythm == extra.label for mark in marks)
    for before, mark in pairwise(marks):
        if mark.symbol == wanted and before.symbol == "N":
            assert (mark.index - before.index) / RATE < 0.75 * 0.8


def test_an_r_on_t_beat_falls_on_the_t_wave() -> None:
    marks = beats(played(made((0.0, Orders(ectopy="r_on_t", per_minute=20))), 60)[1])
    early = [(b.index - a.index) / RATE for a, b in pairwise(marks) if b.symbol == "V"]
    assert early and min(early) > 0.26 and max(early) < 0.36


def test_the_twelve_leads_agree() -> None:
    signal, _ = played(made((0.0, Orders(ectopy="bigeminy", artefacts={"motion": 1.0})), names=TWELVE), 5)
    lead = dict(zip(TWELVE, signal.T, strict=True))
    for name, sum_ in (
        ("III", lead["II"] - lead["I"]),
        ("aVR", -(lead["I"] + lead["II"]) / 2),
        ("aVL", lead["I"] - lead["II"] / 2),
        ("aVF", lead["II"] - lead["I"] / 2),
    ):
        assert abs(lead[name] - sum_).max() < 0.005  # two steps of a code


def test_swapped_arms_turn_lead_one_over_and_put_it_right_again() -> None:
    swapped = made((3.0, Orders(swap="RA-LA")), (6.0, Orders(swap="")), names=TWELVE).next(2500)
    plain = made((3.0, Orders(breaths=15)), (6.0, Orders(breaths=15)), names=TWELVE).next(2500)
    one, other = swapped.samples.astype(int), plain.samples.astype(int)
    assert (one[:750] == other[:750]).all() and (one[1500:] == other[1500:]).all()
    middle = slice(800, 1450)
    assert np.corrcoef(one[middle, 0], -other[middle, 0])[0, 1] > 0.9
    assert np.corrcoef(one[middle, 1], other[middle, 2])[0, 1] > 0.9
    assert (one[middle, 6:] == other[middle, 6:]).all()
    assert [(m.index, m.note) for m in swapped.marks if m.symbol == "~"] == [(750, "RA-LA swapped"), (1500, "clean")]


def test_artefacts_and_leads_off_last_exactly_from_mark_to_mark() -> None:
    dirty = made(
        (2.0, Orders(artefacts={"saturation": 1.0})), (3.0, Orders(artefacts={}, off=["V1"])), (4.0, Orders(off=[]))
    )
    chunk = dirty.next(1500)
    assert [(m.index, m.note) for m in chunk.marks if m.symbol == "~"] == [
        (500, "saturation 1"),
        (750, "V1 off"),
        (1000, "clean"),
    ]
    rail = (chunk.samples[:, :2] == 32767).all(axis=1)
    assert np.flatnonzero(rail)[[0, -1]].tolist() == [500, 749] and rail.sum() == 250
    still = np.flatnonzero(np.diff(chunk.samples[:, 1].astype(int)) == 0)
    assert (chunk.samples[750:1000, 1] == chunk.samples[750, 1]).all() and len(still) > 240
    assert (abs(np.diff(chunk.samples[750:1000, 0].astype(int))) > 0).sum() > 200


@pytest.mark.parametrize("name", ["wander", "muscle", "mains50", "mains60", "motion"])
def test_an_artefact_adds_its_own_band(name: str) -> None:
    noisy, _ = played(made((0.0, Orders(rhythm="asystole", artefacts={name: 1.0})), names=("II",)), 20)
    quiet, _ = played(made((0.0, Orders(rhythm="asystole")), names=("II",)), 20)
    power = abs(np.fft.rfft((noisy - quiet)[1000:, 0])) ** 2
    hertz = np.fft.rfftfreq(4000, 1 / RATE)
    middle = float((power * hertz).sum() / power.sum())
    low, high = {"wander": (0, 1), "muscle": (40, 110), "mains50": (48, 54), "mains60": (58, 64), "motion": (1, 16)}[
        name
    ]
    assert low < middle < high and noisy.std() > 3 * quiet.std()


def test_a_ventricular_beat_gives_a_weak_pulse_and_fibrillation_none() -> None:
    signal, marks = played(made((0.0, Orders(ectopy="pvcs", per_minute=15)), (30, Orders(rhythm="vf"))), 50)
    pulse = {symbol: [] for symbol in "NV"}  # type: dict[str, list[float]]
    found = beats(marks)
    for before, mark in pairwise(found):
        after = signal[mark.index + 75 : mark.index + 160, 2]
        if mark.index < 28 * RATE:
            if mark.symbol == "V":
                pulse["V"].append(float(np.ptp(after)))
            elif before.symbol == "N":
                pulse["N"].append(float(np.ptp(after)))
    assert np.median(pulse["V"]) < 0.5 * np.median(pulse["N"])
    assert np.ptp(signal[-1500:, 2]) < 0.02
    assert 15 < signal[-1, 3] < 30 and 100 < signal[: int(28 * RATE), 3].max() < 150


def test_the_pressure_at_rest_is_the_one_asked_for() -> None:
    for systolic in (90, 150):
        signal, _ = played(made((0.0, Orders(systolic=systolic, variability=0)), names=("II", "ABP")), 30)
        assert signal[4000:, 1].max() == pytest.approx(systolic, abs=6)


def test_numbers_go_to_their_values_little_by_little() -> None:
    marks = beats(played(made((0.0, Orders(rate=60, variability=0)), (10, Orders(rate=120, over=20))), 45)[1])
    at = np.array([mark.index for mark in marks]) / RATE
    rate = 60 / np.diff(at)
    assert rate[at[1:] < 10].max() < 64 and rate[at[1:] > 32].min() > 115
    middle = rate[(at[1:] > 19) & (at[1:] < 21)]
    assert 82 < middle.mean() < 98


def test_st_elevation_lifts_the_segment_by_what_was_asked_in_its_own_leads() -> None:
    names = ("II", "aVF", "V2", "I")
    plain, marks = played(made((0.0, Orders(variability=0)), names=names), 10)
    raised, _ = played(made((0.0, Orders(variability=0, st=0.4)), names=names), 10)
    mark = next(m.index for m in beats(marks) if m.index > 500)
    lift = (raised - plain)[mark + 25 : mark + 40].mean(axis=0)
    assert 0.25 < lift[0] < 0.6 and 0.25 < lift[1] < 0.6 and lift[3] < -0.05


def test_potassium_makes_the_t_wave_tall_and_the_p_wave_flat() -> None:
    plain, marks = played(made((0.0, Orders(variability=0)), names=("II",)), 10)
    sick, _ = played(made((0.0, Orders(variability=0, potassium=8.5)), names=("II",)), 10)
    mark = next(m.index for m in beats(marks) if m.index > 500)
    assert sick[mark + 50 : mark + 110].max() > 1.5 * plain[mark + 50 : mark + 110].max()
    assert np.ptp(sick[mark - 45 : mark - 20]) < 0.5 * np.ptp(plain[mark - 45 : mark - 20])


ORDERS = st.builds(
    Orders,
    rhythm=st.sampled_from([None, *RHYTHMS]),
    ectopy=st.sampled_from([None, *ECTOPY]),
    rate=st.sampled_from([None, 40.0, 100.0, 250.0]),
    artefacts=st.sampled_from([None, {}, {"muscle": 1.0}, {"motion": 2.0}]),
    off=st.sampled_from([None, [], ["II"]]),
    swap=st.sampled_from([None, "", "RA-LL"]),
    st=st.sampled_from([None, 0.3]),
    potassium=st.sampled_from([None, 9.0]),
)


@given(before=st.integers(1, 1500), orders=ORDERS, first=st.sampled_from(list(RHYTHMS)))
@settings(max_examples=60, deadline=None)
def test_an_order_changes_nothing_before_its_index(before: int, orders: Orders, first: str) -> None:
    script = (0.0, Orders(rhythm=first, ectopy="pvcs"))
    ordered, plain = made(script), made(script)
    one = [ordered.next(before).samples, plain.next(before).samples]
    index = ordered.order(orders)
    assert index >= before
    after, other = ordered.next(2000).samples, plain.next(2000).samples
    assert (one[0] == one[1]).all()
    assert (after[: index - before] == other[: index - before]).all()


def test_an_order_at_a_time_and_the_same_step_of_a_script_are_one() -> None:
    scripted = made((0.0, Orders()), (7.0, Orders(rhythm="vt")))
    ordered = made((0.0, Orders()))
    ordered.next(300)
    assert ordered.at(1750, Orders(rhythm="vt")) == 1750
    a, b = scripted.next(3000), ordered.next(2700)
    assert (a.samples[300:] == b.samples).all()
