from __future__ import annotations

from dataclasses import replace
from itertools import islice

import msgspec
import numpy as np
import pytest

from trainer.data.draws import draws, sources_of, urn
from trainer.data.leads import other_key
from trainer.data.streams import Cuts
from trainer.recipes import RECIPES

PLAIN = msgspec.structs.replace(
    RECIPES["memory"], gain=0.0, tilt=0.0, noise=0.0, shift=0, warp=0.0, polarity=False, detector_share=0.0,
    versions=0, reader_batch=64,
)  # fmt: skip
NAMES = ["one", "two", "three"]


def test_patients_are_drawn_alike_and_rare_classes_more_often_than_they_occur(cuts: Cuts) -> None:
    drawn = urn(cuts, NAMES, PLAIN).draw(6000, np.random.default_rng(0))
    names = [name for (_, name), _ in drawn]
    for name in NAMES:
        assert names.count(name) / 6000 == pytest.approx(1 / 3, abs=0.03)
    classes = cuts["reference", "one"].classes
    known = np.bincount(classes[classes >= 0], minlength=5)
    of_one = [int(classes[beat]) for (_, name), beat in drawn if name == "one"]
    shares = np.bincount(of_one, minlength=5) / len(of_one)
    assert shares == pytest.approx(np.sqrt(known) / np.sqrt(known).sum(), abs=0.05)


def test_beats_without_a_class_are_not_drawn(cuts: Cuts) -> None:
    one = cuts["reference", "one"]
    classes = one.classes.copy()
    classes[::2] = -1
    some = {**cuts, ("reference", "one"): replace(one, classes=classes)}
    assert all(beat % 2 for _, beat in urn(some, ["one"], PLAIN).draw(500, np.random.default_rng(0)))


def test_a_draw_gives_the_beats_as_they_were_cut(cuts: Cuts) -> None:
    piece = next(draws(cuts, urn(cuts, ["two"], PLAIN), PLAIN, np.random.default_rng(1)))
    cut = cuts["reference", "two"]
    assert piece.windows.shape == (64, 1, *cut.windows.shape[1:])
    for row in range(64):
        beat = next(i for i in range(len(cut)) if np.array_equal(cut.windows[i], piece.windows[row, 0]))
        assert np.array_equal(piece.features[row, 0], cut.features[beat])
        assert piece.classes[row, 0] == cut.classes[beat]
    assert piece.fresh.all()


def test_the_same_seed_draws_the_same_beats(cuts: Cuts) -> None:
    recipe = msgspec.structs.replace(RECIPES["patients"], versions=0, reader_batch=16)
    runs = [list(islice(draws(cuts, urn(cuts, NAMES, recipe), recipe, np.random.default_rng(3)), 3)) for _ in range(2)]
    for one, two in zip(*runs, strict=True):
        assert np.array_equal(one.windows, two.windows)
        assert np.array_equal(one.classes, two.classes)


def test_sources_have_the_shares_of_the_streams(cuts: Cuts) -> None:
    recipe = msgspec.structs.replace(RECIPES["patients"], versions=2, version_share=0.6, other_version_share=0.2)
    both = {**cuts, ("detector", other_key("one")): cuts["detector", "two"]}
    found = sources_of(both, "one", recipe)
    assert sum(found.values()) == pytest.approx(1)
    assert sum(share for (_, name), share in found.items() if "~" in name) == pytest.approx(0.6)
    assert found["detector", other_key("one")] == pytest.approx(0.4 * recipe.other_lead)
    assert sum(
        share for (_, name), share in sources_of(cuts, "svdb:802", recipe).items() if "~" in name
    ) == pytest.approx(0.2)
