"""From wave messages in any order, of whoever sends them, to one bed's unbroken signal.

Every message is judged first: is it of the stream whose bed this is (`monitor.ward.owner`)? Its chunks are put in order
(`monitor.ward.chunks`).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, get_type_hints

from ecg.records.leads import pulse_columns
from ecg.records.record import MISSING
from ecg.wire.messages import MessageError, Wave, decode_wave, encode_wave
from monitor.ward.channels import Channel, read_columns
from monitor.ward.chunks import Chunks, Waiting
from monitor.ward.events import ResetReason
from monitor.ward.listener import ODD, Unheard
from monitor.ward.owner import Chunk, Leap, Owner, Verdict, length
from monitor.ward.pieces import Begin, End, Piece

MOST_READ: Final = 2
"""Leads of a bed that are read."""
MOST_PULSES: Final = 2
"""And signals that show its pulse: a pressure and a plethysmogram."""


@dataclass(slots=True, kw_only=True)
class Intake(Chunks):
    """One bed's incoming signal: chunks of its owner put in order, those of others kept out.

    owner: whose the bed is. The rest: see `Chunks`.
    """

    owner: Owner = field(default_factory=Owner)
    _past: list[str] = field(default_factory=list)

    def save(self) -> dict[str, Any]:
        """A copy of all that is remembered, by the names of REMEMBERED: plain values, dataclasses and structs."""
        self.settle()
        return {name: deepcopy(getattr(self, name)) for name in REMEMBERED}

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what `save` gave. Raises ValueError where it is not what an intake remembers."""
        if saved.keys() != REMEMBERED.keys():
            raise ValueError("an intake of other parts")
        for name, value in saved.items():
            setattr(self, name, deepcopy(value))
        self._read_by, self._later, self._stood = None, None, ODD
        self.ledger.begin(self.bed, self.stream)
        heard = [*self.channels, *self.pulses]
        columns = [channel.column for channel in heard]
        few = 1 <= len(self.channels) <= MOST_READ and len(self.pulses) <= MOST_PULSES
        known = few and all(0 <= column < len(self.leads) for column in columns)
        if not 100 <= self.rate <= 10_000 or not known or not 0 <= self.next <= 1 << 53:
            raise ValueError(f"a stream at sample {self.next}, {self.rate:g} Hz, leads {columns}")
        for channel in heard:
            if not MISSING <= channel.last <= -MISSING or not isfinite(channel.last_mv):
                raise ValueError(f"a last sample of {channel.last} ADU, {channel.last_mv:g} mV")
            if not channel.line.possible():
                raise ValueError(f"a line that has stood like {channel.line}")
        for waiting in self._waiting:
            self._check_terms(decode_wave(encode_wave(waiting.wave)))
            if waiting.index != waiting.wave.index:
                raise ValueError("a chunk that waits in another's place")

    def goes_on(self, wave: Wave) -> bool:
        """Is this the message that comes next, as nearly all are, so that there is nothing to be judged?."""
        return (
            wave.index == self.next
            and wave.stream == self.stream
            and wave.rate == self.rate
            and wave.leads == self.leads
            and not self._waiting
            and not self.ended
        )

    @property
    def undisturbed(self) -> bool:
        """Does nothing wait, and has nobody else sent anything?."""
        owner = self.owner
        return not (self._waiting or self.ended or self.blocks or owner.newcomers or owner.gone)

    def go_on(self, wave: Wave, received_ns: int) -> Unheard:
        """Take a message that `goes_on`, all but its signal: that is for `hear`, before anything else is taken."""
        self.owner.heard(wave, received_ns)
        return self._accepted(wave, wave.samples, received_ns)

    def judge(self, wave: Wave, received_ns: int = 0) -> Verdict:
        """What this message is to the bed; `offer` must follow. received_ns: since the epoch, 0 where nobody counts."""
        owner = self.owner
        if wave.stream != self.stream:
            if not self.stream or (wave.stream not in self._past and self._is_free(wave.stream, received_ns)):
                owner.chosen = [*owner.held_of(wave), Chunk(wave, received_ns)]
                return Verdict.ANEW
        elif wave.rate == self.rate and wave.leads == self.leads:
            if wave.index + length(wave) > self.next:
                if wave.index - self.next <= owner.far(self.rate):
                    return Verdict.OWN
            elif owner.knows(wave):
                return Verdict.REPEATED
        newcomer = owner.newcomer(Chunk(wave, received_ns), self.settings.late_seconds)
        if not owner.lasts(newcomer, received_ns, self.settings.takeover_seconds):
            return Verdict.HELD
        owner.chosen = list(newcomer.chunks)
        ahead = wave.stream == self.stream and newcomer.chunks[0].wave.index >= self.next and not self.ended
        return Verdict.LEAP if ahead and (wave.rate, wave.leads) == (self.rate, self.leads) else Verdict.ANEW

    def _is_free(self, stream: str, received_ns: int) -> bool:
        """Has the owner left the bed, or is this the stream that it said comes next?."""
        owner = self.owner
        if self.ended or owner.gone or owner.announced == stream:
            return True
        return owner.silent_s(received_ns) > self.settings.idle_seconds

    def offer(self, wave: Wave, received_ns: int = 0, verdict: Verdict | None = None) -> list[Piece]:
        """Take one checked wave message, judged before or here."""
        verdict = verdict or self.judge(wave, received_ns)
        pieces: list[Piece] = []
        if verdict is Verdict.OWN:
            self.owner.heard(wave, received_ns)
            if self.ended:  # said to be over, but goes on
                self.ended = False
                self._count.published = None  # nor was that its last number
                self._attached()
                pieces.append(Begin(max(wave.index, self.next), self.rate, ResetReason.RESUMED))
                self._skip(max(wave.index, self.next))
            self._accept(wave, received_ns, pieces)
        elif verdict is Verdict.REPEATED:
            self.ledger.repeated += length(wave)
        elif verdict is Verdict.HELD:
            self._foreign(wave)
        else:
            chosen, self.owner.chosen = self.owner.chosen, []
            self._acquit(chosen[:-1])
            if verdict is Verdict.LEAP:
                self._leap(chosen[0], pieces)
                chosen = chosen[1:]
            else:
                pieces = self.end()
                pieces.append(self._begin_stream(chosen[0].wave))
            for chunk in chosen:
                self._accept(chunk.wave, chunk.received_ns, pieces)
            self.owner.heard(wave, received_ns)
        return pieces

    def forgo(self, wave: Wave, received_ns: int = 0, verdict: Verdict | None = None) -> list[Piece]:
        """A checked message that there is no time to read: its samples are lost. `resume` must follow."""
        verdict = verdict or self.judge(wave, received_ns)
        pieces: list[Piece] = []
        if verdict is Verdict.REPEATED:
            self.ledger.repeated += length(wave)
        elif verdict is Verdict.HELD:
            self._foreign(wave)
        else:
            if verdict is Verdict.ANEW:
                chosen, self.owner.chosen = self.owner.chosen, []
                self._acquit(chosen[:-1])
                pieces = self.end()
                pieces.append(self._begin_stream(chosen[0].wave))
            self.owner.heard(wave, received_ns)
            self._skip(wave.index + length(wave))
            self._waiting = [one for one in self._waiting if one.index + one.samples > self.next]
        return pieces

    def unread(self, samples: int) -> None:
        """So many samples that were received will not be read: they are lost. Bridges are not among the received."""
        count = self._count
        given_up = min(samples, count.received)
        count.received -= given_up
        count.lost += given_up

    def _late(self, wave: Wave) -> bool:
        """Does a foreign message look like one of ours that comes too late?."""
        if wave.stream in self._past:
            return True
        return (wave.stream, wave.rate, wave.leads) == (self.stream, self.rate, self.leads) and wave.index < self.next

    def _foreign(self, wave: Wave) -> None:
        """Count and say a message that is held back."""
        if self._late(wave):
            self.ledger.repeated += length(wave)
            return
        self.ledger.junk += 1
        if wave.stream != self.stream:
            self.owner.say(f"stream {wave.stream} on a bed of which {self.stream} is the owner")
        elif (wave.rate, wave.leads) != (self.rate, self.leads):
            self.owner.say(f"{self._terms(wave)} in stream {wave.stream}, which has {self._terms(self)}")
        else:
            ahead = (wave.index - self.next) / self.rate
            self.owner.say(f"sample {wave.index} of stream {wave.stream} is {ahead:.0f} s ahead of its signal")

    def _acquit(self, chunks: list[Chunk]) -> None:
        """These were held back, and were the owner's after all."""
        for chunk in chunks:
            if self._late(chunk.wave):
                self.ledger.repeated -= length(chunk.wave)
            else:
                self.ledger.junk -= 1

    def _leap(self, first: Chunk, pieces: list[Piece]) -> None:
        """The stream goes on far ahead: all between is lost."""
        while self._waiting:
            self._bridge(self._waiting[0].index, pieces)
            self._take_waiting(pieces)
        count = self._count
        self.owner.leap = Leap(self.next, first.wave.index, count.received, count.lost)
        self._waiting.append(Waiting(first.wave.index, first.wave, first.received_ns))
        self._bridge(first.wave.index, pieces)
        self._take_waiting(pieces)

    def resume(self, seconds: float) -> list[Piece]:
        """After messages with so much signal that were forgone: it begins anew behind them."""
        if not self.stream or self.ended:
            return []
        self._attached()
        for channel in self.channels:
            channel.last = MISSING
        pieces: list[Piece] = [Begin(self.next, self.rate, ResetReason.OVERLOAD, seconds)]
        self._take_waiting(pieces)
        return pieces

    @staticmethod
    def _terms(holder: Wave | Intake) -> str:
        return f"{holder.rate:g} Hz and leads {holder.leads}"

    def _check_terms(self, wave: Wave) -> None:
        """Raises MessageError where rate or leads are not those of the stream."""
        if wave.rate != self.rate or wave.leads != self.leads:
            raise MessageError(f"{self._terms(wave)} in stream {wave.stream}, which has {self._terms(self)}")

    def end(self) -> list[Piece]:
        """The stream is over: give up waiting for what is missing."""
        pieces: list[Piece] = []
        if self.stream and not self.ended:
            while self._waiting:
                self._bridge(self._waiting[0].index, pieces)
                self._take_waiting(pieces)
            pieces.append(End())
            self.ended = True
        return pieces

    def _begin_stream(self, wave: Wave) -> Begin:
        """Take over the terms of a stream that is new here, or comes back, or begins anew."""
        reason, owner = ResetReason.NEW_RECORD, self.owner
        comes_back = wave.stream in (self.stream, *self._past)
        self._joined = comes_back or not self.ledger.knows(self.bed, wave.stream)
        if not self.stream:
            reason = ResetReason.NEW_BED
        elif self.stream == wave.stream:
            reason = ResetReason.RESTARTED
            self.ledger.repeated += owner.back(wave.index, self._count)
        else:
            self._past = [*(name for name in self._past[-7:] if name != wave.stream), self.stream]
        leap = owner.leap if owner.leap and self.stream == wave.stream and wave.index < owner.leap.end else None
        if self.stream:
            owner.changes(self.stream, leap.begin if leap else self.next)
        before = owner.left_at.get(wave.stream)
        self.stream, self.record, self.rate, self.leads = wave.stream, wave.record, wave.rate, list(wave.leads)
        self.units = list(wave.units)
        self.ledger.begin(self.bed, self.stream)
        self.channels = [Channel(column=column) for column in read_columns(wave, self.settings)]
        shown = pulse_columns(wave.leads, wave.units)
        self.pulses = [Channel(column=column) for column in shown if column != self.column]
        self._read_by, self._later, self._stood = None, None, ODD
        self.ended = False
        late = self._patience(wave)
        # The first chunk heard may have overtaken others; only a monitor that joins late begins in mid-stream.
        self.next = wave.index if wave.index > late else 0
        if not self._joined:
            self._count.lost += self.next
        elif before is not None and leap is None:
            self._count.lost += max(self.next - before, 0)
        return Begin(self.next, self.rate, reason)


REMEMBERED: Final = {
    name: kind
    for name, kind in get_type_hints(Intake).items()
    if name not in ("bed", "settings", "ledger", "blocks", "owner", "_read_by", "_later", "_stood")
}
"""Fields of an intake that are its memory, and their types."""
