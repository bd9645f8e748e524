"""The fit in two parts: a reader by single beats, then the memory on what it says."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from rich.console import Console

from ecg.model import network, weights
from ecg.model.rhythms import SINUS, UNKNOWN, VENTRICULAR
from trainer.data.streams import Cuts
from trainer.fitting.beats import BeatFitting, fit
from trainer.fitting.checkpoint import load_checkpoint, save_checkpoint
from trainer.fitting.memory import TwoPartFitting, fitting_of, outputs
from trainer.fitting.runs import Run
from trainer.recipes import RECIPES, Recipe
from trainer.scoring.naming import rhythms

CPU = torch.device("cpu")
NAMES = ["one", "two", "three"]
SMALL = msgspec.structs.replace(
    RECIPES["patients"],
    data=("mitdb",),
    streams=3,
    beats=16,
    steps=3,
    epochs=2,
    reader_epochs=2,
    reader_batch=32,
    reader=8,
    stem=4,
    hold_out=(),
    versions=0,
)


def fitting(cuts: Cuts, recipe: Recipe = SMALL) -> BeatFitting:
    return fitting_of(recipe, cuts, CPU, NAMES)


def parts(under_way: BeatFitting, *names: str) -> list[torch.Tensor]:
    return [value.clone() for name, value in under_way.net.state_dict().items() if name.split(".")[0] in names]


def test_the_reader_is_kept_while_the_memory_learns(cuts: Cuts) -> None:
    under_way = fitting(cuts)
    assert under_way.epochs == 4
    under_way.epoch()
    under_way.epoch()
    assert not under_way.ripe
    reader, memory = parts(under_way, "stem", "reader"), parts(under_way, "memory")
    under_way.epoch()
    assert under_way.ripe
    assert all(torch.equal(one, two) for one, two in zip(reader, parts(under_way, "stem", "reader"), strict=True))
    assert not any(torch.equal(one, two) for one, two in zip(memory, parts(under_way, "memory"), strict=True))


def test_both_parts_learn(cuts: Cuts) -> None:
    under_way = fitting(cuts, msgspec.structs.replace(SMALL, steps=6, epochs=8, reader_epochs=8))
    losses = [under_way.epoch() for _ in range(16)]
    assert losses[7] < 0.8 * losses[0]
    assert losses[-1] < 0.8 * losses[8]


@pytest.mark.parametrize("done", [1, 2, 3])
def test_it_goes_on_from_a_checkpoint_of_either_part(cuts: Cuts, done: int, tmp_path: Path) -> None:
    straight = fitting(cuts)
    for _ in range(4):
        straight.epoch()
    broken = fitting(cuts)
    for _ in range(done):
        broken.epoch()
    save_checkpoint(tmp_path / "checkpoint.pt", broken.state())
    torch.manual_seed(99)
    resumed = fitting(cuts)
    resumed.restore(load_checkpoint(tmp_path / "checkpoint.pt"))
    for _ in range(4 - done):
        resumed.epoch()
    for name, value in straight.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name


def test_what_the_reader_says_of_a_beat_is_what_the_network_hears(cuts: Cuts) -> None:
    net = fitting(cuts).net.eval()
    cut = cuts["detector", "one"]
    pooled = torch.from_numpy(outputs(net, cut).windows[:, 0])
    with torch.no_grad():
        assert torch.allclose(net.narrow(pooled), net.read(torch.from_numpy(cut.windows)), atol=1e-5)


def test_a_silent_feature_stays_silent_in_both_parts(cuts: Cuts) -> None:
    under_way = fitting(cuts)
    silent = [SMALL.bottleneck + column for column in SMALL.features_off]
    assert silent
    for _ in range(4):
        under_way.epoch()
        assert (under_way.net.memory.weight_ih_l0[:, silent] == 0).all()
        assert (under_way.net.head.weight[:, [SMALL.memory + column for column in silent]] == 0).all()


def test_its_run_has_a_log_of_both_parts_and_weights_of_the_last_epoch(cuts: Cuts, tmp_path: Path) -> None:
    place = Run(tmp_path / "run")
    place.begin(SMALL, CPU)
    under_way = fitting(cuts)
    rows = fit(under_way, place, "hash", Console(file=io.StringIO()), "a test")
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    net, card = network.load(place.folder)
    assert card.metrics["fitted_on"]["epoch"] == 4
    assert torch.equal(net.head.weight, under_way.net.head.weight)


def test_held_out_records_are_scored_once_there_is_a_memory(cuts: Cuts, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(SMALL, hold_out=("three",))
    place = Run(tmp_path / "run")
    place.begin(recipe, CPU)
    rows = fit(TwoPartFitting(recipe, cuts, CPU, ["one", "two"]), place, "hash", Console(file=io.StringIO()), "a test")
    assert ["macro_f1_nsv" in row for row in rows] == [False, False, True, True]
    assert weights.load(place.folder)[1].metrics["fitted_on"]["epoch"] > 2
    assert "macro_f1_nsv" in (place.folder / "log.csv").read_text().splitlines()[0]


def test_the_rhythm_head_learns_beside_the_classes_and_leaves_beats_of_unknown_rhythm_alone(cuts: Cuts) -> None:
    told = {key: replace(cut, rhythms=np.where(cut.classes == 2, VENTRICULAR, SINUS)) for key, cut in cuts.items()}
    under_way = fitting(told, msgspec.structs.replace(SMALL, steps=6, epochs=8, reader_epochs=1))
    for _ in range(under_way.epochs):
        under_way.epoch()
    beats = [told["detector", name] for name in NAMES]
    table = rhythms(under_way.net, beats)
    assert table.sum() == sum(map(len, beats))
    assert np.trace(table) > 0.9 * table.sum()
    unknown = [replace(cut, rhythms=np.full(len(cut), UNKNOWN)) for cut in beats]
    assert not rhythms(under_way.net, unknown).any()
    alone = fitting(cuts, msgspec.structs.replace(SMALL, rhythm_share=0))
    assert alone.net.rhythm is None and not rhythms(alone.net, beats).any()
