"""The network: a beat reader feeds a rhythm memory, and the memory is carried from beat to beat.

Reader: a small convolution stem, then a bidirectional LSTM, GRU or RNN over the window, max-pooled over time and
squeezed through a narrow bottleneck. Its backward pass needs the window alone. Memory: a one-directional LSTM, GRU or
RNN cell over the beats of one bed. The memory is a value: it goes in, and comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from ecg.model import weights as on_disk
from ecg.model.shape import TAPS, NetShape
from ecg.model.weights import Card, Weights


class BeatNet(nn.Module):
    """Beat reader and rhythm memory.

    windows: float32 [..., channels, window]. features: float32 [..., features].
    memory: float32 [parts, beds, hidden]; parts is 1 (GRU, RNN: h) or 2 (LSTM: h, c); zeros for a new bed.
    rhythm: the head that tells the rhythm (ecg.model.rhythms) from the memory; None where the shape has none.
    """

    def __init__(self, shape: NetShape) -> None:
        super().__init__()
        self.shape = shape
        self.stem = nn.Sequential(
            nn.Conv1d(shape.channels, shape.stem, TAPS[0], stride=2, padding=TAPS[0] // 2),
            nn.ReLU(),
            nn.Conv1d(shape.stem, 2 * shape.stem, TAPS[1], stride=2, padding=TAPS[1] // 2),
            nn.ReLU(),
        )
        recurrent = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}[shape.cell]
        self.reader = recurrent(2 * shape.stem, shape.reader, batch_first=True, bidirectional=True)
        self.squeeze = nn.Linear(2 * shape.reader, shape.bottleneck)
        width = shape.bottleneck + shape.features
        self.memory = recurrent(width, shape.memory, batch_first=True)
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.memory + width, shape.classes)
        self.rhythm = nn.Linear(shape.memory, shape.rhythms) if shape.rhythms else None

    @property
    def parts(self) -> int:
        """Tensors in one bed's memory: 2 for an LSTM (h, c), else 1."""
        return self.shape.parts

    def as_weights(self) -> Weights:
        """A copy of the weights as they are now."""
        arrays = {name: values.detach().cpu().numpy().copy() for name, values in self.state_dict().items()}
        return Weights(self.shape, arrays)

    def empty_memory(self, beds: int) -> Tensor:
        """Memory of `beds` new beds: zeros [parts, beds, hidden]."""
        weight = self.squeeze.weight
        return weight.new_zeros(self.parts, beds, self.shape.memory)

    def read(self, windows: Tensor) -> Tensor:
        """The reader's output for each window: [n, channels, window] -> [n, bottleneck]."""
        return self.narrow(self.pool(self.stem(windows)))

    def narrow(self, pooled: Tensor) -> Tensor:
        """What the memory gets of the reader: [..., 2 * reader] -> [..., bottleneck]."""
        return torch.tanh(self.squeeze(self.dropout(pooled)))

    def pool(self, steps: Tensor) -> Tensor:
        """The recurrent part of the reader: [n, 2 * stem, steps] -> largest output in time [n, 2 * reader]."""
        pooled: Tensor = self.reader(steps.transpose(1, 2))[0].amax(dim=1)
        return pooled

    def sequence(self, windows: Tensor, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Beats of several beds in order: [beds, beats, ...] -> logits [beds, beats, classes], memory."""
        beds, beats = windows.shape[:2]
        read = self.read(windows.flatten(0, 1)).reshape(beds, beats, -1)
        return self.remember(torch.cat((read, features), dim=-1), memory)

    def remember(self, inputs: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The rhythm memory and the head: [beds, beats, bottleneck + features] -> logits, memory."""
        recalled, memory = self.recall(inputs, memory)
        return self.head(torch.cat((self.dropout(recalled), inputs), dim=-1)), memory

    def recall(self, inputs: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The rhythm memory alone: [beds, beats, bottleneck + features] -> [beds, beats, memory], memory."""
        if self.shape.carried:
            state = (memory[0:1], memory[1:2]) if self.parts == 2 else memory
            recalled, after = self.memory(inputs, state)
            memory = torch.cat(after) if self.parts == 2 else after
        else:
            beds, beats = inputs.shape[:2]
            recalled = self.memory(inputs.reshape(beds * beats, 1, -1))[0].reshape(beds, beats, -1)
        return recalled, memory

    def forward(self, windows: Tensor, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """One beat of each bed: [beds, channels, window], [beds, features] -> logits [beds, classes], memory."""
        logits, memory = self.sequence(windows.unsqueeze(1), features.unsqueeze(1), memory)
        return logits.squeeze(1), memory


def built(weights: Weights) -> BeatNet:
    """The network of these weights: a copy of them, in evaluation mode, on the CPU."""
    net = BeatNet(weights.shape)
    net.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in weights.arrays.items()})
    return net.eval()


def load(name_or_path: str | Path) -> tuple[BeatNet, Card]:
    """The network (in evaluation mode, on the CPU) and its card, as `ecg.model.weights.load` finds them."""
    weights, card = on_disk.load(name_or_path)
    return built(weights), card


TILE: Final = 256
"""Windows read at a time on a CPU, so that the working set stays in its second-level cache."""


class QuickReader:
    """`BeatNet.read` for inference with a GRU on a CPU: the same numbers to 1e-6, in about half the time.

    Each step is three matrix products over both directions at once, batch innermost. The sigmoid is much cheaper than
    tanh(a) = 2 sigmoid(2 a) - 1: so the carried value is u = (h + 1) / 2 instead of h, and the difference is folded
    into the weights once. The weights are a copy of the network's at the time of construction.
    """

    def __init__(self, net: BeatNet) -> None:
        self._net = net
        size = net.shape.reader
        gates: dict[str, list[Tensor]] = {"both": [], "new_in": [], "new_carried": []}
        for way in ("", "_reverse"):
            weights = (getattr(net.reader, f"{name}_l0{way}").detach() for name in ("weight_ih", "weight_hh"))
            biases = (getattr(net.reader, f"bias_{name}_l0{way}").detach() for name in ("ih", "hh"))
            (w_in, w_carried), (b_in, b_carried) = weights, biases
            b_carried = b_carried - w_carried.sum(dim=1)
            w_carried = 2 * w_carried
            old, new = slice(0, 2 * size), slice(2 * size, 3 * size)
            both = (w_in[old], (b_in + b_carried)[old, None], w_carried[old])
            gates["both"].append(torch.cat(both, dim=1))
            gates["new_in"].append(2 * torch.cat((w_in[new], b_in[new, None]), dim=1))
            gates["new_carried"].append(2 * torch.cat((b_carried[new, None], w_carried[new]), dim=1))
        self._both, self._new_in, self._new_carried = (torch.stack(parts) for parts in gates.values())

    def __call__(self, windows: Tensor) -> Tensor:
        """The reader's output for each window: [n, channels, window] -> [n, bottleneck]."""
        net = self._net
        return torch.tanh(net.squeeze(self.pool(net.stem(windows))))

    def pool(self, steps: Tensor) -> Tensor:
        """As `BeatNet.pool`: [n, 2 * stem, steps] -> [n, 2 * reader]."""
        return torch.cat([self._pool(part) for part in torch.split(steps, TILE)])

    def _pool(self, steps: Tensor) -> Tensor:
        """One tile. Rows of `rows`: the inputs of a step, a one, and u before it; [steps + 1, ways, rows, n]."""
        count, width, length = steps.shape
        size = self._net.shape.reader
        rows = steps.new_empty(length + 1, 2, width + 1 + size, count)
        in_time = steps.permute(2, 1, 0)
        rows[:length, 0, :width] = in_time
        rows[:length, 1, :width] = in_time.flip(0)
        rows[:, :, width] = 1
        carried = rows[:, :, width + 1 :]
        carried[0] = 0.5
        both = steps.new_empty(2, 2 * size, count)
        reset, keep = both[:, :size], both[:, size:]
        new, from_carried = steps.new_empty(2, size, count), steps.new_empty(2, size, count)
        for step in range(length):
            torch.bmm(self._both, rows[step], out=both).sigmoid_()
            torch.bmm(self._new_in, rows[step, :, : width + 1], out=new)
            torch.bmm(self._new_carried, rows[step, :, width:], out=from_carried)
            new.addcmul_(from_carried, reset).sigmoid_()
            torch.lerp(new, carried[step], keep, out=carried[step + 1])
        return (2 * carried[1:].amax(dim=0) - 1).reshape(2 * size, count).T


def reader_of(net: BeatNet) -> Callable[[Tensor], Tensor]:
    """The fastest `read` of a network in evaluation mode on its present device."""
    on_cpu = net.squeeze.weight.device.type == "cpu"
    return QuickReader(net) if on_cpu and net.shape.cell == "gru" else net.read
