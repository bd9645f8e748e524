"""The network over whole records: probabilities of each beat, memory carried from the first to the last."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model.network import BeatNet
from ecg.model.rhythms import RHYTHMS, UNKNOWN
from trainer.data.cutting import CutRecord

RHYTHM_TABLE: Final = (len(RHYTHMS), len(RHYTHMS))
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


@torch.no_grad()
def rhythms(net: BeatNet, cuts: list[CutRecord]) -> NDArray[np.int64]:
    """What the rhythm head tells of beats whose rhythm is known: int64 [5, 5], true rhythm (row) by told one (column).

    Zeros where the network has no such head.
    """
    table = np.zeros(RHYTHM_TABLE, np.int64)
    if net.rhythm is None:
        return table
    training = net.training
    net.eval()
    device = next(net.parameters()).device
    for cut in cuts:
        memory = net.empty_memory(1)
        for begin in range(0, len(cut), PIECE):
            part = slice(begin, begin + PIECE)
            read = net.read(torch.from_numpy(cut.windows[part]).to(device))
            inputs = torch.cat((read, torch.from_numpy(cut.features[part]).to(device)), dim=-1)
            recalled, memory = net.recall(inputs[None], memory)
            told, true = net.rhythm(recalled)[0].argmax(dim=-1).cpu().numpy(), cut.rhythms[part]
            known = true != UNKNOWN
            np.add.at(table, (true[known], told[known]), 1)
    net.train(training)
    return table
