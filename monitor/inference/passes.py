"""The network's pass over a batch on a GPU: staged in page-locked memory, captured as CUDA graphs, on its own stream.

A graph has fixed shapes, so a batch is padded to the next size in `sizes_up_to`; what is padded belongs to a scratch
slot, the last row of the memory, that no bed has. Copying in, the pass and copying out follow one another on one
stream; two staging areas in turn let the processor fill the next batch meanwhile.

On a CPU the same steps run one after another without graphs: that is what tests can compare anywhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecg.model.network import BeatNet
from ecg.signal.beats import Beats

SMALLEST: Final = 16
"""Beats in the smallest graph."""
TOLERANCE: Final = 1e-3
TOLERANCE_BFLOAT16: Final = 0.1
"""What a graph may differ by from the pass it was captured from; one that differs more is not used."""


def sizes_up_to(batch_size: int) -> list[int]:
    """Sizes of the graphs: powers of two from SMALLEST, and the batch size itself."""
    found, size = [], SMALLEST
    while size < batch_size:
        found.append(size)
        size *= 2
    return [*found, batch_size]


class Stage:
    """One staging area on the processor's side, page-locked where there is a GPU, and the beats under way in it.

    windows, features, slots go in, probabilities and moved come out; all [batch_size, ...].
    """

    def __init__(self, net: BeatNet, batch_size: int, gpu: bool) -> None:
        shape = net.shape
        self.windows = torch.zeros(batch_size, shape.channels, shape.window, pin_memory=gpu)
        self.features = torch.zeros(batch_size, shape.features, pin_memory=gpu)
        self.slots = torch.zeros(batch_size, dtype=torch.int64, pin_memory=gpu)
        self.probabilities = torch.zeros(batch_size, shape.classes, pin_memory=gpu)
        self.moved = torch.zeros(batch_size, pin_memory=gpu)
        self.results: tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]] | None = None
        """Rows of the beats under way, and where their probabilities and how far they moved the memory are wanted."""
        self.done = torch.cuda.Event() if gpu else None  # type: ignore[no-untyped-call]


class Passes:
    """Passes of up to `batch_size` beats over the memory of all beds.

    memory: float32 [parts, slots + 1, hidden] on the device; its last row is scratch. It is changed in place.
    bfloat16: matrix products in bfloat16; the memory stays float32.
    """

    def __init__(self, net: BeatNet, memory: Tensor, batch_size: int, bfloat16: bool = False) -> None:
        self.net, self.device, self.bfloat16 = net, memory.device, bfloat16
        self._gpu = memory.device.type == "cuda"
        self._stream: Any = torch.cuda.Stream(memory.device) if self._gpu else None  # type: ignore[no-untyped-call]
        self._graphs: dict[int, Callable[[], None]] = {}
        self.trusted = True
        """False where a captured graph was found to differ from its pass: passes run step by step then."""
        self._stages: list[Stage] = []
        self.bind(memory, batch_size)

    def bind(self, memory: Tensor, batch_size: int) -> None:
        """Finish what is under way, and use another memory or batch size from now on."""
        self.finish()
        self.memory, self.batch_size = memory, batch_size
        self._graphs = {}
        self._stages = [Stage(self.net, batch_size, self._gpu) for _ in range(2)]
        stage = self._stages[0]
        self._windows, self._features, self._slots, self._probabilities, self._moved = (
            torch.zeros_like(one, device=self.device)
            for one in (stage.windows, stage.features, stage.slots, stage.probabilities, stage.moved)
        )
        self._sizes = sizes_up_to(batch_size)

    def prepare(self) -> None:
        """Capture the graphs of all sizes, so that no bed's first beat waits for one."""
        with self._on_stream():
            for size in self._sizes:
                self._graph(size)

    def start(self) -> None:
        """Before the first `submit`: wait for what was done to the memory outside."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self.device))

    def submit(
        self, beats: Beats, rows: NDArray[np.int64], probabilities: NDArray[np.float32], moved: NDArray[np.float32]
    ) -> None:
        """Begin the pass over some rows of `beats`, at most one of each bed; what was begun two before is finished.

        What comes out is put into those rows of `probabilities` and `moved` by the time `finish` returns.
        """
        stage = self._stages[0]
        self._collect(stage)
        count = len(rows)
        size = next(size for size in self._sizes if size >= count)
        run = self._graph(size)
        stage.windows[:count] = torch.from_numpy(beats.windows[rows])
        stage.features[:count] = torch.from_numpy(beats.features[rows])
        stage.slots[:count] = torch.from_numpy(beats.slot[rows])
        stage.slots[count:size] = self.memory.shape[1] - 1
        with self._on_stream():
            for here, there in (
                (self._windows, stage.windows),
                (self._features, stage.features),
                (self._slots, stage.slots),
            ):
                here[:size].copy_(there[:size], non_blocking=True)
            run()
            stage.probabilities[:size].copy_(self._probabilities[:size], non_blocking=True)
            stage.moved[:size].copy_(self._moved[:size], non_blocking=True)
            if stage.done is not None:
                stage.done.record(self._stream)
        stage.results = rows, probabilities, moved
        self._stages.reverse()

    def finish(self) -> None:
        """Wait for everything that was begun."""
        for stage in self._stages:
            self._collect(stage)

    def _collect(self, stage: Stage) -> None:
        if stage.results is None:
            return
        rows, probabilities, moved = stage.results
        if stage.done is not None:
            stage.done.synchronize()
        probabilities[rows] = stage.probabilities[: len(rows)].numpy()
        moved[rows] = stage.moved[: len(rows)].numpy()
        stage.results = None

    @torch.inference_mode()
    def _pass(self, size: int) -> None:
        """The whole pass over the first `size` beats of the device's buffers."""
        slots = self._slots[:size]
        before = self.memory.index_select(1, slots)
        kind = torch.bfloat16 if self.bfloat16 else torch.float32
        with torch.autocast(self.device.type, kind, enabled=self.bfloat16, cache_enabled=False):
            inputs = torch.cat((self.net.read(self._windows[:size]).float(), self._features[:size]), dim=-1)
            logits, after = self.net.remember(inputs.unsqueeze(1), before)
        after = after.float()
        self._probabilities[:size] = torch.softmax(logits[:, 0].float(), dim=-1)
        self._moved[:size] = (after[0] - before[0]).norm(dim=-1)
        self.memory.index_copy_(1, slots, after)

    def _graph(self, size: int) -> Callable[[], None]:
        """What runs a pass of that size: a graph, captured the first time, or the pass itself."""
        if not self._gpu or not self.trusted:
            return lambda: self._pass(size)
        if size not in self._graphs:
            self._graphs[size] = self._capture(size)
        return self._graphs[size] if self.trusted else lambda: self._pass(size)

    def _capture(self, size: int) -> Callable[[], None]:
        """Capture a graph and compare it with the pass it was captured from, in the scratch slot.

        The slots are set on the stream of the passes: set on another, a pass could still see those of beds.
        """
        torch.cuda.synchronize(self.device)
        with self._on_stream():
            self._slots[:size] = self.memory.shape[1] - 1
            self._windows[:size].normal_()
            self._features[:size].normal_()
            for _ in range(3):
                self._pass(size)
        torch.cuda.synchronize(self.device)
        graph: Any = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            self._pass(size)
        found = []
        for run in (lambda: self._pass(size), graph.replay):
            self.memory[:, -1] = 0
            torch.cuda.synchronize(self.device)
            with self._on_stream():
                run()
            torch.cuda.synchronize(self.device)
            found.append(self._probabilities[:size].clone())
        difference = float((found[0] - found[1]).abs().max())
        if not difference <= (TOLERANCE_BFLOAT16 if self.bfloat16 else TOLERANCE):
            self.trusted = False
            warnings.warn(
                f"the CUDA graph for {size} beats differs from its pass by {difference:.1g}: graphs are not used; "
                "set [model] cuda_graphs = false to silence this",
                stacklevel=2,
            )
        replay: Callable[[], None] = graph.replay
        return replay

    def _on_stream(self) -> AbstractContextManager[Any]:
        stream: AbstractContextManager[Any] = torch.cuda.stream(self._stream) if self._gpu else nullcontext()
        return stream
