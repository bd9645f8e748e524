"""What a cross-validation says of a recipe, for the card of weights that the recipe made.

The scores of patients held out whole, by database and way of evaluation; how far the confidence of a name can be
believed; and the confidence below which a letter is called unsure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ecg.errors import UserError
from ecg.records.databases import database_of
from trainer.scoring import calibration

KEPT: Final = (
    "macro_f1_nsv", "S.se", "S.ppv", "S.f1", "V.se", "V.ppv", "V.f1", "N.f1", "most_N_misnamed", "calibration_error",
)  # fmt: skip
PREFERRED: Final = ("two_leads_end_to_end", "end_to_end")
"""Names as the monitor makes them: from both leads, where the database has two."""


class Counted(msgspec.Struct):
    """One record: its confusion table, and its beats by confidence (trainer.scoring.calibration)."""

    confusion: list[list[int]]
    by_confidence: list[list[float]]


class CrossValidation(msgspec.Struct):
    """The file that `python -m trainer crossval --json` writes.

    recipe: its settings. mitdb, svdb: scores by way, one for each seed. records: by seed, way and full name.
    """

    recipe: dict[str, Any]
    records: list[dict[str, dict[str, Counted]]]
    mitdb: dict[str, list[dict[str, float | None]]]
    svdb: dict[str, list[dict[str, float | None]]] = {}

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
        return tree

    @staticmethod
    def _of(judged: dict[str, Counted], database: str) -> list[Counted]:
        return [found for name, found in judged.items() if database_of(name) == database]


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
