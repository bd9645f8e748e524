"""A small reader and memory for lessons, and sequences of beats to fit it on."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ecg.errors import UserError
from trainer.lessons.frame import learning
from trainer.lessons.frame.beats import NSV, Labelled
from trainer.lessons.frame.lesson import Progress, silent

LENGTH: Final = 32
"""Beats in a sequence."""
READ: Final = 10
"""Numbers that the reader makes of a window."""


class BeatMemory(nn.Module):
    """A linear reader of each window, a recurrent memory over the beats, and a head that sees both.

    cell: "rnn", "lstm" or "gru". hidden: units of the memory. Inputs: windows [n, beats, window], rr [n, beats, k].
    """

    def __init__(self, cell: str, hidden: int, window: int, rr: int = 1) -> None:
        super().__init__()
        self.reader = nn.Linear(window, READ)
        width = READ + rr
        self.memory = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](width, hidden, batch_first=True)
        self.head = nn.Linear(hidden + width, len(NSV))

    def read(self, windows: Tensor, rr: Tensor) -> Tensor:
        """What the memory gets of each beat: [n, beats, READ + k]."""
        return torch.cat((torch.tanh(self.reader(windows)), rr), dim=-1)

    def forward(self, windows: Tensor, rr: Tensor) -> Tensor:
        """Logits [n, beats, 3]."""
        read = self.read(windows, rr)
        logits: Tensor = self.head(torch.cat((self.memory(read)[0], read), dim=-1))
        return logits


def cut(beats: Labelled, length: int = LENGTH) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Sequences of beats that follow one another in one patient: (windows, log RR in s), classes [n, length].

    Raises UserError where no patient has so many beats.
    """
    places = []
    for one in np.unique(beats.patient):
        mine = np.flatnonzero(beats.patient == one)
        places += [mine[at : at + length] for at in range(0, len(mine) - length + 1, length)]
    if not places:
        raise UserError(f"no patient has {length} beats in a row: take more beats of each, or look back on fewer")
    chosen = np.stack(places)
    windows = torch.from_numpy(beats.windows[chosen])
    rr = torch.from_numpy(4 * beats.rr[chosen][..., :1] + 1)
    return (windows, rr), torch.from_numpy(beats.classes[chosen])


def loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy over every beat; S and V count double."""
    weight = torch.tensor([1.0, 2.0, 2.0])
    return F.cross_entropy(logits.flatten(0, 1), classes.flatten(), weight)


def fit(
    net: nn.Module,
    data: tuple[tuple[Tensor, ...], Tensor],
    *,
    steps: int,
    seed: int,
    batch: int = 16,
    rate: float = 1e-2,
    progress: Progress = silent,
) -> list[float]:
    """Fit on sequences; the loss of every step."""
    inputs, classes = data
    return learning.fit(
        net, inputs, classes, steps=steps, seed=seed, batch=batch, rate=rate, loss=loss, decay=1e-2, progress=progress
    )


def score(net: nn.Module, data: tuple[tuple[Tensor, ...], Tensor]) -> float:
    """Macro-F1 over the classes N, S and V of every beat."""
    inputs, classes = data
    return learning.macro_f1(flat(classes), learning.said(net, inputs).ravel(), len(NSV))


def flat(classes: Tensor) -> NDArray[np.int64]:
    """Classes of all sequences in one row."""
    found: NDArray[np.int64] = classes.numpy().ravel()
    return found
