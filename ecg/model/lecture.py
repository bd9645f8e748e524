"""Networks over single rows of the Kaggle file: the lecture's Bi-LSTM, and a residual network with a recurrent reader.

A row is one beat: 187 samples at 125 Hz from its R-peak on, scaled to 0 to 1 and padded with zeros.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn

from ecg.records.rows import ROW_LENGTH as ROW_LENGTH

NetName = Literal["tutorial", "residual"]
CLASSES: Final = 5
WIDTH: Final = 32
"""Channels after the first convolution of the residual network."""


class LectureNet(nn.Module):
    """The lecture's network: 2-layer Bi-LSTM of 128 over the samples, global max pooling, batch norm, 64, 5."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.reader = nn.LSTM(1, 128, num_layers=2, batch_first=True, bidirectional=True, dropout=dropout)
        self.head = nn.Sequential(
            nn.BatchNorm1d(256), nn.Linear(256, 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, CLASSES)
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Logits of rows: float32 [n, 187] -> [n, 5]."""
        logits: Tensor = self.head(self.reader(rows.unsqueeze(-1))[0].amax(dim=1))
        return logits


class Residual(nn.Module):
    """Two convolutions around a shortcut; `stride` shortens the signal."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(before, after, 7, stride, 3, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Conv1d(after, after, 7, 1, 3, bias=False),
            nn.BatchNorm1d(after),
        )
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv1d(before, after, 1, stride)

    def forward(self, signal: Tensor) -> Tensor:
        """[n, before, length] -> [n, after, length / stride]."""
        return torch.relu(self.body(signal) + self.shortcut(signal))


class ResidualNet(nn.Module):
    """Residual convolutions, then a Bi-GRU over the shortened time axis, mean- and max-pooled.

    Its inputs are the row, its slope, and the place of its zero padding, which shows the RR interval.
    """

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        width = WIDTH
        sizes = (width, width, 2 * width, 2 * width, 3 * width)
        strides = (1, 2, 1, 2)
        self.stem = nn.Sequential(nn.Conv1d(3, width, 9, 2, 4, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        self.body = nn.Sequential(*(Residual(a, b, s) for a, b, s in zip(sizes[:-1], sizes[1:], strides, strict=True)))
        self.reader = nn.GRU(sizes[-1], 64, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, CLASSES))

    def forward(self, rows: Tensor) -> Tensor:
        """Logits of rows: float32 [n, 187] -> [n, 5]."""
        slope = torch.diff(rows, dim=-1, prepend=rows[:, :1])
        still = rows.flip(-1).abs().cummax(dim=-1).values.flip(-1) > 0
        steps = self.body(self.stem(torch.stack((rows, 4 * slope, still.float()), dim=1)))
        read = self.reader(steps.transpose(1, 2))[0]
        logits: Tensor = self.head(torch.cat((read.amax(dim=1), read.mean(dim=1)), dim=-1))
        return logits


def build(name: NetName, dropout: float) -> nn.Module:
    """A network by name."""
    return LectureNet(dropout) if name == "tutorial" else ResidualNet(dropout)
