"""Single beats for the fit of the reader: drawn evenly among patients, and more evenly among classes than they occur.

Nine beats of ten are normal, and half of the ventricular ones are those of a few patients. So a patient is drawn first,
then one of his classes (by the root of its number of beats), then a beat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASSES
from ecg.records.databases import MITDB, database_of
from trainer.data.cutting import Source
from trainer.data.leads import other_key
from trainer.data.streams import Cuts, Piece, augment, warp
from trainer.data.versions import version_key
from trainer.recipes import Recipe

EVENNESS: Final = 0.5
"""A class of a patient is drawn by its number of beats to this power."""
Key = tuple[Source, str]


@dataclass(frozen=True, slots=True)
class Urn:
    """The labelled beats of a fit, and how often each is drawn.

    keys: records [k]. first: number of each record's first beat among all, and of all beats: int64 [k + 1].
    share: float64 [n], the share of the draws up to each beat and with it.
    """

    keys: list[Key]
    first: NDArray[np.int64]
    share: NDArray[np.float64]

    def draw(self, count: int, rng: np.random.Generator) -> list[tuple[Key, int]]:
        """The record and the number in it of `count` beats."""
        among = np.minimum(np.searchsorted(self.share, rng.random(count)), len(self.share) - 1)
        record = np.searchsorted(self.first, among, side="right") - 1
        return [(self.keys[k], int(beat - self.first[k])) for k, beat in zip(record, among, strict=True)]


def sources_of(cuts: Cuts, name: str, recipe: Recipe) -> dict[Key, float]:
    """What a patient's beats are drawn from, and how often, as for streams (trainer.data.streams)."""
    versions = [version_key(name, k) for k in range(recipe.versions)] if recipe.has_versions(name) else []
    real: dict[Key, float] = {("reference", name): 1 - recipe.detector_share, ("detector", name): recipe.detector_share}
    if recipe.other_lead and ("detector", other_key(name)) in cuts:
        real = {key: share * (1 - recipe.other_lead) for key, share in real.items()}
        real["detector", other_key(name)] = recipe.other_lead
    made = recipe.version_share_of(name) if versions else 0.0
    found = {key: share * (1 - made) for key, share in real.items()} | {key: made / len(versions) for key in versions}
    return {key: share for key, share in found.items() if share > 0}


def urn(cuts: Cuts, names: list[str], recipe: Recipe) -> Urn:
    """The labelled beats of these records and of their versions."""
    known = sum(database_of(name) == MITDB.name for name in names)
    others = len(names) - known
    keys: list[Key] = []
    shares: list[NDArray[np.float64]] = []
    for name in names:
        at_home = database_of(name) == MITDB.name
        of_one = (
            (recipe.ds1_share / known if at_home else (1 - recipe.ds1_share) / others)
            if known and others
            else 1 / len(names)
        )
        for key, share in sources_of(cuts, name, recipe).items():
            classes = cuts[key].classes
            counts = np.bincount(classes[classes >= 0], minlength=len(CLASSES))
            if not counts.any():
                continue
            of_class = np.where(counts > 0, counts.astype(np.float64) ** EVENNESS, 0)
            of_beat = of_class / of_class.sum() / np.maximum(counts, 1)
            keys.append(key)
            shares.append(np.where(classes >= 0, of_beat[np.maximum(classes, 0)], 0) * share * of_one)
    total = np.cumsum(np.concatenate(shares))
    return Urn(keys, np.cumsum([0, *map(len, shares)]), total / total[-1])


def draws(cuts: Cuts, urn: Urn, recipe: Recipe, rng: np.random.Generator) -> Iterator[Piece]:
    """Endless steps of `reader_batch` single beats, augmented: pieces of one beat a stream, all of them fresh."""
    count = recipe.reader_batch
    while True:
        drawn = urn.draw(count, rng)
        windows = np.stack([cuts[key].windows[beat] for key, beat in drawn])
        windows = windows @ warp(float(np.exp(rng.normal(0, recipe.warp))))
        if recipe.polarity:
            windows *= rng.choice(np.array([-1, 1], np.float32), (count, 1, 1))
        features = np.stack([cuts[key].features[beat] for key, beat in drawn])
        classes = np.array([cuts[key].classes[beat] for key, beat in drawn])
        rhythms = np.array([cuts[key].rhythms[beat] for key, beat in drawn])
        piece = Piece(windows[:, None], features[:, None], classes[:, None], rhythms[:, None], np.ones(count, bool))
        augment(piece, recipe, rng)
        yield piece
