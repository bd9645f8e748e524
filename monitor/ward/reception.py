"""Messages of all beds as they come: whose each is, how streams begin and end, what waits to be read.

A message that goes on where its bed's signal ends, as nearly all do, is heard with those of other beds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ecg import clock
from ecg.wire.messages import BedStatus, MessageError, Truth, Wave
from monitor.ward.admission import Admission
from monitor.ward.bed import AT_ONCE_SECONDS, Bed
from monitor.ward.events import Event, Steered
from monitor.ward.listener import Unheard, heard
from monitor.ward.owner import Chunk, Verdict
from monitor.ward.pieces import Piece, Signal, Taken
from monitor.ward.senders import Senders

MOST_BACKLOG: Final = 1 << 21
"""Samples of one bed that may wait, beside those of one message."""
MOST_UNHEARD: Final = 1 << 16
"""Bytes of samples that are heard together: more would not stay in the processor's cache."""
MOST_FINISHED: Final = 1 << 19
"""Samples of an old stream that are read before a new one begins; where more wait, they are lost."""
HEARD: Final = (Verdict.OWN, Verdict.LEAP, Verdict.ANEW)


class Reception(Admission):
    """Beds and their messages. What they hold is on its way through the pipeline when `Ward.step` takes it.

    heard: called with signal as it is taken; it must neither wait nor change anything. The rest: see `Admission`.
    """

    heard: Callable[[Taken], None] | None = None

    def _empty(self) -> None:
        super()._empty()
        self._ready: dict[str, Bed] = {}
        self._unheard: list[tuple[Bed, Unheard]] = []
        self._unheard_bytes = 0
        self.senders = Senders(self.config.monitor.idle_seconds)

    def admit(self, name: str) -> Bed:
        """The bed of that name, with a slot of its own. Raises MessageError where there is no room."""
        if name not in self.beds:
            self._hear()
        return super().admit(name)

    def wave(self, name: str, wave: Wave, received_ns: int, by_steps: bool = False) -> None:
        """One checked wave message of a bed. Raises MessageError where there is no room for the bed.

        by_steps: where another stream begins with it, signal of the old one that waits is left to `step`: the bed is
        `ending` for so long, and to be given no other message before `begin`. Otherwise that signal is processed here.
        """
        if self.usual(name, wave, received_ns):
            return
        bed = self.admit(name)
        if bed.backlog > MOST_BACKLOG and len(bed.pieces) > 1:
            raise MessageError(f"{bed.backlog} samples of bed {name} wait unread, and more come")
        verdict = self._judged(bed, wave, received_ns)
        if verdict is Verdict.ANEW:
            bed.begins = Chunk(wave, received_ns)
            if not (by_steps and bed.pieces):
                self._begin(bed)
        else:
            self._take(bed, bed.intake.offer(wave, received_ns, verdict))

    def quickly(self, payloads: list[bytes], slots: list[int], received_ns: list[int]) -> list[bool]:
        """Take messages of beds on the quick lane, in order; which were taken. The others are for `wave`.

        slots: of the beds, as `quick.slot_of` has them. Nobody can listen in: where somebody does, none is taken.
        """
        if self.heard:
            return [False] * len(payloads)
        return self.quick.take(payloads, slots, received_ns, self._now_s(), clock.stepped_ns())

    def usual(self, name: str, wave: Wave, received_ns: int, came: tuple[str, bytes] | None = None) -> bool:
        """Take a checked message that goes on where its bed's signal ends; False, and nothing changed, for others.

        Its samples are heard with those of other beds, before anything else is done. came: its topic and payload, by
        which the bed's next messages may be known (`quick`).
        """
        bed = self.beds.get(name)
        if bed is None:
            return False
        if bed.lane is not None:
            self._alone(bed)
        if bed.begins is not None or bed.backlog > MOST_BACKLOG or not bed.terms.goes_on(wave):
            return False
        if came is not None and not self.heard:
            self.quick.note(bed, *came, wave)
        self._unheard.append((bed, bed.terms.go_on(wave, received_ns)))
        bed.heard_s, bed.online = self._now_s(), True
        self._keep(bed)
        self._unheard_bytes += len(wave.samples)
        if self._unheard_bytes > MOST_UNHEARD:
            self._hear()
        return True

    def _hear(self) -> None:
        """Hear the samples of messages that went on where their bed's signal ended."""
        if not self._unheard:
            return
        unheard, self._unheard, self._unheard_bytes = self._unheard, [], 0
        for (bed, one), plain in zip(unheard, heard([one for _, one in unheard]), strict=True):
            bed.add(bed.terms.hear(one, plain))
            self._ready[bed.name] = bed

    def ending(self, name: str) -> bool:
        """Does another stream of this bed wait until all signal of the present one has been processed?."""
        bed = self.beds.get(name)
        return bed is not None and bed.begins is not None and bool(bed.pieces)

    def begin(self, name: str) -> None:
        """The stream that waits begins."""
        bed = self.beds.get(name)
        if bed is not None and bed.begins:
            self._begin(bed)

    def _judged(self, bed: Bed, wave: Wave, received_ns: int) -> Verdict:
        """What a message is to its bed. Where another stream begins, the old one is over."""
        self._hear()
        self._alone(bed)
        if bed.begins:
            self._begin(bed)
        verdict = bed.intake.judge(wave, received_ns)
        if verdict is Verdict.ANEW:  # all of the old stream goes first, under its own name
            self._end(bed)
            if bed.backlog > MOST_FINISHED and len(bed.pieces) > 1:
                bed.give_up()
        if verdict in HEARD:
            bed.heard_s, bed.online = self._now_s(), True
        else:
            bed.tried_s = self._now_s()
        return verdict

    def _begin(self, bed: Bed, read: bool = True) -> None:
        """The stream that waits begins, once all of the old one has been processed. read: or is it forgone?."""
        assert bed.begins is not None
        self._hear()
        alone = {bed.name: bed} if bed.pieces else {}
        while alone:
            self.ledger.beats += self._pipeline.round(alone)
        self._ready.pop(bed.name, None)
        bed.new_stream()
        self._pipeline.arrivals.clear(bed.slot)
        (wave, received_ns), bed.begins = bed.begins, None
        take = bed.intake.offer if read else bed.intake.forgo
        self._take(bed, take(wave, received_ns, Verdict.ANEW))

    def forgo(self, name: str, wave: Wave, received_ns: int) -> None:
        """One checked message of a bed that has waited too long: lost, unread. Raises MessageError as `wave` does."""
        bed = self.admit(name)
        verdict = self._judged(bed, wave, received_ns)
        if verdict is Verdict.ANEW:
            if bed.backlog > AT_ONCE_SECONDS * bed.rate:
                bed.give_up()
            bed.begins = Chunk(wave, received_ns)
            self._begin(bed, read=False)
        else:
            self._take(bed, bed.intake.forgo(wave, received_ns, verdict))

    def give_up(self, name: str) -> None:
        """Signal of this bed that waits will not be read: it is lost."""
        self._hear()
        bed = self.beds[name]
        self._alone(bed)
        if bed.pieces:
            bed.give_up()
        if bed.begins:
            self._begin(bed, read=False)

    def unusable(self, name: str) -> None:
        """A message of this bed was no message at all."""
        now = self._now_s()
        if name in self.beds:
            self.beds[name].tried_s = now
        else:
            self.senders.stranger(name, now)

    def look(self) -> list[Event]:
        """Whether each bed that sends is understood, where that has changed since the last look."""
        return self.senders.look(self.beds.values(), self._now_s())

    def refused(self, name: str) -> list[str]:
        """Why messages of this bed were not taken for its own since the last call, a sentence each."""
        bed = self.beds.get(name)
        if bed is None or not bed.terms.owner.refused:
            return []
        said = list(bed.terms.owner.refused)
        bed.terms.owner.refused.clear()
        return said

    def resume(self, name: str, behind_s: float) -> None:
        """The last of the messages to forgo, with so much signal, is gone: the bed begins anew with empty memory."""
        self._hear()
        bed = self.beds.get(name)
        if bed is not None:
            self._take(bed, bed.intake.resume(behind_s))

    def feed(self, name: str, signal: Signal) -> None:
        """Samples in the place of a message: what the pipeline makes of them, past intake and ledger."""
        self._take(self.admit(name), [signal])

    def _keep(self, bed: Bed) -> None:
        """What the bed's intake has accepted, into its history and for whoever listens."""
        intake = bed.terms
        if self.heard and intake.blocks:
            self.heard(Taken(bed.name, bed.stream, intake.record, bed.rate, intake.leads, list(intake.blocks)))
        for block in intake.blocks:
            self._pipeline.arrivals.add(bed.slot, block)
        bed.take_blocks()

    def _take(self, bed: Bed, pieces: list[Piece]) -> None:
        self._hear()
        self._alone(bed)
        self._keep(bed)
        if pieces:
            bed.add(pieces)
            self._ready[bed.name] = bed

    def _alone(self, bed: Bed) -> None:
        """The bed's messages are taken one by one, from this one on."""
        self.quick.leave(bed)
        if bed.pieces:
            self._ready[bed.name] = bed

    def waits_for_nobody(self, name: str) -> bool:
        """Is this bed sent as fast as it can be, so that unread signal says nothing of lateness?."""
        status = self.beds[name].status if name in self.beds else self._announced.get(name)
        return status is not None and status.speed == "max"

    def truth(self, name: str, truth: Truth) -> None:
        """Reference annotations of a bed; those of another stream than the present one are left out."""
        bed = self.beds.get(name)
        if bed is not None and truth.stream == bed.stream:
            bed.history.note(truth.annotations)

    def steered(self, name: str, stream: str, index: int, what: str, detail: str) -> None:
        """The producer of a bed has carried out a command; `tell` or the next `step` returns it as an event."""
        bed = self.beds.get(name)
        if bed is not None and bed.rate:
            self._pipeline.events.append(
                Steered(bed=name, stream=stream, index=index, rate=bed.rate, what=what, detail=detail)
            )

    def status(self, name: str, status: BedStatus, retained: bool) -> None:
        """A producer's word on its bed. One retained from a replay that is over says nothing of the present."""
        if retained and status.state == "offline" and not self.ledger.knows(name, status.stream):
            return
        if status.published is not None and status.state == "offline":  # nobody knows it before
            self.ledger.run(name, status.stream).published = status.published
        bed = self.beds.get(name)
        if bed is None:
            if name in self._announced or len(self._announced) < self.config.monitor.max_beds:
                self._announced[name] = status
            return
        self._alone(bed)
        bed.status = status
        bed.online = status.state == "online"
        self._full_until_s = self._full_until_s if bed.online else float("-inf")  # there may be room now
        if self.ledger.key(name, status.stream) == self.ledger.key(name, bed.stream):  # its owner says so
            bed.intake.owner.gone = not bed.online
            bed.intake.owner.announced = status.stream if bed.online else ""
        if status.state == "offline" and status.published is not None:
            self._end(bed)

    def offline(self, names: list[str]) -> None:
        """A shared connection of these beds has broken."""
        self._full_until_s = float("-inf")
        for name in names:
            if name in self.beds:
                self._alone(self.beds[name])
                self.beds[name].online = False
                self.beds[name].intake.owner.gone = True

    def end_all(self) -> None:
        """No more messages will come: what is incomplete is completed as far as it can be."""
        for bed in self.beds.values():
            self.begin(bed.name)
            self._end(bed)

    def _end(self, bed: Bed) -> None:
        self._hear()
        self._take(bed, bed.intake.end())
