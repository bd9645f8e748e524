"""The engine on torch, on a GPU or a CPU: one tensor of memories, gathered and scattered by slot, batches of beats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecg.errors import UserError
from ecg.model.network import BeatNet, built, reader_of
from ecg.model.weights import Weights
from ecg.signal.beats import Beats
from ecg.signal.slots import rounds
from monitor.inference.engine import Verdicts, checked
from monitor.inference.passes import Passes

WARM_UP: Final = 64


class TensorEngine:
    """See `monitor.inference.engine.Engine`.

    memory: float32 [parts, slots, hidden] on the device; a bed's row is its slot. Where staged, a scratch row more.
    batch_size: beats in one pass at most; halved for good whenever the device has no memory left for a pass.
    staged: passes go through `monitor.inference.passes` (default: where the device is a GPU).
    bfloat16: matrix products in bfloat16, where staged. Raises UserError where bfloat16 is wanted and not to be had.
    """

    def __init__(
        self,
        net: BeatNet,
        device: torch.device,
        slots: int,
        batch_size: int = 256,
        *,
        staged: bool | None = None,
        bfloat16: bool = False,
    ) -> None:
        self.net = _on(net, device).eval()
        self.device = str(device)
        self._device = device
        self.batch_size = batch_size
        staged = device.type == "cuda" if staged is None else staged
        if bfloat16 and not staged:
            raise UserError("[model] bfloat16 needs a CUDA device and cuda_graphs = true; set it to false")
        self._scratch = int(staged)
        self.memory: Tensor = self.net.empty_memory(slots + self._scratch)
        self._reader = reader_of(self.net)
        self._passes = Passes(self.net, self.memory, batch_size, bfloat16) if staged else None

    @classmethod
    def of(
        cls, weights: Weights, device: str, slots: int, batch_size: int = 256, *, staged: bool, bfloat16: bool = False
    ) -> TensorEngine:
        """The engine of a network of its own with these weights."""
        return cls(built(weights), torch.device(device), slots, batch_size, staged=staged, bfloat16=bfloat16)

    @property
    def weights(self) -> Weights:
        """Of the network, as they are now."""
        return self.net.as_weights()

    @property
    def slots(self) -> int:
        """Beds there is room for."""
        return self.memory.shape[1] - self._scratch

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their memory."""
        more = slots - self.slots
        if more > 0:  # what was the scratch row becomes a bed's, which begins empty
            kept = self.memory[:, : self.slots]
            self.memory = torch.cat((kept, self.net.empty_memory(more + self._scratch)), dim=1)
            if self._passes:
                self._passes.bind(self.memory, self.batch_size)

    def reset(self, slots: NDArray[np.int64]) -> None:
        """Empty the memory of these slots."""
        if len(slots):
            self.memory[:, torch.from_numpy(np.asarray(slots, np.int64)).to(self._device)] = 0

    def save(self, slot: int) -> NDArray[np.float32]:
        """A copy of one bed's memory: float32 [parts, hidden]."""
        memory: NDArray[np.float32] = self.memory[:, slot].cpu().numpy().copy()
        return memory

    def restore(self, slot: int, saved: NDArray[np.float32]) -> None:
        """Put back what `save` gave, in this slot or another one. Raises ValueError where it does not fit."""
        kept = checked(saved, self.memory.shape[0], self.memory.shape[2])
        self.memory[:, slot] = torch.from_numpy(kept.copy()).to(self._device)

    def recall(self, slot: int) -> list[float]:
        """One bed's carried hidden state."""
        values: list[float] = self.memory[0, slot].tolist()
        return values

    def warm_up(self) -> None:
        """Run passes of the sizes that come first, so that no bed's first beat waits for libraries to make ready."""
        if self._passes:
            self._passes.prepare()
            return
        kept, size = self.memory, 1
        while size <= min(WARM_UP, self.batch_size):
            self.memory = self.net.empty_memory(size)
            beats = Beats.none()
            beats.slot = np.arange(size)
            beats.windows = np.zeros((size, self.net.shape.channels, self.net.shape.window), np.float32)
            beats.features = np.zeros((size, self.net.shape.features), np.float32)
            self.infer(beats)
            size *= 2
        self.memory = kept

    @torch.inference_mode()
    def infer(self, beats: Beats) -> Verdicts:
        """Classify beats (sorted by slot, each slot's in order) and carry every bed's memory on.

        The memory takes the first beat of every bed, then the second of those that have one, and so on, so that two
        beats of one bed never share a step. The reader sees all windows before, in batches of `batch_size`; where
        passes are staged, reader and memory go in one.
        """
        total = len(beats)
        probabilities = np.zeros((total, self.net.shape.classes), np.float32)
        moved = np.zeros(total, np.float32)
        if total == 0:
            return Verdicts(probabilities, moved)
        if self._passes:
            self._passes.start()
        inputs = None if self._passes else self._read(beats)
        for chosen in rounds(beats.slot):

            def remember(part: slice, chosen: NDArray[np.int64] = chosen) -> None:
                rows = chosen[part]
                if inputs is None:
                    assert self._passes is not None
                    self._passes.submit(beats, rows, probabilities, moved)
                    return
                slots = torch.from_numpy(beats.slot[rows]).to(self._device)
                before = self.memory[:, slots]
                logits, after = self.net.remember(inputs[torch.from_numpy(rows).to(self._device)].unsqueeze(1), before)
                probabilities[rows] = torch.softmax(logits[:, 0].float(), dim=-1).cpu().numpy()
                moved[rows] = (after[0] - before[0]).norm(dim=-1).cpu().numpy()
                self.memory[:, slots] = after

            self._in_batches(len(chosen), remember)
        if self._passes:
            self._passes.finish()
        return Verdicts(probabilities, moved)

    def _read(self, beats: Beats) -> Tensor:
        """What the reader says of every window beside its features: float32 [m, bottleneck + features]."""
        said: list[Tensor] = []

        def read(part: slice) -> None:
            said.append(self._reader(torch.from_numpy(beats.windows[part]).to(self._device)))

        self._in_batches(len(beats), read)
        return torch.cat((torch.cat(said), torch.from_numpy(beats.features).to(self._device)), dim=-1)

    def _in_batches(self, total: int, work: Callable[[slice], None]) -> None:
        """`work` on all of `total` beats, `batch_size` at a time, in smaller batches where memory runs out.

        A pass that fails must have changed nothing.
        """
        done = 0
        while done < total:
            part = slice(done, min(done + self.batch_size, total))
            try:
                work(part)
            except (MemoryError, RuntimeError) as error:
                if not _no_memory(error) or self.batch_size == 1:
                    raise
                self.batch_size = max(min(self.batch_size, total) // 2, 1)
                if self._passes:
                    self._passes.bind(self.memory, self.batch_size)
                if self._device.type == "cuda":
                    torch.cuda.empty_cache()
                continue
            done = part.stop


def _on(net: BeatNet, device: torch.device) -> BeatNet:
    """The network on that device. One that is there is left alone: `to` lays a GPU's recurrent weights out anew,
    and graphs that another engine has captured of them would read memory that is no longer theirs.
    """
    there = torch.empty(0, device=device).device
    return net if all(one.device == there for one in net.parameters()) else net.to(device)


def _no_memory(error: Exception) -> bool:
    """Is this a device without memory left? The CPU's allocator says so in its text only."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)
