"""The study of one bed for one screen: networks beside the ward's, a look into a memory, the next second.

What it needs it copies in the ward's own thread; the networks run in another, so that no bed waits for a study. Without
a study the ward does nothing for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from threading import Lock
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecg.records.rows import AROUND_SECONDS
from ecg.signal.beats import Beats
from monitor.link import protocol
from monitor.link.merging import studied
from monitor.link.protocol import BESIDE, Beside, Foretold, Model, Studied, Verdict
from monitor.study.beside import MemoryBeside, lecture, read_row, shipped_memory
from monitor.study.foretell import Foreteller
from monitor.study.rows import AFTER_SECONDS, begin_of, cut
from monitor.ward.bed import LEADS, Bed
from monitor.ward.lead_rows import Index
from monitor.ward.ward import Ward

MOST_PEAKS: Final = 64
"""Beats that wait for the signal behind them, or for the lecture's network; of more the oldest go unread."""
RECENT: Final = 10
"""Forecasts of one piece of signal that are told."""
TUTORIAL: Final[Model] = "tutorial"
Job = Callable[[], None]

_NUMBERS = count(1)


class Study:
    """Looks on at one bed. work: gets jobs to be done in order, elsewhere or at once.

    failed: a sentence where it is over because something broke; the ward goes on. said: what a person should know.
    """

    def __init__(self, ward: Ward, asked: protocol.Study, work: Callable[[Iterable[Job]], None]) -> None:
        self._ward, self._asked, self._work = ward, asked, work
        self._lock = Lock()
        self.stream = ""
        self.failed = self.said = ""
        self._told: Studied | None = None
        self._readers: dict[Model, MemoryBeside] = {}
        self._missing: list[str] = []
        self._peaks: deque[tuple[int, int]] = deque()
        self._waiting_rows = 0
        self._unread = 0
        self._foreteller: Foreteller | None = None
        self._heard_to = 0
        self._since = 0
        self._number = 0
        self._loaded = False
        ward.watchers.append(self)
        work([self._load])

    def _load(self) -> None:
        """Have the networks read from the disk where nobody waits for it."""
        for model in {*self._asked.beside, self._asked.inside} & {*BESIDE}:
            _ = lecture() if model == TUTORIAL else shipped_memory(model)
        self._loaded = True

    def close(self) -> None:
        """Look on no more."""
        if self in self._ward.watchers:
            self._ward.watchers.remove(self)

    @property
    def bed(self) -> str:
        """Name of the bed."""
        return self._asked.bed

    def fail(self, error: Exception) -> None:
        """It is over; nothing that breaks in a study may reach the ward."""
        self.failed = f"studying this bed failed ({type(error).__name__}: {error})"
        self.close()

    def beats(self, rows: Beats, leading: Index) -> None:
        """Beats of all beds: those of this one are copied for the networks."""
        try:
            self._copy(rows, leading)
        except Exception as error:
            self.fail(error)

    def _copy(self, rows: Beats, leading: Index) -> None:
        bed = self._ward.beds.get(self.bed)
        if bed is None or bed.stream != self.stream:
            return
        own = np.flatnonzero(rows.slot // LEADS == bed.slot)
        if not len(own):
            return
        found, lead = rows.take(own), int(leading[bed.slot])
        found.slot = found.slot - LEADS * bed.slot
        if TUTORIAL in self._asked.beside and lecture() is not None:
            column = bed.intake.channels[lead].column
            self._peaks.extend((int(index), column) for index in found.index[found.slot == lead])
            while len(self._peaks) > MOST_PEAKS:
                self._peaks.popleft()
                self._unread += 1
        for reader in self._readers.values():
            self._work([partial(self._read, reader, found, lead)])

    def emptied(self, bed: Bed, leads: Sequence[int]) -> None:
        """The memory of these leads is empty."""
        if bed.name == self.bed:
            for reader in self._readers.values():
                self._work([partial(reader.emptied, leads)])

    def look(self) -> Studied | None:
        """What is new since the last look; what has come of signal is taken meanwhile."""
        if self.failed:
            return Studied(number=self._number, stream=self.stream, since=self._since, why=self.failed)
        bed = self._ward.beds.get(self.bed)
        if bed is None or not bed.stream or not self._loaded:
            return None
        if bed.stream != self.stream:
            self._begin(bed)
        self._cut_rows(bed)
        if self._asked.forecast:
            self._hear(bed)
        with self._lock:
            told, self._told = self._told, None
        return msgspec.structs.replace(told or self._studied(), unread=self._unread, why=self.said)

    def _begin(self, bed: Bed) -> None:
        """Study the present stream from here on: nothing of another one belongs to it."""
        self._number = next(_NUMBERS)
        beats = bed.history.beats
        self.stream, self._since = bed.stream, beats[-1].index + 1 if beats else 0
        self._peaks.clear()
        self._unread, self._foreteller, self._heard_to = 0, None, max(bed.history.signal.first, 0)
        self._readers = {}
        self._read_by(bed)
        with self._lock:
            self._told = self._studied()

    def _read_by(self, bed: Bed) -> None:
        """Have the networks that are asked for, and no others."""
        asked = self._asked
        wanted = dict.fromkeys([*asked.beside, *([asked.inside] if asked.inside else [])])
        self._missing = [TUTORIAL] if TUTORIAL in wanted and lecture() is None else []
        self._readers = {model: reader for model, reader in self._readers.items() if model in wanted}
        for model in wanted:
            looked = model == asked.inside
            reader = self._readers.get(model)
            if reader is None and model != TUTORIAL:
                reader = self._reader(bed, model, looked)
            elif reader is not None:
                self._work([partial(reader.look, looked)])
            if reader is not None:
                self._readers[model] = reader
            elif model != TUTORIAL:
                self._missing.append(model)

    def _reader(self, bed: Bed, model: Model, looked: bool) -> MemoryBeside | None:
        """A network beside the ward's; None where it is not shipped. The ward's own goes on where its memory is."""
        if model != "own":
            fitted = shipped_memory(model)
            return None if fitted is None else MemoryBeside(model, fitted, looked=looked)
        engine = self._ward.engine
        memories = [engine.save(bed.row(lead)) for lead in range(len(bed.intake.channels))]
        return MemoryBeside(model, engine.weights, memories, looked)

    def change(self, asked: protocol.Study) -> None:
        """Something else is asked about the same bed. Other networks beside begin a study of their own."""
        before, self._asked = self._asked, asked
        bed = self._ward.beds.get(self.bed)
        if asked.beside != before.beside or bed is None or bed.stream != self.stream:
            self._loaded, self.stream = False, ""
            self._work([self._load])
        else:
            self._read_by(bed)

    def _studied(self) -> Studied:
        return Studied(number=self._number, stream=self.stream, since=self._since, missing=list(self._missing))

    def _tell(self, number: int, **new: object) -> None:
        """Something new, from whichever thread; of a study that is over nothing is told."""
        with self._lock:
            if number == self._number:
                self._told = studied(self._told, msgspec.structs.replace(self._studied(), **new))

    def _read(self, reader: MemoryBeside, beats: Beats, lead: int) -> None:
        number = self._number
        verdicts, traced = reader.read(beats, lead)
        beside = [Beside(reader.model, max((one.index for one in verdicts), default=0), verdicts)]
        wanted = reader.model in BESIDE and reader.model in self._asked.beside
        inside = reader.inside(traced) if traced else None
        self._tell(number, beside=beside if wanted and verdicts else [], inside=inside)

    def _cut_rows(self, bed: Bed) -> None:
        """Rows of the beats whose signal is there by now."""
        signal, rate = bed.history.signal, bed.rate
        if not self._peaks or self._peaks[0][0] + AFTER_SECONDS * rate > signal.next:
            return
        parts = signal.strips(begin_of(self._peaks[0][0], rate))
        whole = np.concatenate([samples for _, samples in parts]) if parts else np.zeros((0, 1), np.float32)
        begin = parts[0][0] if parts else signal.next
        while self._peaks and self._peaks[0][0] + AFTER_SECONDS * rate <= signal.next:
            peak, column = self._peaks.popleft()
            start, end = begin_of(peak, rate), peak + int(AFTER_SECONDS * rate)
            if start < begin or column >= whole.shape[1] or self._waiting_rows >= MOST_PEAKS:
                self._unread += 1
                continue
            row = cut(whole[start - begin : end - begin, column], start, peak, rate, self._rr(bed, peak))
            self._waiting_rows += 1
            self._work([partial(self._name, peak, row)])

    def _rr(self, bed: Bed, peak: int) -> float:
        """The median RR interval around a beat, in samples."""
        reach = AROUND_SECONDS * bed.rate
        near = [beat.index for beat in bed.history.beats if abs(beat.index - peak) <= reach]
        return float(np.median(np.diff(near))) if len(near) > 1 else bed.rate

    def _name(self, peak: int, row: NDArray[np.float32]) -> None:
        number = self._number
        net = lecture()
        self._waiting_rows -= 1
        if net is not None:
            cls, share = read_row(net, row)
            self._tell(number, beside=[Beside(TUTORIAL, peak, [Verdict(peak, cls, round(share, 4))])])

    def _hear(self, bed: Bed) -> None:
        """New signal of the lead that leads, for the forecast."""
        parts = bed.history.signal.strips(self._heard_to)
        column = bed.intake.channels[bed.leading.lead].column
        for index, samples in parts:
            self._heard_to = index + len(samples)
            self._work([partial(self._foretell, samples[:, column].copy(), index, bed.rate)])

    def _foretell(self, samples: NDArray[np.float32], index: int, rate: float) -> None:
        if self._foreteller is None:
            self._foreteller = Foreteller(rate)
        found: list[Foretold] = self._foreteller.take(samples, index)
        if found:
            self._tell(self._number, foretold=found[-RECENT:], errors=self._foreteller.errors())
