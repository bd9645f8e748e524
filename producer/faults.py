"""Faults of the transport, for testers: what happens to a bed's wave messages between its source and the broker.

The source counts every sample it hands out. So whatever is done here, published = received + lost at the receiver.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from msgspec.structs import replace

from ecg.wire.messages import Wave, encode_wave

Fault = Literal["drop", "duplicate", "reorder", "delay", "corrupt"]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
BEHIND: Final = 4
"""Messages by which a message is late, unless asked otherwise."""
MOST_HELD: Final = 1000


@dataclass(slots=True)
class Faults:
    """The faults of one bed.

    frozen: the last sample is sent again and again, while time goes on. left: how many messages each fault still has.
    """

    frozen: bool = False
    left: dict[Fault, int] = field(default_factory=dict)
    behind: int = BEHIND
    _row: bytes = b""
    _held: list[tuple[int, bytes]] = field(default_factory=list)
    _sent: int = 0

    @property
    def idle(self) -> bool:
        """Do messages go through as they are?."""
        return not (self.frozen or self.left or self._held)

    def ask(self, fault: Fault, messages: int, behind: int | None) -> None:
        """Let a fault happen to the next messages."""
        self.left[fault] = messages
        self.behind = behind or BEHIND

    def end(self) -> None:
        """Put everything right; what was held back goes out with the next message."""
        self.frozen, self._row = False, b""
        self.left.clear()
        self._held = [(0, payload) for _, payload in self._held]

    def through(self, wave: Wave) -> list[bytes]:
        """What is sent in the place of one message: payloads, in order."""
        self._sent += 1
        payload = encode_wave(self._frozen(wave) if self.frozen else wave)
        due = [one for at, one in self._held if at <= self._sent]
        self._held = [(at, one) for at, one in self._held if at > self._sent]
        return [*self._changed(payload), *due]

    def flush(self) -> list[bytes]:
        """All that is held back: the bed ends, or another stream begins."""
        held, self._held = [payload for _, payload in self._held], []
        return held

    def _frozen(self, wave: Wave) -> Wave:
        width = 2 * len(wave.leads)
        if len(self._row) != width:
            self._row = wave.samples[:width]
        return replace(wave, samples=self._row * (len(wave.samples) // width))

    def _changed(self, payload: bytes) -> list[bytes]:
        fault = next(iter(self.left), None)
        if fault is None:
            return [payload]
        self.left[fault] -= 1
        if self.left[fault] <= 0:
            del self.left[fault]
        if fault == "drop":
            return []
        if fault == "duplicate":
            return [payload, payload]
        if fault == "corrupt":
            return [payload[: 2 * len(payload) // 3]]
        if len(self._held) >= MOST_HELD:
            return [payload]
        self._held.append((self._sent + (1 if fault == "reorder" else self.behind), payload))
        return []
