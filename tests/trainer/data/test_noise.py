from __future__ import annotations

from dataclasses import replace
from itertools import islice

import msgspec
import numpy as np
import pytest

from ecg.records.record import Record
from trainer.data.draws import urn
from trainer.data.noise import UNKNOWN, cut_noise, first_half
from trainer.data.streams import Cuts, noise_of, pieces
from trainer.recipes import RECIPES

RECIPE = msgspec.structs.replace(RECIPES["patients"], versions=0, noise_share=0.25, streams=200, beats=4)


@pytest.fixture(scope="module")
def noisy(cuts: Cuts, pieces: list[Record]) -> Cuts:
    """Cut beats with noise among them: a walk at random in two leads."""
    rng = np.random.default_rng(0)
    one = pieces[0]
    walk = np.cumsum(rng.normal(0, 20, (len(one.samples), 2)), axis=0)
    level = (walk - walk.mean(axis=0) + rng.normal(0, 60, walk.shape)).astype(np.int16)
    record = replace(
        one,
        name="bw",
        leads=("noise1", "noise2"),
        gain=np.full(2, 200.0),
        baseline=np.zeros(2),
        samples=level,
        annotations=None,
    )
    assert len(first_half(record).samples) == len(level) // 2
    return {**cuts, **cut_noise([record])}


def test_what_is_found_in_noise_is_of_no_known_class(noisy: Cuts) -> None:
    assert noise_of(noisy) == ["nstdb:bw/0", "nstdb:bw/1"]
    for name in noise_of(noisy):
        cut = noisy["detector", name]
        assert len(cut) > 5
        assert (cut.classes == UNKNOWN).all()
        assert len(cut.reference.index) == 0


def test_noise_takes_its_share_of_the_streams_and_none_of_the_single_beats(noisy: Cuts) -> None:
    found = [piece.classes for piece in islice(pieces(noisy, ["one", "two"], RECIPE, np.random.default_rng(0)), 1)]
    assert (found[0] == UNKNOWN).all(axis=1).mean() == pytest.approx(0.25, abs=0.08)
    drawn = urn(noisy, ["one", "two"], RECIPE).draw(500, np.random.default_rng(0))
    assert not any(name.startswith("nstdb:") for (_, name), _ in drawn)


def test_a_recipe_without_noise_hears_none(noisy: Cuts) -> None:
    quiet = msgspec.structs.replace(RECIPE, noise_share=0.0)
    piece = next(pieces(noisy, ["one"], quiet, np.random.default_rng(0)))
    assert not (piece.classes == UNKNOWN).any()
    assert all(name == "one" for (_, name), _ in urn(noisy, ["one"], quiet).draw(100, np.random.default_rng(0)))
