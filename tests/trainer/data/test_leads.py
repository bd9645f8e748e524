from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np

from ecg.records.record import Record
from trainer.data import streams
from trainer.data.cutting import Source, cut, cut_both
from trainer.data.leads import as_other, other_key
from trainer.data.streams import Cuts, Piece
from trainer.recipes import RECIPES, Recipe

KEYS: Final[tuple[tuple[Source, str], ...]] = (
    ("reference", "one"),
    ("detector", "one+"),
    ("reference", "svdb:1"),
    ("detector", "svdb:1+"),
)


def test_the_other_lead_is_cut_at_the_beats_of_the_first(pieces: list[Record]) -> None:
    one = pieces[0]
    assert cut_both([one])[0][1] is None
    two = replace(
        one,
        leads=("V5", "MLII"),
        gain=np.array([100.0, 200.0]),
        baseline=np.array([3.0, 1024.0]),
        samples=np.concatenate((-one.samples // 2, one.samples), axis=1),
    )
    ((first, second), (alone, nothing)) = cut_both([two, replace(one, name="two")])
    assert second is not None
    assert nothing is None
    assert np.array_equal(first.windows, alone.windows)
    assert np.array_equal(first.features, cut([two], "detector")[0].features)
    other = as_other(second)
    assert (other.name, second.name) == (other_key("one"), "one")
    assert np.array_equal(second.index, first.index)
    assert np.array_equal(second.classes, first.classes)
    assert np.allclose(second.windows[5:, 0], -first.windows[5:, 0], atol=0.2)


def test_other_leads_and_other_patients_take_their_shares_of_the_streams(cuts: Cuts) -> None:
    recipe = msgspec.structs.replace(
        RECIPES["patients"], streams=200, beats=4, versions=0, other_lead=0.4, ds1_share=0.75, detector_share=0.0
    )
    whole = cuts["reference", "one"]
    marked: Cuts = {key: replace(whole, classes=np.full(len(whole), number)) for number, key in enumerate(KEYS)}
    piece = next(steps(marked, recipe))
    shares = np.bincount(piece.classes[:, 0], minlength=4) / 200
    assert shares[:2].sum() == 0.75
    assert 0.25 < shares[[1, 3]].sum() < 0.55
    lacking: Cuts = {key: one for key, one in marked.items() if not key[1].endswith("+")}
    assert set(next(steps(lacking, recipe)).classes[:, 0]) == {0, 2}


def steps(cuts: Cuts, recipe: Recipe) -> Iterator[Piece]:
    return streams.pieces(cuts, ["one", "svdb:1"], recipe, np.random.default_rng(0))
