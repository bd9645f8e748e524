"""What a fit says of held-out records, by record and way of evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.scoring import calibration, scores


@dataclass(frozen=True, slots=True)
class Judged:
    """A record's confusion table, and its beats by confidence (trainer.scoring.calibration)."""

    table: scores.Table
    bins: calibration.Bins


Trial = dict[str, dict[str, Judged]]
"""By way of evaluation (trainer.scoring.evaluation.WAYS, and TWO_LEADS where all records have two), then by record."""
