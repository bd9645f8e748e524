"""What a cross-validation says of a recipe, for the card of weights that the recipe made.

The scores of patients held out whole, by database and way of evaluation; how far the confidence of a name can be
believed; and the confidence below which a letter is called unsure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.model.rhythms import RHYTHMS
from ecg.records.databases import database_of
from trainer.recipes import Recipe
from trainer.scoring import calibration
from trainer.scoring.judged import Judged, Trial
from trainer.scoring.naming import RHYTHM_TABLE

KEPT: Final = (
    "macro_f1_nsv", "S.se", "S.ppv", "S.f1", "V.se", "V.ppv", "V.f1", "N.f1", "most_N_misnamed", "calibration_error",
)  # fmt: skip
PREFERRED: Final = ("two_leads_end_to_end", "end_to_end")
"""Names as the monitor makes them: from both leads, where the database has two."""


VARIED: Final = ("seed", "hold_out")
"""Settings that a cross-validation sets itself."""


class Counted(msgspec.Struct):
    """One record: its confusion table, and its beats by confidence (trainer.scoring.calibration)."""

    confusion: list[list[int]]
    by_confidence: list[list[float]]


class CrossValidation(msgspec.Struct):
    """The file that `python -m trainer crossval --json` writes.

    recipe: its settings. mitdb, svdb: scores by way, one for each seed. records: by seed, way and full name. seconds:
    that it took. rhythms: what the rhythm head told (trainer.scoring.naming.rhythms), by seed.
    """

    recipe: dict[str, Any]
    records: list[dict[str, dict[str, Counted]]]
    mitdb: dict[str, list[dict[str, float | None]]]
    svdb: dict[str, list[dict[str, float | None]]] = {}
    seconds: float = 0.0
    rhythms: list[list[list[int]]] = []

    def trials(self, recipe: Recipe) -> list[Trial]:
        """Its seeds, 0 and on, for a run that goes on from it. Raises UserError where they are of another recipe."""
        mine = msgspec.convert(self.recipe, Recipe)
        fields = (name for name in recipe.__struct_fields__ if name not in VARIED)
        different = [name for name in fields if getattr(recipe, name) != getattr(mine, name)]
        if different:
            raise UserError(f"this cross-validation is of another recipe: it differs in {', '.join(different)}")
        return [
            {
                way: {
                    name: Judged(np.array(one.confusion, np.int64), np.array(one.by_confidence)) for name, one in found
                }
                for way, found in ((way, counted.items()) for way, counted in seed.items())
            }
            for seed in self.records
        ]

    def rhythm_tables(self) -> list[NDArray[np.int64]]:
        """What the rhythm head told of beats end to end, one table for each seed."""
        none = np.zeros(RHYTHM_TABLE, np.int64)
        return [np.array(table, np.int64) for table in self.rhythms] or [none.copy() for _ in self.records]

    def bins(self, database: str) -> calibration.Bins:
        """Beats by the confidence of their names, all seeds together."""
        total = calibration.NONE.copy()
        for trial in self.records:
            way = next((one for one in PREFERRED if any(self._of(trial.get(one, {}), database))), "")
            for found in self._of(trial.get(way, {}), database):
                total += np.array(found.by_confidence)
        return total

    def level(self) -> float:
        """The confidence below which a letter is unsure (`calibration.level`), both databases together."""
        return calibration.level(self.bins("mitdb") + self.bins("svdb"))

    def on_card(self) -> dict[str, Any]:
        """The part of a card's metrics: means over the seeds, and the reliability of the names, by database."""
        tree: dict[str, Any] = {"what": "the same recipe, patients held out whole", "seeds": len(self.records)}
        for name, ways in (("mitdb", self.mitdb), ("svdb", self.svdb)):
            means = {way: {key: _mean(seeds, key) for key in KEPT} for way, seeds in ways.items() if seeds}
            if means:
                rows = calibration.rows(self.bins(name))
                tree[name] = {**means, "reliability": [[round(value, 4) for value in row] for row in rows]}
        told = of_rhythms(np.sum(self.rhythm_tables(), axis=0))
        if told:
            tree["rhythms"] = {name: {key: round(value, 4) for key, value in one.items()} for name, one in told.items()}
        return tree

    @staticmethod
    def _of(judged: dict[str, Counted], database: str) -> list[Counted]:
        return [found for name, found in judged.items() if database_of(name) == database]


def of_rhythms(table: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Se and +P of each rhythm that is known of some beat. table: as trainer.scoring.naming.rhythms gives it."""
    return {
        name: {
            "se": float(table[k, k] / table[k].sum()),
            "ppv": float(table[k, k] / max(int(table[:, k].sum()), 1)),
        }
        for k, name in enumerate(RHYTHMS)
        if table[k].any()
    }


def read(path: Path) -> CrossValidation:
    """The file of a cross-validation. Raises UserError where it is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CrossValidation)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise UserError(f"{path} is not what `python -m trainer crossval --json` writes: {error}") from None


def _mean(seeds: list[dict[str, float | None]], key: str) -> float | None:
    known = [value for one in seeds if (value := one.get(key)) is not None]
    return round(float(np.mean(known)), 4) if known else None
