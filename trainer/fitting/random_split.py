"""The score of a random split of beats, with the same patients on both sides: it flatters.

Beat classifiers are usually reported so. Here it stands beside the honest score, under its own name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np
import torch
from rich.console import Console

from trainer.data.streams import Cuts
from trainer.fitting.trials import fitted
from trainer.progress import bars
from trainer.recipes import Recipe
from trainer.scoring import scores
from trainer.scoring.naming import probabilities

SHARE: Final = 0.3
"""Of the beats, held out at random."""


def random_split(recipe: Recipe, cuts: Cuts, device: torch.device, console: Console) -> dict[str, Any]:
    """Fit a recipe on a random 70 % of the beats of all these records; its scores on the other 30 %.

    The held-out beats stay in the streams, since the memory needs every beat, but without their labels. Made-up
    versions would leak these labels and are left out.
    """
    rng = np.random.default_rng(recipe.seed)
    names = sorted({name for _, name in cuts})
    whole = [cuts["reference", name] for name in names]
    held = [rng.random(len(cut)) < SHARE for cut in whole]
    hidden: Cuts = {
        ("reference", cut.name): replace(cut, classes=np.where(out, -1, cut.classes))
        for cut, out in zip(whole, held, strict=True)
    }
    real = msgspec.structs.replace(recipe, detector_share=0.0, versions=0)
    with bars(console) as shown:
        task = shown.add_task("fitting on a random split of beats", total=recipe.all_epochs)
        net = fitted(real, hidden, device, names, lambda: shown.advance(task))
    total = np.zeros((6, 6), np.int64)
    for cut, out, named in zip(whole, held, probabilities(net, whole), strict=True):
        np.add.at(total, (cut.classes[out], named[out].argmax(axis=1)), 1)
    return {
        "what": "RANDOM SPLIT of the beats of DS1 and DS2, 70/30, the same patients on both sides: it flatters",
        "beats": int(total.sum()),
        **scores.nested(scores.score(total)),
    }
