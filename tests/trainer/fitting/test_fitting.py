from __future__ import annotations

import io
import resource
import signal
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from rich.console import Console

from ecg.errors import UserError
from ecg.model import network, weights
from trainer.data.streams import Cuts
from trainer.fitting import beats
from trainer.fitting.beats import BeatFitting, fit, weights_of
from trainer.fitting.checkpoint import load_checkpoint, save_checkpoint
from trainer.fitting.runs import Run
from trainer.recipes import RECIPES, Recipe, recipe_of
from trainer.scoring.naming import probabilities

CPU = torch.device("cpu")
NAMES = ["one", "two", "three"]
SMALL = msgspec.structs.replace(
    RECIPES["memory"], streams=3, beats=16, steps=3, epochs=4, reader=8, stem=4, hold_out=(), versions=0
)


def fitting(cuts: Cuts, recipe: Recipe = SMALL) -> BeatFitting:
    return BeatFitting(recipe, cuts, CPU, NAMES)


def silent() -> Console:
    return Console(file=io.StringIO())


def test_the_loss_falls(cuts: Cuts) -> None:
    under_way = fitting(cuts, msgspec.structs.replace(SMALL, epochs=12, steps=5))
    losses = [under_way.epoch() for _ in range(12)]
    assert np.mean(losses[-3:]) < 0.7 * losses[0]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_resumed_fit_equals_one_that_was_never_interrupted(cuts: Cuts, cell: str, tmp_path: Path) -> None:
    recipe = msgspec.convert({**msgspec.to_builtins(SMALL), "cell": cell}, Recipe)
    straight = fitting(cuts, recipe)
    for _ in range(4):
        straight.epoch()
    first = fitting(cuts, recipe)
    first.epoch()
    first.epoch()
    save_checkpoint(tmp_path / "checkpoint.pt", first.state())
    torch.manual_seed(99)
    second = fitting(cuts, msgspec.structs.replace(recipe))
    second.restore(load_checkpoint(tmp_path / "checkpoint.pt"))
    assert second.done == 2
    second.epoch()
    second.epoch()
    for name, value in straight.net.state_dict().items():
        assert torch.equal(value, second.net.state_dict()[name]), name


@pytest.mark.parametrize("name", ["stateless", "rr", "relative"])
def test_what_a_recipe_switches_off_is_not_heard(cuts: Cuts, name: str) -> None:
    recipe = recipe_of(
        name, [], **{k: getattr(SMALL, k) for k in ("streams", "beats", "steps", "epochs", "hold_out", "versions")}
    )
    under_way = fitting(cuts, recipe)
    before = under_way.net.head.weight.detach().clone()
    under_way.epoch()
    assert not torch.equal(before, under_way.net.head.weight)
    cut = cuts["reference", "one"]
    rng = np.random.default_rng(0)
    windows, features = cut.windows.copy(), cut.features.copy()
    for channel in recipe.silent_channels:
        windows[:, channel] = rng.normal(size=windows[:, channel].shape)
    for column in recipe.features_off:
        features[:, column] = rng.normal(size=len(features))
    order = rng.permutation(len(cut))
    changed = replace(cut, windows=windows[order], features=features[order])
    said = probabilities(under_way.net, [cut])[0]
    assert np.allclose(probabilities(under_way.net, [changed])[0], said[order], atol=1e-6)
    assert np.ptp(said[:, 0]) > 1e-4


def test_the_flagship_does_remember(cuts: Cuts) -> None:
    under_way = fitting(cuts)
    under_way.epoch()
    cut = cuts["reference", "one"]
    other = cut.features.copy()
    other[:10] += 1
    said = probabilities(under_way.net, [cut])[0]
    changed = probabilities(under_way.net, [replace(cut, features=other)])[0]
    assert np.abs(said[10] - changed[10]).max() > 1e-6


def test_records_without_a_class_that_is_scored_are_refused(cuts: Cuts) -> None:
    without = [replace(cuts["reference", n], classes=np.zeros(len(cuts["reference", n]), np.int64)) for n in NAMES]
    with pytest.raises(UserError, match="no beats of class S, V"):
        weights_of(without, SMALL)


def test_rare_classes_weigh_more_and_beats_weigh_one_on_average(cuts: Cuts) -> None:
    chosen = [cuts["reference", name] for name in NAMES]
    counts = np.bincount(np.concatenate([c.classes for c in chosen]), minlength=5)
    found = weights_of(chosen, SMALL).numpy()
    assert (found * counts).sum() / counts.sum() == pytest.approx(1)
    assert np.all(np.diff(found[np.argsort(-counts[:3])]) > 0)
    assert found[3] == found[4] == 0


def test_a_run_leaves_settings_log_environment_and_weights_that_load(cuts: Cuts, tmp_path: Path) -> None:
    place = Run(tmp_path / "run")
    place.begin(SMALL, CPU)
    rows = fit(fitting(cuts), place, "hash", silent(), "a test")
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    lines = (place.folder / "log.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,loss,learning_rate")
    assert len(lines) == 5
    assert place.settings(Recipe) == SMALL
    assert "torch" in (place.folder / "environment.json").read_text()
    net, card = network.load(place.folder)
    assert card.data_hash == "hash"
    assert card.metrics["fitted_on"]["records"] == NAMES
    assert net.shape == SMALL.shape


def test_a_run_interrupted_and_resumed_leaves_the_same_log_and_weights(cuts: Cuts, tmp_path: Path) -> None:
    straight, broken = Run(tmp_path / "straight"), Run(tmp_path / "broken")
    rows = fit(fitting(cuts), straight, "hash", silent(), "a test")
    under_way = fitting(cuts)
    calls = 0
    whole_epoch = under_way.epoch

    def interrupted(*words: object) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return whole_epoch(*words)  # type: ignore[arg-type]

    under_way.epoch = interrupted  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        fit(under_way, broken, "hash", silent(), "a test")
    assert weights.load(broken.folder)[1].metrics["fitted_on"]["epoch"] == 2
    again = fit(fitting(cuts), broken, "hash", silent(), "a test", load_checkpoint(broken.checkpoint))
    assert [r["loss"] for r in again] == [r["loss"] for r in rows]
    assert straight.best.read_bytes() == broken.best.read_bytes()


def test_a_full_disk_leaves_the_previous_checkpoint_as_it_was(cuts: Cuts, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    under_way = fitting(cuts)
    save_checkpoint(path, under_way.state())
    before = path.read_bytes()
    under_way.epoch()
    old_limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, old_limits[1]))
        with pytest.raises(UserError, match="cannot write"):
            save_checkpoint(path, under_way.state())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limits)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert path.read_bytes() == before
    assert load_checkpoint(path)["done"] == 0
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_broken_or_missing_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt")
    (tmp_path / "checkpoint.pt").write_bytes(b"junk")
    with pytest.raises(UserError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt")


def test_fitting_stops_when_held_out_records_stop_getting_better(
    cuts: Cuts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([0.5, 0.7, 0.6, 0.65, 0.6, 0.9])
    monkeypatch.setattr(beats, "validate", lambda *_: {"macro_f1_nsv": next(found), "S.f1": 0.1, "V.f1": 0.2})
    held = {(source, "101"): cut for (source, name), cut in cuts.items() if name == "one"}
    recipe = msgspec.structs.replace(SMALL, epochs=6, steps=1, patience=2, hold_out=("101",))
    place = Run(tmp_path / "run")
    rows = fit(BeatFitting(recipe, {**cuts, **held}, CPU, NAMES), place, "hash", silent(), "a test")
    assert [row["macro_f1_nsv"] for row in rows] == [0.5, 0.7, 0.6, 0.65]
    assert weights.load(place.folder)[1].metrics["held_out_ds1"]["macro_f1_nsv"] == 0.7
