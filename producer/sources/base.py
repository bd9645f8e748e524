"""What a bed is: whatever hands out the next chunk of signal and the annotations in it. No network, no clock."""

from __future__ import annotations

from typing import Protocol

from ecg.wire.messages import BedStatus, Command, Truth, Wave


class Bed(Protocol):
    """One bed's signal, from whatever source.

    name: of the bed. rate: Hz. leads: names of the signals sent. chunk_seconds: signal in one message. lap, index:
    present stream and sample index in it. published: samples per lead handed out, all laps together.
    """

    name: str
    chunk_seconds: float
    lap: int
    index: int
    published: int

    @property
    def record_name(self) -> str:
        """Name of the record, or of what is in the place of one."""

    @property
    def rate(self) -> float:
        """Samples per second."""

    @property
    def leads(self) -> list[str]:
        """Names of the signals sent."""

    @property
    def seconds(self) -> float | None:
        """Length of the signal; None where it has no end."""

    @property
    def stream(self) -> str:
        """Name of the present stream: another one whenever index 0 starts anew. All before its last "-" stays."""

    @property
    def done(self) -> bool:
        """Whether the last sample has been handed out."""

    def next(self, sent_ns: int) -> tuple[Wave | None, Truth | None]:
        """The next chunk and the annotations in it; no chunk in a gap. Must not be called when `done`."""

    def status(self, online: bool, speed: float | str, final: bool = False) -> BedStatus:
        """The bed's retained status. final: with the number of published samples."""

    def obey(self, command: Command) -> tuple[int, str]:
        """Change what is sent. Returns the first sample index that may differ, and its stream.

        Raises UserError, one sentence, where this bed cannot do that; nothing changes then.
        """
