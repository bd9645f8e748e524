"""The network over whole records: probabilities of each beat, memory carried from the first to the last."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model.network import BeatNet
from trainer.data.cutting import CutRecord

PIECE: Final = 256
"""Beats of one record in one pass: a limit on working memory without effect on results."""


@torch.no_grad()
def probabilities(net: BeatNet, cuts: list[CutRecord]) -> list[NDArray[np.float32]]:
    """Class probabilities of every beat of each record: float32 [n, classes].

    Records go side by side, each with a memory of its own; the network keeps its mode.
    """
    training = net.training
    net.eval()
    device = next(net.parameters()).device
    order = sorted(range(len(cuts)), key=lambda i: -len(cuts[i]))
    found = [np.zeros((len(cut), net.shape.classes), np.float32) for cut in cuts]
    memory = net.empty_memory(len(cuts))
    longest = max((len(cut) for cut in cuts), default=0)
    for begin in range(0, longest, PIECE):
        going = [i for i in order if len(cuts[i]) > begin]
        sizes = [min(PIECE, len(cuts[i]) - begin) for i in going]
        windows = np.zeros((len(going), sizes[0], *cuts[going[0]].windows.shape[1:]), np.float32)
        features = np.zeros((len(going), sizes[0], cuts[going[0]].features.shape[1]), np.float32)
        for row, (i, size) in enumerate(zip(going, sizes, strict=True)):
            windows[row, :size] = cuts[i].windows[begin : begin + size]
            features[row, :size] = cuts[i].features[begin : begin + size]
        logits, memory = net.sequence(
            torch.from_numpy(windows).to(device),
            torch.from_numpy(features).to(device),
            memory[:, : len(going)].contiguous(),
        )
        given = torch.softmax(logits.float(), dim=-1).cpu().numpy()
        for row, (i, size) in enumerate(zip(going, sizes, strict=True)):
            found[i][begin : begin + size] = given[row, :size]
    net.train(training)
    return found
