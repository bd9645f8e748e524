"""The loop over the epochs of a fit, shown on a terminal, with its log, its best weights and its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from trainer.fitting.checkpoint import save_checkpoint
from trainer.fitting.fitting import Fitting
from trainer.fitting.live import FitView
from trainer.fitting.runs import Run

Log = list[dict[str, Any]]
"""One row an epoch: epoch, loss, learning_rate, the scores, seconds."""
Judge = Callable[[], tuple[float | None, dict[str, float]]]
"""Gives the value of the weights (the best has the highest; None: the last is the best) and the scores for the log."""


def fit(
    fitting: Fitting[Any, Any],
    place: Run,
    console: Console,
    title: str,
    *,
    judge: Judge,
    keep: Callable[[Log], None],
    patience: int | None = None,
    about: dict[str, Any] | None = None,
    saved: dict[str, Any] | None = None,
) -> Log:
    """Fit to the end, or until `patience` epochs have brought nothing better; the log.

    Each epoch writes the log, then the weights (`keep`) if they are the best so far, then the checkpoint. about: put
    into the checkpoint. saved: a checkpoint to go on from. Raises UserError on a full disk.
    """
    rows: Log = []
    best, best_epoch = -1.0, 0
    if saved is not None:
        fitting.restore(saved["fit"])
        rows, best, best_epoch = list(saved["rows"]), float(saved["best"]), int(saved.get("best_epoch", 0))
    epochs = fitting.epochs
    with FitView(title, epochs, fitting.steps, fitting.done, console) as view:
        view.rows = list(rows)
        while fitting.done < epochs and not (patience and fitting.done - best_epoch >= patience):
            begin = time.perf_counter()
            loss = fitting.epoch(lambda mean, rate: view.step(fitting.done + 1, mean, rate))
            value, scores = judge()
            row = {"epoch": fitting.done, "loss": loss, "learning_rate": fitting.learning_rate, **scores}
            row["seconds"] = round(time.perf_counter() - begin, 2)
            rows.append(row)
            view.epoch(row)
            place.write_log(rows)
            if value is None or value > best:
                best, best_epoch = float(fitting.done) if value is None else value, fitting.done
                keep(rows)
            save_checkpoint(
                place.checkpoint,
                {"fit": fitting.state(), "rows": rows, "best": best, "best_epoch": best_epoch, **(about or {})},
            )
    return rows
