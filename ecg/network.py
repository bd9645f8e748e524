"""The network: a beat reader feeds a rhythm memory that is carried from beat to beat.

Reader: a small convolution stem, then a bidirectional LSTM/GRU/RNN over the window, max-pooled over time and
squeezed through a narrow bottleneck; its backward pass needs the window alone. Memory: a one-directional
LSTM/GRU/RNN cell over the beats of one bed. The memory is a value: it goes in, and comes out.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import torch
from torch import Tensor, nn

Cell = Literal["gru", "lstm", "rnn"]


class NetShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything needed to build the network. Stored in the card of its weights."""

    cell: Cell = "gru"
    channels: int = 2
    window: int = 96
    features: int = 8
    stem: int = 16
    reader: int = 32
    bottleneck: int = 8
    memory: int = 32
    dropout: float = 0.3
    classes: int = 5
    carried: bool = True


class BeatNet(nn.Module):
    """Beat reader and rhythm memory.

    windows: float32 [..., channels, window]; features: float32 [..., features].
    memory: float32 [parts, beds, hidden], parts is 1 (GRU, RNN: h) or 2 (LSTM: h, c); zeros for a new bed.
    """

    def __init__(self, shape: NetShape) -> None:
        super().__init__()
        self.shape = shape
        self.stem = nn.Sequential(
            nn.Conv1d(shape.channels, shape.stem, 7, stride=2, padding=3),
            nn.ReLU(),
            nn.Conv1d(shape.stem, 2 * shape.stem, 5, stride=2, padding=2),
            nn.ReLU(),
        )
        recurrent = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}[shape.cell]
        self.reader = recurrent(2 * shape.stem, shape.reader, batch_first=True, bidirectional=True)
        self.squeeze = nn.Linear(2 * shape.reader, shape.bottleneck)
        width = shape.bottleneck + shape.features
        self.memory = recurrent(width, shape.memory, batch_first=True)
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.memory + width, shape.classes)

    @property
    def parts(self) -> int:
        """Tensors in one bed's memory: 2 for an LSTM (h, c), else 1."""
        return 2 if self.shape.cell == "lstm" else 1

    def empty_memory(self, beds: int) -> Tensor:
        """Memory of `beds` beds that have seen nothing: zeros [parts, beds, hidden]."""
        weight = self.squeeze.weight
        return weight.new_zeros(self.parts, beds, self.shape.memory)

    def read(self, windows: Tensor) -> Tensor:
        """What the reader says of each window: [n, channels, window] -> [n, bottleneck]."""
        steps = self.stem(windows).transpose(1, 2)
        pooled = self.reader(steps)[0].amax(dim=1)
        return torch.tanh(self.squeeze(self.dropout(pooled)))

    def sequence(self, windows: Tensor, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Beats of several beds in order: [beds, beats, ...] -> logits [beds, beats, classes], memory."""
        beds, beats = windows.shape[:2]
        said = self.read(windows.flatten(0, 1)).reshape(beds, beats, -1)
        return self.remember(torch.cat((said, features), dim=-1), memory)

    def remember(self, inputs: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The rhythm memory and the head: [beds, beats, bottleneck + features] -> logits, memory."""
        if self.shape.carried:
            state = (memory[0:1], memory[1:2]) if self.parts == 2 else memory
            recalled, after = self.memory(inputs, state)
            memory = torch.cat(after) if self.parts == 2 else after
        else:
            beds, beats = inputs.shape[:2]
            recalled = self.memory(inputs.reshape(beds * beats, 1, -1))[0].reshape(beds, beats, -1)
        return self.head(torch.cat((self.dropout(recalled), inputs), dim=-1)), memory

    def forward(self, windows: Tensor, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """One beat of each bed: [beds, channels, window], [beds, features] -> logits [beds, classes], memory."""
        logits, memory = self.sequence(windows.unsqueeze(1), features.unsqueeze(1), memory)
        return logits.squeeze(1), memory
