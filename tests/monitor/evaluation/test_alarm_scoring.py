from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Annotations, Record
from ecg.settings import AlarmSettings, Config
from monitor.alarms import Sign
from monitor.alarms.ward import beats_known_after
from monitor.evaluation.command import run
from monitor.evaluation.reference import Span, reference
from monitor.evaluation.replay import Heard, Raised, episodes, listen, signs_of
from monitor.evaluation.scoring import Tally, evaluate, groups, score
from monitor.ward.play import waves
from tests.support.wards import CARD, WEIGHTS, Run, alarm_story

RATE = 100.0


def annotated(text: str, rhythms: dict[int, str] | None = None, spacing: int = 80) -> Annotations:
    """Beats one after the other from a text of MIT-BIH symbols; rhythm labels by sample."""
    rows = [(spacing * (k + 1), symbol, "") for k, symbol in enumerate(text)]
    rows += [(index, "+", rhythm) for index, rhythm in (rhythms or {}).items()]
    force, made = "", []
    for index, symbol, rhythm in sorted(rows):
        force = rhythm or force
        made.append((index, symbol, force))
    indices, symbols, forces = zip(*made, strict=True)
    return Annotations(np.array(indices), np.array(symbols), np.array(forces))


def test_reference_episodes_are_read_from_symbols_and_labels_as_one_would_by_hand() -> None:
    text = "NNVVNNNVVVNNVNVNVNNNNVNNVNNVNNN"
    truth = reference(annotated(text, {5: "(N", 800: "(AFIB", 1600: "(N"}), AlarmSettings(), RATE, 3000)
    episodes = truth.episodes
    assert episodes["couplet"] == [Span(240, 320)]
    assert episodes["run"] == [Span(640, 800)]
    assert episodes["nonsustained_vt"] == []  # 75/min
    assert episodes["bigeminy"] == [Span(80 * 12, 80 * 17)]
    assert episodes["trigeminy"] == [Span(80 * 20, 80 * 28)]
    assert episodes["atrial_fibrillation"] == [Span(800, 1599)]
    assert episodes["pause"] == []


def test_rates_pauses_and_fast_runs_are_read_from_the_intervals() -> None:
    slow = reference(annotated("NNNNNN", spacing=130), AlarmSettings(), RATE, 1000).episodes
    assert slow["bradycardia"] == [Span(130, 780)]
    assert slow["extreme_bradycardia"] == []
    fast = reference(annotated("N" * 5 + "V" * 8 + "N" * 3, spacing=40), AlarmSettings(), RATE, 1000).episodes
    assert fast["ventricular_tachycardia"] == [Span(240, 520)]
    assert fast["tachycardia"] == [Span(40, 640)]
    assert fast["extreme_tachycardia"] == []
    late = reference(annotated("NNN", spacing=410), AlarmSettings(), RATE, 2000).episodes
    assert late["asystole"] == late["pause"] == [Span(410, 820), Span(820, 1230)]


@pytest.mark.parametrize("label", ["(VFL", "(VFIB", "(VF"])
def test_fibrillation_has_three_labels(label: str) -> None:
    truth = reference(annotated("NNNNNNNN", {5: "(N", 300: label, 500: "(N"}), AlarmSettings(), RATE, 1000)
    assert truth.episodes["fibrillation"] == [Span(300, 499)]


def test_beats_in_flutter_are_left_out_and_count_neither_way() -> None:
    notes = annotated("N" * 10 + "V" * 10 + "N" * 20, {5: "(N", 790: "(VFL", 1650: "(N"}, spacing=80)
    truth = reference(notes, AlarmSettings(), RATE, 4000)
    assert truth.episodes["fibrillation"] == [Span(790, 1649)]
    assert truth.excluded == [Span(790, 2149)]
    assert truth.episodes["run"] == []
    alarm = Raised("ventricular_rhythm", 900, 1500, 1200)
    kinds, _ = score([alarm], truth, RATE, 4000)
    assert (kinds["run"].alarms, kinds["ventricular_rhythm"].alarms) == (0, 0)


def test_episodes_alarms_and_delays_are_counted_by_overlap() -> None:
    truth = reference(annotated("NNVVNNNNNNVVNNNN"), AlarmSettings(), RATE, 2000)
    raised = [Raised("couplet", 240, 320, 400), Raised("couplet", 640, 720, 800), Raised("pause", 100, 200, 200)]
    kinds, _ = score(raised, truth, RATE, 2000)
    couplet = kinds["couplet"].row(hours=0.5)
    assert (couplet["episodes"], couplet["found"], couplet["alarms"], couplet["true"]) == (2, 1, 2, 1)
    assert (couplet["sensitivity"], couplet["predictivity"], couplet["false_per_hour"]) == (0.5, 0.5, 2.0)
    assert couplet["delay_longest_s"] == pytest.approx((400 - 240 + beats_known_after(RATE)) / RATE)
    assert kinds["pause"].row(hours=0.5)["sensitivity"] is None


def test_atrial_fibrillation_is_scored_by_time_and_atrial_flutter_left_out() -> None:
    notes = annotated("N" * 50, {5: "(AFIB", 1005: "(N", 2005: "(AFL", 3005: "(N"})
    truth = reference(notes, AlarmSettings(), RATE, 4005)
    kinds, _ = score([Raised("atrial_fibrillation", 505, 2504, 900)], truth, RATE, 4005)
    row = kinds["atrial_fibrillation"].row(hours=1.0)
    assert row["time_sensitivity"] == pytest.approx(0.5)
    assert row["time_predictivity"] == pytest.approx(5 / 15)
    assert (row["found"], row["true"]) == (1, 1)


def test_tallies_of_several_records_add_up() -> None:
    total = Tally(
        episodes=3,
        found=2,
        alarms=4,
        true=3,
        delays=[1.0, 2.0],
        seconds_both=1.0,
        seconds_missed=2.0,
        seconds_false=3.0,
    )
    total.add(Tally(episodes=1, found=1, alarms=1, true=1, delays=[5.0]))
    assert total == Tally(
        episodes=4,
        found=3,
        alarms=5,
        true=4,
        delays=[1.0, 2.0, 5.0],
        seconds_both=1.0,
        seconds_missed=2.0,
        seconds_false=3.0,
    )


def test_records_are_grouped_as_the_report_has_them() -> None:
    assert groups(["101", "100"]) == {"DS1": ["101"], "DS2": ["100"], "all": ["101", "100"]}
    assert groups(["100", "103"]) == {"all": ["100", "103"]}
    assert groups(["bed"]) == {"all": ["bed"]}


def piece(start: int, name: str) -> Record:
    whole = library.read("excerpt")
    return replace(whole, name=name, samples=whole.samples[start : start + 14_400])


def heard(records: list[Record]) -> list[Heard]:
    return listen(records, Config(), WEIGHTS, "cpu", doubt=CARD.doubt)


def beats(one: Heard) -> list[tuple[int, str, float | None]]:
    return [(beat.index, beat.cls, beat.rr_ms) for beat in one.beats]


def test_a_record_sounds_the_same_alone_as_in_company_and_memory_stays_with_its_record() -> None:
    pieces = [piece(0, "a"), piece(30_000, "b"), piece(60_000, "a")]
    for record, expected in zip(pieces, heard(pieces), strict=True):
        (alone,) = heard([record])
        assert beats(alone) == beats(expected)
        assert alone.raised == expected.raised
        assert len(alone.index) > 40


def test_ten_seconds_of_flat_line_are_scored_as_they_are_heard_live() -> None:
    """The memory was reset after the line live, and not where alarms were scored: 20 of 92 beats had another class."""
    samples = library.read("excerpt").samples[:36_000].copy()
    samples[10_800:14_400] = samples[10_799] + 7
    record = replace(piece(0, "flat"), samples=samples)
    (scored,) = heard([record])
    run = Run()
    for wave in waves(record, 0.25):
        run.ward.wave("a", wave, 0)
        run.step()
    run.finish()
    assert [(beat.index, beat.cls) for beat in run.of("a")] == list(zip(scored.index, scored.classes, strict=True))
    assert episodes(alarm_story(run, "a"), len(samples)) == scored.raised
    assert "lead_off" in [one.kind for one in scored.raised]
    assert len(scored.beats) > 100


def test_the_signs_that_go_with_reference_beats_are_those_of_the_ward() -> None:
    samples = library.read("excerpt").samples[:36_000].copy()
    samples[10_800:14_400] = samples[10_799] + 7
    flat, other = replace(piece(0, "flat"), samples=samples), piece(30_000, "b")
    found, none = signs_of([flat, other], Config().monitor)
    turns = [now for before, now in pairwise([Sign(0), *found]) if now.lead_off != before.lead_off]
    assert [(sign.index, sign.lead_off) for sign in turns[:2]] == [(10_800 + 720, True), (14_400, False)]
    assert not [sign for sign in none if sign.lead_off or sign.fibrillation]
    (told,) = heard([flat])
    assert [(one.onset, one.over) for one in told.raised if one.kind == "lead_off"] == [(11_520, 14_400)]


def test_a_record_without_annotations_is_one_sentence() -> None:
    with pytest.raises(UserError, match="record a has no annotations"):
        evaluate([replace(piece(0, "a"), annotations=None)], Config())


def test_the_command_prints_a_table_and_writes_every_number(
    records: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "alarms.json"
    assert run(["207,100", "--reference-only", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "fibrillation" in printed
    assert "High priority: 0 false" in printed
    numbers = json.loads(file.read_text(encoding="utf-8"))
    assert numbers["groups"]["all"]["records"] == ["207", "100"]
    assert numbers["groups"]["all"]["reference"]["kinds"]["fibrillation"]["found"] == 6
    assert numbers["settings"]["vt_rate"] == 130.0


def test_a_file_that_cannot_be_written_is_one_sentence(records: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write"):
        run(["100", "--reference-only", "--json", str(tmp_path)])


def test_with_reference_beats_the_alarms_of_all_records_are_as_good_as_promised(records: list[str]) -> None:
    read = [library.read(name) for name in records]
    scores = evaluate(read, Config())["all"]["reference"]
    kinds = scores["kinds"]
    for kind in (
        "couplet run nonsustained_vt ventricular_tachycardia ventricular_rhythm bigeminy trigeminy pause asystole "
        "bradycardia tachycardia extreme_bradycardia extreme_tachycardia fibrillation frequent_v r_on_t"
    ).split():
        assert kinds[kind]["episodes"] >= 6
        assert kinds[kind]["sensitivity"] >= 0.99, kind
        assert kinds[kind]["predictivity"] >= 0.99, kind
    assert kinds["atrial_fibrillation"]["time_sensitivity"] >= 0.95
    assert kinds["atrial_fibrillation"]["time_predictivity"] >= 0.90
    assert scores["high"]["delay_longest_s"] <= 10
    assert scores["high"]["false"] == 0
