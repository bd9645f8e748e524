"""Networks beside the ward's, over one bed: memories of any cell, and the lecture's network, which has none."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecg.model import row_weights, weights
from ecg.model.network import built, reader_of
from ecg.model.weights import Weights
from ecg.records.aami import CLASSES
from ecg.signal.beats import Beats
from monitor.inference import choice
from monitor.link.protocol import Inside, Model, Traced, Verdict
from monitor.study.insight import GATES, gates_of, occluded
from monitor.ward.bed import LEADS
from monitor.ward.lead_rows import by_beat

LOOKED_BACK: Final = 24
"""Beats of which each is left out in turn."""
LECTURE: Final = "tutorial"


@lru_cache(maxsize=4)
def shipped_memory(cell: str) -> Weights | None:
    """The shipped memory of that cell; None where there is none."""
    name = f"memory-{cell}"
    return weights.load(name)[0] if name in weights.shipped() else None


@lru_cache(maxsize=1)
def lecture() -> nn.Module | None:
    """The lecture's network; None where it is not shipped."""
    return row_weights.load(LECTURE)[0] if LECTURE in row_weights.shipped() else None


@torch.inference_mode()
def read_row(net: nn.Module, row: NDArray[np.float32]) -> tuple[str, float]:
    """Class and its probability that a network over rows gives one beat: float32 [187]."""
    shares = torch.softmax(net(torch.from_numpy(row)[None])[0], dim=-1)
    best = int(shares.argmax())
    return CLASSES[best], float(shares[best])


@dataclass(slots=True)
class Trail:
    """The last beats that a memory has read of one lead: what went in, and the memory before each."""

    index: deque[int] = field(default_factory=lambda: deque(maxlen=LOOKED_BACK + 1))
    inputs: deque[Tensor] = field(default_factory=lambda: deque(maxlen=LOOKED_BACK + 1))
    before: deque[Tensor] = field(default_factory=lambda: deque(maxlen=LOOKED_BACK + 1))

    def clear(self) -> None:
        """Nothing has been read."""
        for kept in (self.index, self.inputs, self.before):
            kept.clear()


class MemoryBeside:
    """One network with a memory over the leads of one bed.

    memories: of the leads, as `Engine.save` gives them, to begin with; default: empty. looked: whether it is looked
    into; `inside` then tells what is new.
    """

    def __init__(
        self, model: Model, fitted: Weights, memories: Sequence[NDArray[np.float32]] = (), looked: bool = False
    ) -> None:
        self.model = model
        self._looked, self._lead = looked, 0
        self._engine = choice.engine(fitted, "cpu", LEADS, LEADS)
        for lead, memory in enumerate(memories):
            self._engine.restore(lead, memory)
        self._net = built(fitted)
        self._reader = reader_of(self._net)
        self._trail = Trail()

    def look(self, looked: bool) -> None:
        """Look into it from now on, or no more."""
        self._looked = looked
        self._trail.clear()

    def emptied(self, leads: Sequence[int]) -> None:
        """The memory of these leads is empty from now on."""
        self._engine.reset(np.array(leads, np.int64))
        self._trail.clear()

    def read(self, beats: Beats, lead: int) -> tuple[list[Verdict], list[Traced]]:
        """Verdicts on beats, and how the memory was after each, where it is looked into.

        beats: a row for each lead; slot is the lead's number. lead: the one that leads.
        """
        if lead != self._lead:
            self._lead = lead
            self._trail.clear()
        leading, verdicts, traced = np.array([lead]), [], []
        for at in np.unique(beats.at):
            rows = beats.take(beats.at == at)
            before = torch.from_numpy(self._engine.save(lead))
            chosen, _, shares = by_beat(rows, self._engine.infer(rows).probabilities, leading)
            for row, given in zip(chosen.tolist(), shares, strict=True):
                best = int(given.argmax())
                verdicts.append(Verdict(int(rows.index[row]), CLASSES[best], round(float(given[best]), 4)))
                if self._looked:
                    traced.append(self._trace(rows, row, before, verdicts[-1].cls))
        return verdicts, traced

    @torch.inference_mode()
    def _trace(self, rows: Beats, row: int, before: Tensor, cls: str) -> Traced:
        read = self._reader(torch.from_numpy(rows.windows[row : row + 1]))[0]
        inputs = torch.cat((read, torch.from_numpy(rows.features[row])))
        trail = self._trail
        trail.index.append(int(rows.index[row]))
        trail.inputs.append(inputs)
        trail.before.append(before)
        hidden = [round(value, 4) for value in self._engine.recall(self._lead)]
        gates = [round(value, 4) for value in gates_of(self._net, inputs, before)]
        return Traced(trail.index[-1], cls, hidden, gates)

    def inside(self, beats: list[Traced]) -> Inside | None:
        """The look into the memory after these beats; None where it has read none."""
        trail = self._trail
        if not trail.index:
            return None
        net = self._net
        cls, share, lost = occluded(net, torch.stack(list(trail.inputs)), trail.before[0])
        moves = [(index, round(float(loss), 4)) for index, loss in zip(trail.index, lost, strict=False)]
        return Inside(
            model=self.model,
            gates=list(GATES[net.shape.cell]),
            beats=beats,
            index=trail.index[-1],
            cls=CLASSES[cls],
            probability=round(share, 4),
            moves=moves,
        )
