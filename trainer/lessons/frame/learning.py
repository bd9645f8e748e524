"""Small fits: batches drawn at random, Adam, one loss. The same seed gives the same network on one machine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.lessons.frame.lesson import Progress, silent

PIECE = 512
"""Examples in one pass of `outputs`."""


class Last(nn.Module):
    """A recurrent network over a sequence, and a linear layer over its last hidden state.

    cell: "rnn", "lstm" or "gru". Inputs: float32 [n, steps, inputs] -> [n, outputs].
    """

    def __init__(self, cell: str, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.cell = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](inputs, hidden, batch_first=True)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, steps: Tensor) -> Tensor:
        """[n, steps, inputs] -> [n, outputs]."""
        made: Tensor = self.head(self.cell(steps)[0][:, -1])
        return made


class EveryStep(Last):
    """The same, with an output at every step: [n, steps, inputs] -> [n, steps, outputs]."""

    def forward(self, steps: Tensor) -> Tensor:
        """[n, steps, inputs] -> [n, steps, outputs]."""
        made: Tensor = self.head(self.cell(steps)[0])
        return made


def seeded(seed: int, build: Callable[[], nn.Module]) -> nn.Module:
    """A network whose first weights depend on the seed alone."""
    torch.manual_seed(seed)
    return build()


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Module:
    """One hidden layer: a network without any memory."""
    return nn.Sequential(nn.Flatten(1), nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def fit(
    net: nn.Module,
    inputs: tuple[Tensor, ...],
    targets: Tensor,
    *,
    steps: int,
    seed: int,
    batch: int = 64,
    rate: float = 3e-3,
    clip: float | None = 1.0,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    decay: float = 0.0,
    progress: Progress = silent,
) -> list[float]:
    """Fit a network in place; the loss of every step.

    inputs: tensors [n, ...]. targets: [n, ...]. rate: of learning, falling to a tenth along a cosine. clip: longest
    gradient, None for any.
    """
    torch.manual_seed(seed + 1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=rate / 10)
    net.train()
    losses = []
    for step in range(steps):
        chosen = torch.randint(len(targets), (batch,))
        value = loss(net(*(one[chosen] for one in inputs)), targets[chosen])
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        if clip is not None:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimiser.step()
        schedule.step()
        losses.append(float(value.detach()))
        progress((step + 1) / steps)
    net.eval()
    return losses


@torch.no_grad()
def outputs(net: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    """What a network says to many examples: [n, ...]."""
    net.eval()
    count = len(inputs[0])
    return torch.cat([net(*(one[at : at + PIECE] for one in inputs)) for at in range(0, count, PIECE)])


def said(net: nn.Module, inputs: tuple[Tensor, ...]) -> NDArray[np.int64]:
    """The class that a network gives each example: int64 [n, ...]."""
    found: NDArray[np.int64] = outputs(net, inputs).argmax(dim=-1).numpy()
    return found


def share_right(net: nn.Module, inputs: tuple[Tensor, ...], targets: Tensor) -> float:
    """Accuracy: the share of examples named rightly."""
    return float((said(net, inputs) == targets.numpy()).mean())


def macro_f1(known: NDArray[np.int64], named: NDArray[np.int64], classes: int) -> float:
    """The mean of F1 over the classes that occur."""
    scores = []
    for one in range(classes):
        true, given = known == one, named == one
        if true.any():
            scores.append(2 * (true & given).sum() / (true.sum() + given.sum()))
    return float(np.mean(scores))


def parameters(net: nn.Module) -> int:
    """How many numbers a network has learned."""
    return sum(one.numel() for one in net.parameters())
