"""Whose a bed is: its signal is that of the stream that has been sending. Whoever else sends on its topic must last.

Anyone may publish on a bed's topic: another stream, the same one far ahead, behind or with other leads. Such chunks are
foreign: counted, said, and held back for a while. A newcomer becomes the owner once it has sent some seconds of signal
in order while the owner was silent for as long: a device that was restarted, or whose counter began again. Nothing that
was held back is lost then. As long as the owner goes on, no newcomer ever changes a sample of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NamedTuple

from ecg.signal.lane import print_of
from ecg.wire.messages import Wave
from ecg.wire.topics import readable
from monitor.ward.ledger import RunCount

FAR_SECONDS: Final = 10.0
"""A chunk further ahead of the owner's last is foreign, unless the owner sends longer ones."""
FAR_CHUNKS: Final = 4
MOST_NEWCOMERS: Final = 4
MOST_HELD: Final = 64
"""Chunks of one newcomer held back."""
MOST_HELD_BYTES: Final = 8 << 20
LEAST_CHUNKS: Final = 2
LONGEST_PAUSE_SECONDS: Final = 3.0
"""An owner that sends seldom is silent only after twice its usual pause; a longer pause is not usual."""
FADES: Final = 0.95
"""Share of the longest pause that counts at the next chunk."""
KNOWN_CHUNKS: Final = 256
KNOWN_STREAMS: Final = 8
SAID: Final = 16


class Verdict(Enum):
    """What a message is to a bed."""

    OWN = auto()
    REPEATED = auto()
    """Signal that was read before, or comes too late."""
    HELD = auto()
    """Foreign, and held back."""
    LEAP = auto()
    """The owner goes on far ahead: a gap."""
    ANEW = auto()
    """Another stream begins, or the same one anew."""


class Chunk(NamedTuple):
    """A message as it came. received_ns: since the epoch."""

    wave: Wave
    received_ns: int


@dataclass(slots=True)
class Newcomer:
    """Chunks in order of one who is not the owner."""

    next: int = 0
    samples: int = 0
    size: int = 0
    chunks: deque[Chunk] = field(default_factory=deque)

    def continues(self, wave: Wave, slack_s: float) -> bool:
        """Is this its next chunk, but for a small gap?."""
        return self.same(wave) and 0 <= wave.index - self.next <= slack_s * wave.rate

    def same(self, wave: Wave) -> bool:
        """Is this of its stream, with its rate and leads?."""
        last = self.chunks[-1].wave
        return (last.stream, last.rate, last.leads) == (wave.stream, wave.rate, wave.leads)

    def add(self, chunk: Chunk) -> None:
        """Hold its next chunk; where that is too much, the oldest go."""
        count = length(chunk.wave)
        self.chunks.append(chunk)
        self.next = chunk.wave.index + count
        self.samples += count
        self.size += len(chunk.wave.samples)
        while len(self.chunks) > 1 and (len(self.chunks) > MOST_HELD or self.size > MOST_HELD_BYTES):
            self.size -= len(self.chunks.popleft().wave.samples)


class Leap(NamedTuple):
    """Where the owner went on far ahead, and what had been counted before: maybe it was not the owner."""

    begin: int
    end: int
    received: int
    lost: int


@dataclass(slots=True)
class Owner:
    """What is known of the owner of one bed, beside its signal, and of those who are not.

    announced: stream whose beginning was announced. gone: the owner's connection has broken. left_at: next sample of
    streams that ended here. refused: sentences on foreign messages, until the bed's owner takes them.
    """

    announced: str = ""
    gone: bool = False
    newcomers: list[Newcomer] = field(default_factory=list)
    chosen: list[Chunk] = field(default_factory=list)
    left_at: dict[str, int] = field(default_factory=dict)
    leap: Leap | None = None
    refused: deque[str] = field(default_factory=lambda: deque(maxlen=SAID))
    pause_s: float = 0.0
    _length_s: float = 0.0
    _heard_ns: int = 0
    _known: deque[int] = field(default_factory=lambda: deque(maxlen=KNOWN_CHUNKS))

    def far(self, rate: float) -> int:
        """How far ahead a chunk may be and still be the owner's, samples."""
        return round(max(FAR_SECONDS, FAR_CHUNKS * self._length_s) * rate)

    def heard(self, wave: Wave, received_ns: int) -> None:
        """The owner has sent this, and is still there."""
        if self.newcomers:
            self.newcomers.clear()
        self.gone = False
        if self._heard_ns:
            self.pause_s = max((received_ns - self._heard_ns) / 1e9, FADES * self.pause_s)
        self._heard_ns = received_ns
        self._length_s = length(wave) / wave.rate
        self._known.append(_print(wave))

    def pace(self) -> tuple[int, float]:
        """When the owner was heard last, ns, and the longest pause between its messages as it fades, s."""
        return self._heard_ns, self.pause_s

    def told(self, heard_ns: int, pause_s: float, length_s: float, prints: list[int]) -> None:
        """The owner was `heard` elsewhere. The length of its last message, s; what its messages are known by."""
        self._heard_ns, self.pause_s, self._length_s = heard_ns, pause_s, length_s
        self._known.extend(prints)

    def silent_s(self, received_ns: int) -> float:
        """For how long nothing of the owner had come, s. A clock that was set back starts it again."""
        self._heard_ns = min(self._heard_ns, received_ns)
        return (received_ns - self._heard_ns) / 1e9

    def knows(self, wave: Wave) -> bool:
        """Is this message one of the owner's last, come again?."""
        return _print(wave) in self._known

    def newcomer(self, chunk: Chunk, slack_s: float) -> Newcomer:
        """Hold a foreign chunk back; returns whose it is."""
        found = next((one for one in self.newcomers if one.continues(chunk.wave, slack_s)), None)
        if found is None:
            if len(self.newcomers) >= MOST_NEWCOMERS:
                self.newcomers.remove(min(self.newcomers, key=lambda one: one.samples))
            found = Newcomer()
            self.newcomers.append(found)
        found.add(chunk)
        return found

    def lasts(self, newcomer: Newcomer, received_ns: int, seconds: float) -> bool:
        """Has the newcomer sent so many seconds of signal in order, and the owner nothing for as long?."""
        if len(newcomer.chunks) < LEAST_CHUNKS or newcomer.samples < seconds * newcomer.chunks[-1].wave.rate:
            return False
        return self.silent_s(received_ns) >= max(seconds, 2 * min(self.pause_s, LONGEST_PAUSE_SECONDS))

    def held_of(self, wave: Wave) -> list[Chunk]:
        """What has been held back of a message's stream, on the same terms: of whoever sent the most."""
        of = [one for one in self.newcomers if one.same(wave)]
        return list(max(of, key=lambda one: one.samples).chunks) if of else []

    def changes(self, stream: str, index: int) -> None:
        """Another owner follows; the present stream ends before sample `index`."""
        self.left_at.pop(stream, None)
        self.left_at[stream] = index
        if len(self.left_at) > KNOWN_STREAMS:
            del self.left_at[next(iter(self.left_at))]
        self.newcomers.clear()
        self._known.clear()
        self.leap, self.announced, self.pause_s = None, "", 0.0

    def back(self, index: int, count: RunCount) -> int:
        """The owner is back at sample `index`, before where it was thought to be. Returns samples not its own.

        If it was taken to have leapt over `index`, it had not: what was counted since then was another's.
        """
        leap = self.leap
        if leap is None or not leap.begin <= index < leap.end:
            return 0
        foreign = count.received - leap.received
        count.received, count.lost = leap.received, leap.lost + index - leap.begin
        return foreign

    def say(self, sentence: str) -> None:
        """A foreign message, in words."""
        self.refused.append(readable(sentence))


def length(wave: Wave) -> int:
    """Samples per lead of a message."""
    return len(wave.samples) // (2 * len(wave.leads))


def _print(wave: Wave) -> int:
    """Of a message of the owner's stream."""
    return print_of(wave.index, wave.samples, length(wave))
