"""The card of a fit's weights."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from ecg.model.doubt import Doubt
from ecg.model.weights import Card
from ecg.records.aami import CLASSES
from ecg.records.databases import MITDB
from ecg.signal.path import FEATURES, MODEL_RATE, WINDOW
from trainer.data.cutting import CutRecord
from trainer.fitting.runs import commit
from trainer.recipes import Recipe


def limits_of(names: list[str], noise: tuple[str, ...] = ()) -> str:
    """The limits of weights fitted on these records, by full name: "101", "svdb:802", "101+" for another lead.

    noise: records of noise alone beside them.
    """
    records = {name.rstrip("+") for name in names}
    counts = Counter(name.partition(":")[0] if ":" in name else MITDB.name for name in records)
    given = " and ".join(f"{count} records of {database}" for database, count in sorted(counts.items()))
    given += f" and on noise alone ({', '.join(noise)} of nstdb)" if noise else ""
    return (
        f"Fitted on {given}, one lead at a time. Fusion and paced beats are hardly known to it. "
        "Not evaluated on children or exercise."
    )


def card_of(recipe: Recipe, beats: list[CutRecord], data_hash: str, log: list[dict[str, Any]]) -> Card:
    """The card of the weights after the last epoch of the log. beats: the records of the fit, by reference R-peaks."""
    row = log[-1]
    counts = [int(sum((cut.classes == i).sum() for cut in beats)) for i in range(len(CLASSES))]
    fitted = {
        "records": [cut.name for cut in beats],
        "epoch": row["epoch"],
        "beats": sum(len(cut) for cut in beats),
        "classes": dict(zip(CLASSES, counts, strict=True)),
        "torch": str(torch.__version__),
        "log": [{name: value for name, value in one.items() if name != "seconds"} for one in log],
    }
    held = {"records": list(recipe.hold_out), **{k: v for k, v in row.items() if k.endswith(("f1", "nsv"))}}
    return Card(
        name=f"{recipe.name}-{recipe.cell}",
        recipe=recipe.name,
        shape=recipe.shape,
        features=list(FEATURES),
        rate=MODEL_RATE,
        window=WINDOW,
        data_hash=data_hash,
        commit=commit(),
        seed=recipe.seed,
        metrics={"fitted_on": fitted, **({"held_out_ds1": held} if recipe.hold_out else {})},
        doubt=Doubt(early_s=recipe.early_s),
        limits=limits_of([cut.name for cut in beats], recipe.noise_records if recipe.noise_share else ()),
    )
