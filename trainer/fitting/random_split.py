"""The score that flatters: beats split at random, so that the same patients stand on both sides.

It is how beat classifiers are usually reported, and is shown here beside the honest one, under its own name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from trainer.data.streams import Cuts
from trainer.fitting.fitting import Fitting
from trainer.recipes import Recipe
from trainer.scoring import scores
from trainer.scoring.naming import probabilities

SHARE: Final = 0.3
"""Of the beats, held out at random."""


def random_split(recipe: Recipe, cuts: Cuts, device: torch.device, console: Console) -> dict[str, Any]:
    """Fit a recipe on a random 70 % of the beats of all these records; its scores on the other 30 %.

    The held-out beats stand in the streams, since the memory needs every beat, but without their labels; made-up
    versions, which would tell them, are left out.
    """
    rng = np.random.default_rng(recipe.seed)
    names = sorted({name for _, name in cuts})
    whole = [cuts["reference", name] for name in names]
    held = [rng.random(len(cut)) < SHARE for cut in whole]
    hidden: Cuts = {
        ("reference", cut.name): replace(cut, classes=np.where(out, -1, cut.classes))
        for cut, out in zip(whole, held, strict=True)
    }
    fitting = Fitting(msgspec.structs.replace(recipe, detector_share=0.0, versions=0), hidden, device, names)
    for _ in track(range(recipe.epochs), "fitting on a random split of beats", console=console, transient=True):
        fitting.epoch()
    total = np.zeros((6, 6), np.int64)
    for cut, out, said in zip(whole, held, probabilities(fitting.net, whole), strict=True):
        np.add.at(total, (cut.classes[out], said[out].argmax(axis=1)), 1)
    return {
        "what": "RANDOM SPLIT of the beats of DS1 and DS2, 70/30, the same patients on both sides: it flatters",
        "beats": int(total.sum()),
        **scores.nested(scores.score(total)),
    }
