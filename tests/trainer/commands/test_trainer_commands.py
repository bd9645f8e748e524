from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from ecg.model import weights
from ecg.records.aami import DS1
from ecg.records.record import Record
from tests.support.annotated_pieces import fake, write_wfdb
from trainer.__main__ import main
from trainer.data import cache
from trainer.data.versions import made_by, versions_path
from trainer.recipes import RECIPES
from trainer.scoring import calibration, crossvalidation

QUICK = [
    word for text in ("epochs=2", "steps=2", "streams=4", "beats=12", "reader=8", "stem=4") for word in ("--set", text)
]


@pytest.fixture
def folder(pieces: list[Record], tmp_path: Path) -> Path:
    place = tmp_path / "data"
    place.mkdir()
    for record in pieces:
        write_wfdb(record, place)
    return place


@pytest.fixture
def run_folder(stand_ins: Path, tmp_path: Path) -> Path:
    assert main(["fit", "--beats", str(stand_ins), "--out", str(tmp_path / "run"), *QUICK]) == 0
    return tmp_path / "run"


def test_fit_shows_each_epoch_and_validates_on_held_out_records(
    stand_ins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "--beats", str(stand_ins), "--out", str(tmp_path / "run"), *QUICK]) == 0
    said = capsys.readouterr().out
    assert "17 records" in said
    assert "epoch 2" in said
    assert "macro_f1_nsv" in said
    card = weights.load(tmp_path / "run")[1]
    assert set(card.metrics["held_out_ds1"]["records"]).isdisjoint(card.metrics["fitted_on"]["records"])
    assert card.limits


def test_a_finished_run_can_be_resumed_and_other_beats_are_refused(
    run_folder: Path, stand_ins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "--beats", str(stand_ins), "--resume", str(run_folder)]) == 0
    changed = list(cache.load(stand_ins, cache.head_of(stand_ins).names).values())
    for cut in changed:
        cut.classes[0] = 4
    other = tmp_path / "other.npz"
    cache.save(other, changed)
    assert main(["fit", "--beats", str(other), "--resume", str(run_folder)]) == 2
    assert "was fitted on other beats" in capsys.readouterr().err


def test_evaluate_writes_the_scores_of_a_folder_of_records_in_the_agreed_layout(
    run_folder: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "scores.json"
    words = ["evaluate", str(run_folder), "--data", str(folder), "--records", "all", "--json", str(target)]
    assert main(words) == 0
    tree = json.loads(target.read_text())
    for way in ("reference_beats", "end_to_end"):
        part = tree[way]
        for name in "NSVF":
            assert set(part[name]) == {"se", "ppv", "f1"}
            assert all(value is None or 0 <= value <= 1 for value in part[name].values())
        assert 0 <= part["accuracy"] <= 1
        assert 0 <= part["macro_f1_nsv"] <= 1
        assert 0 <= part["macro_f1_nsvf"] <= 1
        assert set(part["S_without_232"]) == {"se", "ppv", "f1"}
        assert set(part["records"]) == {"one", "two", "three"}
        known = np.array(part["confusion"]["reference_by_named"])
        assert known[:5].sum() == part["beats"]
    assert np.array(tree["reference_beats"]["confusion"]["reference_by_named"])[:, 5].sum() == 0
    said = capsys.readouterr().out
    assert "three" in said
    assert "End to end" in said


def test_records_at_another_sampling_rate_are_evaluated_alike(
    run_folder: Path, pieces: list[Record], tmp_path: Path
) -> None:
    record = pieces[0]
    notes = record.annotations
    assert notes is not None
    found = {}
    for rate, up, down in ((360.0, 1, 1), (250.0, 25, 36)):
        place = tmp_path / f"{rate:.0f}"
        place.mkdir()
        samples = np.rint(resample_poly(record.samples.astype(np.float64), up, down)).astype(np.int16)
        index = np.rint(notes.index * up / down).astype(np.int64)
        write_wfdb(replace(record, rate=rate, samples=samples, annotations=fake(index, notes.symbol)), place)
        target = place / "scores.json"
        words = ["evaluate", str(run_folder), "--data", str(place), "--records", "one", "--json", str(target)]
        assert main(words) == 0
        found[rate] = json.loads(target.read_text())
    for way in ("reference_beats", "end_to_end"):
        assert found[250.0][way]["beats"] == found[360.0][way]["beats"]
        one, other = (np.array(found[r][way]["confusion"]["reference_by_named"]) for r in (250.0, 360.0))
        assert np.abs(one - other).sum() <= 0.2 * one.sum()


def test_the_detector_is_scored_by_record_and_in_total(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECG_DATA", str(folder))
    target = tmp_path / "detector.json"
    assert main(["detector", "--records", "one,two,three", "--json", str(target)]) == 0
    tree = json.loads(target.read_text())
    assert tree["total"] == {"se": 1.0, "ppv": 1.0}
    assert set(tree["records"]) == {"one", "two", "three"}
    assert tree["sleepecg_first_lead"]["total"]["se"] > 0.5
    assert "total" in capsys.readouterr().out


def test_prepare_writes_a_file_that_can_be_read_back(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECG_DATA", str(folder))
    target = tmp_path / "beats.npz"
    assert main(["prepare", "--records", "one,two", "--out", str(target)]) == 0
    assert cache.head_of(target).names == ["one", "two"]


def test_a_folder_of_ones_own_is_cut_scored_and_fitted_on_beside_ds1(
    folder: Path, stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "mitdb"
    shutil.copytree(folder, elsewhere)
    monkeypatch.setenv("ECG_DATA", str(elsewhere))
    target = tmp_path / "own.npz"
    assert main(["prepare", "--records", "one", "--data", str(folder), "--out", str(target)]) == 0
    own = ["data:one", "data:three", "data:two"]
    assert sorted(cache.head_of(target).names) == [*own, "one"]
    made = {f"{name}~{number}" for name in own for number in range(RECIPES["patients"].versions)}
    assert set(cache.head_of(versions_path(target), made_by()).names) == made
    both = [*cache.load(stand_ins, DS1).values(), *cache.load(target, own).values()]
    cache.save(target, both)
    words = [
        "--set",
        "versions=1",
        "--set",
        "versions_of=data",
        "--set",
        f"data=mitdb,{folder}",
        "--set",
        f"hold_out={DS1[0]},data:two",
    ]
    assert main(["fit", "--beats", str(target), "--out", str(tmp_path / "run"), *QUICK, *words]) == 0
    card = weights.load(tmp_path / "run")[1]
    assert {"data:one", "data:three"} < set(card.metrics["fitted_on"]["records"])
    assert "data:two" not in card.metrics["fitted_on"]["records"]


def test_evaluate_tells_which_records_have_the_most_n_misnamed(
    run_folder: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "scores.json"
    assert main(["evaluate", str(run_folder), "--data", str(folder), "--json", str(target)]) == 0
    part = json.loads(target.read_text())["end_to_end"]
    shares = [one["share"] for one in part["most_N_misnamed"]]
    assert shares == sorted(shares, reverse=True)
    for one in part["most_N_misnamed"]:
        assert one["share"] == pytest.approx(1 - part["records"][one["record"]]["N"]["se"])
    assert "Most N misnamed" in capsys.readouterr().out


def test_a_cross_validation_says_from_what_confidence_on_a_letter_is_sure(
    run_folder: Path,
    stand_ins: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked, scores, shipped = tmp_path / "crossval.json", tmp_path / "scores.json", tmp_path / "shipped"
    quick = [w for t in ("epochs=1", "steps=2", "streams=4", "beats=12") for w in ("--set", t)]
    assert main(["crossval", "--beats", str(stand_ins), "--seeds", "1", "--json", str(checked), *quick]) == 0
    said = capsys.readouterr().out
    first = json.loads(checked.read_text())
    again = ["crossval", "--beats", str(stand_ins), "--resume", str(checked), "--json", str(checked), *quick]
    assert main([*again, "--seeds", "1"]) == 0
    assert json.loads(checked.read_text())["records"] == first["records"]
    assert "seed 0, part 1" not in capsys.readouterr().out, "nothing is fitted again"
    assert main([*again, "--seeds", "2", "--set", "memory=5"]) == 2
    assert "of another recipe: it differs in memory" in capsys.readouterr().err
    monkeypatch.setattr(weights, "SHIPPED", shipped)
    words = ["evaluate", str(run_folder), "--data", str(folder), "--json", str(scores), "--ship", "mine"]
    assert main([*words, "--crossval", str(checked)]) == 0
    _, card = weights.load("mine")
    assert f"from a confidence of {100 * card.doubt.unsure_below:.0f} % on" in said
    found = crossvalidation.read(checked)
    assert card.doubt.unsure_below == found.level() == calibration.level(found.bins("mitdb"))
    held = card.metrics["cross_validation"]
    assert held["seeds"] == 1 and "svdb" not in held
    assert sum(share for _, share, _, _ in held["mitdb"]["reliability"]) == pytest.approx(1, abs=1e-3)
    part = json.loads(scores.read_text())["end_to_end"]["sureness"]
    assert part["unsure_below"] == card.doubt.unsure_below
    assert main(["evaluate", str(run_folder), "--data", str(folder), "--crossval", str(scores)]) == 2
    assert "is not what `python -m trainer crossval --json` writes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fit", "--set", "epoch=3"], "key is one of"),
        (["fit", "--device", "abacus"], "device 'abacus' is not known"),
        (["fit", "--resume", "nowhere"], "nowhere is not the folder of a run"),
        (["fit", "--beats", "nothing.npz"], "no cut beats at nothing.npz"),
        (["evaluate", "nothing"], "there are no weights 'nothing'"),
        (["evaluate", "--data", "nowhere"], "there is no folder nowhere"),
        (["evaluate", "--data", "nstdb"], "nstdb has no annotated beats"),
        (["prepare", "--data", "nowhere"], "there is no folder nowhere"),
        (["fit", "--set", "data=nowhere"], "there is no folder nowhere"),
        (["detector", "--records", "1000"], "no record '1000'"),
        (["ablation", "--rows", "attention"], "there is no attention"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1
