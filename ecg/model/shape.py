"""The shape of the network: everything needed to build it, and the arrays that its weights are."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Cell = Literal["gru", "lstm", "rnn"]
GATES: Final[dict[Cell, int]] = {"gru": 3, "lstm": 4, "rnn": 1}
"""Products of a cell's inputs and of its hidden state in one step, that of what is new among them."""
TAPS: Final = 7, 5
"""Of the stem's two convolutions."""
Width = Annotated[int, Meta(ge=1, le=1024)]
"""A card that asks for more describes no network of ours; building it could take all memory."""


class NetShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything needed to build the network. Stored in the card of its weights."""

    cell: Cell = "gru"
    channels: Width = 2
    window: Width = 96
    features: Width = 8
    stem: Width = 16
    reader: Width = 32
    bottleneck: Width = 8
    memory: Width = 32
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.3
    classes: Width = 5
    carried: bool = True
    rhythms: Annotated[int, Meta(ge=0, le=1024)] = 0

    @property
    def parts(self) -> int:
        """Arrays in one bed's memory: 2 for an LSTM (h, c), else 1."""
        return 2 if self.cell == "lstm" else 1

    def arrays(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights, as `ecg.model.network.BeatNet` has them."""
        wide, told = 2 * self.stem, self.bottleneck + self.features
        return {
            "stem.0.weight": (self.stem, self.channels, TAPS[0]),
            "stem.0.bias": (self.stem,),
            "stem.2.weight": (wide, self.stem, TAPS[1]),
            "stem.2.bias": (wide,),
            **self._recurrent("reader", wide, self.reader, ("", "_reverse")),
            "squeeze.weight": (self.bottleneck, 2 * self.reader),
            "squeeze.bias": (self.bottleneck,),
            **self._recurrent("memory", told, self.memory, ("",)),
            "head.weight": (self.classes, self.memory + told),
            "head.bias": (self.classes,),
            **({"rhythm.weight": (self.rhythms, self.memory), "rhythm.bias": (self.rhythms,)} if self.rhythms else {}),
        }

    def _recurrent(self, name: str, inputs: int, size: int, ways: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
        """A recurrent layer: of its inputs and of its hidden state, in one direction or two."""
        rows = GATES[self.cell] * size
        return {
            f"{name}.{kind}_l0{way}": shape
            for way in ways
            for kind, shape in (
                ("weight_ih", (rows, inputs)),
                ("weight_hh", (rows, size)),
                ("bias_ih", (rows,)),
                ("bias_hh", (rows,)),
            )
        }
