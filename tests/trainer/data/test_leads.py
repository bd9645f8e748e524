from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np

from ecg.records.record import Record
from trainer.data import streams
from trainer.data.cutting import Source, cut
from trainer.data.leads import other_key, other_lead
from trainer.data.streams import Cuts, Piece
from trainer.recipes import RECIPES, Recipe

KEYS: Final[tuple[tuple[Source, str], ...]] = (
    ("reference", "one"),
    ("detector", "one+"),
    ("reference", "svdb:1"),
    ("detector", "svdb:1+"),
)


def test_the_other_lead_is_the_one_that_is_not_analysed(pieces: list[Record]) -> None:
    one = pieces[0]
    assert other_lead(one) is None
    two = replace(
        one,
        leads=("V5", "MLII"),
        gain=np.array([100.0, 200.0]),
        baseline=np.array([3.0, 1024.0]),
        samples=np.concatenate((one.samples // 2, one.samples), axis=1),
    )
    other = other_lead(two)
    assert other is not None
    assert (other.name, other.leads) == (other_key("one"), ("V5",))
    assert np.array_equal(other.millivolts(0), two.millivolts(0))
    assert len(cut([other], "detector")[0]) > 30


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
