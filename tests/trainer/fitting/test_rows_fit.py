from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from ecg.model import row_weights
from ecg.model.lecture import ROW_LENGTH
from ecg.records import aami
from trainer.__main__ import main
from trainer.data import rows
from trainer.data.rows import Rows
from trainer.fitting import rows as row_fits
from trainer.fitting.checkpoint import load_checkpoint, save_checkpoint
from trainer.fitting.rows import RowFitting, augment, data_of
from trainer.recipes import ROW_RECIPES
from trainer.scoring.rows import predict, scores_of

CPU = torch.device("cpu")
QUICK = msgspec.structs.replace(ROW_RECIPES["kaggle"], epochs=4, batch=32, average=0.9)


def shapes(count: int, seed: int = 0) -> Rows:
    """Rows of five shapes that a network can tell apart: bumps at five places."""
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % 5
    at = 20 + 25 * classes[:, None] + rng.normal(0, 3, (count, 1))
    values = np.exp(-(((np.arange(ROW_LENGTH) - at) / 6) ** 2)) + 0.05 * rng.random((count, ROW_LENGTH))
    values[:, 150:] = 0
    return Rows((values / values.max(axis=1, keepdims=True)).astype(np.float32), classes)


def test_the_residual_network_learns_what_can_be_told_apart() -> None:
    chosen = shapes(160)
    fitting = RowFitting(msgspec.structs.replace(QUICK, epochs=6, batch=16, average=0.8), chosen, CPU)
    losses = [fitting.epoch() for _ in range(6)]
    assert losses[-1] < 0.9 * losses[0]
    assert scores_of(chosen, predict(fitting.best_net, chosen, CPU))["accuracy"] > 0.5


def test_the_lectures_network_learns_a_handful_of_rows() -> None:
    recipe = msgspec.structs.replace(ROW_RECIPES["tutorial"], epochs=12, batch=20, learning_rate=1e-2, start_rate=5e-3)
    classes = np.arange(20) % 5
    values = (np.arange(ROW_LENGTH) < 30 * (classes[:, None] + 1)) * (classes[:, None] + 1) / 5
    fitting = RowFitting(recipe, Rows(values.astype(np.float32), classes), CPU)
    losses = [fitting.epoch() for _ in range(12)]
    assert min(losses[-3:]) < 0.8 * losses[0]


def test_a_resumed_fit_equals_one_that_was_never_interrupted_on_rows(tmp_path: Path) -> None:
    straight = RowFitting(QUICK, shapes(100), CPU)
    for _ in range(4):
        straight.epoch()
    first = RowFitting(QUICK, shapes(100), CPU)
    first.epoch()
    first.epoch()
    save_checkpoint(tmp_path / "checkpoint.pt", first.state())
    second = RowFitting(QUICK, shapes(100), CPU)
    second.restore(load_checkpoint(tmp_path / "checkpoint.pt"))
    second.epoch()
    second.epoch()
    for one, other in ((straight.net, second.net), (straight.averaged, second.averaged)):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name


def test_augmentation_leaves_the_rows_themselves_and_their_padding() -> None:
    chosen = shapes(20)
    before = chosen.values.copy()
    recipe = msgspec.structs.replace(QUICK, stretch=0.0, noise=0.05, slope=0.1)
    made = augment(chosen.values, recipe, np.random.default_rng(0))
    assert np.array_equal(chosen.values, before)
    assert not np.array_equal(made, before)
    assert (made[before == 0] == 0).all()


def test_the_lectures_split_gives_its_1017_test_beats(tmp_path: Path) -> None:
    counts = rows.TEST_COUNTS
    classes = np.repeat(np.arange(5), counts)
    values = np.zeros((len(classes), ROW_LENGTH), np.float32)
    values[:, 0] = 1
    rows.write_csv(tmp_path / rows.TEST_FILE, Rows(values, classes))
    fitted, validation, test = data_of(ROW_RECIPES["tutorial"], tmp_path)
    assert len(test) == 1017
    assert len(fitted) + len(validation) + len(test) == 3000 + sum(counts[1:])
    assert abs(len(validation) - len(test)) <= 1


def test_a_fit_on_patients_is_tested_on_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = {name: shapes(40, seed=number) for number, name in enumerate((*aami.DS1, *aami.DS2))}
    monkeypatch.setattr("ecg.records.library.read", lambda name: name)
    monkeypatch.setattr(row_fits, "rows_of", lambda name: made[name])
    recipe = msgspec.structs.replace(ROW_RECIPES["tutorial-ds1"], keep_normal=100, keep_other=60)
    fitted, validation, test = data_of(recipe, tmp_path)
    assert len(test) == sum(len(made[name]) for name in aami.DS2)
    assert (fitted.counts + validation.counts).tolist() == [100, 60, 60, 60, 60]
    seen = {row.tobytes() for name in aami.DS1 for row in made[name].values}
    assert {row.tobytes() for part in (fitted, validation) for row in part.values} <= seen


def test_the_command_fits_scores_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, place = tmp_path / "csv", tmp_path / "run"
    rows.write_csv(folder / rows.TRAIN_FILE, shapes(200))
    rows.write_csv(folder / rows.TEST_FILE, shapes(50, seed=1))
    words = ["fit", "--recipe", "kaggle", "--csv", str(folder), "--out", str(place), "--device", "cpu"]
    assert main([*words, "--set", "epochs=2", "--set", "validation=0.2"]) == 0
    said = capsys.readouterr().out
    assert "RANDOM SPLIT" in said
    tree = json.loads((place / "metrics.json").read_text())
    assert tree["rows"] == 50
    assert len((place / "log.csv").read_text().splitlines()) == 3
    assert row_weights.load("kaggle", place)[1].metrics["confusion"] == tree["confusion"]
    assert main(["fit", "--csv", str(folder), "--resume", str(place), "--device", "cpu"]) == 0
    assert json.loads((place / "metrics.json").read_text())["confusion"] == tree["confusion"]


def test_a_file_without_a_class_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    some = shapes(50)
    rows.write_csv(tmp_path / rows.TRAIN_FILE, some.take(np.flatnonzero(some.classes != 4)))
    rows.write_csv(tmp_path / rows.TEST_FILE, some)
    assert main(["fit", "--recipe", "kaggle", "--csv", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    assert "no rows of class Q (label 4)" in capsys.readouterr().err
