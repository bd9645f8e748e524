"""The monitor from Python: NumPy arrays in, typed events out. No broker, no screen.

    from monitor import ArrayWard

    ward = ArrayWard.load("memory-gru")
    for event in ward.listen(samples, rate):    # mV, float [n] or [n, leads], or an iterator of such chunks
        print(event)                            # BeatRead, AlarmChanged or MemoryReset

It is the ward of the service (monitor/ward/ward.py) under a thin cover that turns arrays into wave messages: the same
samples give the same beats, probabilities and alarms as over MQTT. For research and education only, never for the
care of a patient.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.model import weights as shipped
from ecg.model.device import device_name
from ecg.records.record import MISSING
from ecg.settings import Config
from ecg.wire.messages import SCHEMA, BedStatus, Wave
from monitor.ward.events import AlarmChanged, BeatRead, Event, MemoryReset, ResetReason
from monitor.ward.play import feed
from monitor.ward.ward import Ward

__all__ = ["AlarmChanged", "ArrayWard", "BeatRead", "Event", "MemoryReset", "ResetReason"]

GAIN: Final = 1000.0
"""ADU/mV: samples are rounded to 1 uV."""
MOST_MV: Final = 30.0
"""No ECG, its offset included, is larger; GAIN times that fits 16 bits."""
MOST_LEADS: Final = 64
STEP_SECONDS: Final = 10.0
"""Signal taken in one go: bounds memory, changes nothing else."""
RATES: Final = (100.0, 10_000.0)


@dataclass(slots=True, kw_only=True)
class Stream:
    """What one bed has been fed. next: index of its next sample. sent: samples of all its streams. lap: their number.

    open: more may come.
    """

    rate: float
    leads: list[str]
    lap: int = 0
    next: int = 0
    sent: int = 0
    open: bool = True


class ArrayWard:
    """A ward whose beds are fed with arrays.

    Every method takes millivolts: float [n] or [n, leads]; NaN where a sample is missing. Samples are rounded to
    1 uV. A bed keeps its memory from chunk to chunk until it is finished; beds do not know of each other.

    >>> from ecg.records import library
    >>> excerpt = library.read("excerpt")                        # five real minutes of record 208, 360 Hz
    >>> ward = ArrayWard.load("memory-gru")
    >>> beats = [event for event in ward.listen(excerpt.millivolts(0), excerpt.rate) if isinstance(event, BeatRead)]
    >>> len(beats), "".join(beat.cls for beat in beats[100:120])
    (503, 'NVNNFNNFNNFNNNVNNNNN')
    """

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self._streams: dict[str, Stream] = {}

    @classmethod
    def load(cls, weights: str = "memory-gru", *, config: Config | None = None, device: str = "auto") -> ArrayWard:
        """A ward without beds. weights: shipped ones by name, or a .safetensors file. device: "auto", "cpu", "cuda".

        config: limits of the alarms and the rest (default: as config.toml is shipped). Raises UserError where the
        weights or the device are not there.
        """
        fitted, card = shipped.load(weights)
        # Beds are never too late to be waited for: nothing here goes by the clock on the wall.
        where = device_name(device)
        return cls(Ward(config or Config(), fitted, card.name, where, now_s=lambda: 0.0, doubt=card.doubt))

    def listen(
        self,
        samples: NDArray[np.floating[Any]] | Iterable[NDArray[np.floating[Any]]],
        rate: float,
        *,
        leads: Sequence[str] | None = None,
        bed: str = "bed",
    ) -> Iterator[Event]:
        """The events of one patient's whole signal, as it is heard; the bed is finished with it.

        samples: one array, or an iterable of chunks that follow one another. rate, leads: see `feed`. Raises
        ValueError as `feed` does.
        """
        chunks: Iterable[Any] = [samples] if isinstance(samples, np.ndarray) else samples
        if bed in self._streams and self._streams[bed].open:
            raise ValueError(f"bed {bed!r} is being fed already: finish it, or give another name")
        try:
            for chunk in chunks:
                for events in self._rounds({bed: chunk}, rate, leads):
                    yield from events
            if bed not in self._streams or not self._streams[bed].open:
                raise ValueError("there are no samples to listen to: the iterable of chunks is empty")
            yield from self.finish(bed)
        finally:  # left half-way, or ended by an error: the bed is free again
            self.finish(bed)

    def feed(
        self, chunks: Mapping[str, NDArray[np.floating[Any]]], rate: float, *, leads: Sequence[str] | None = None
    ) -> list[Event]:
        """The next samples of these beds, by name, and what they bring about; a bed that is new is admitted.

        rate: Hz, 100 to 10000. leads: names of the columns; the lead that is read is MLII (`[monitor] lead`) where it
        is there, else the first. Raises ValueError, before any bed is fed, for what cannot be used: shapes, integers,
        values that are no millivolts, a rate or a number of leads that is not the bed's.
        """
        return list(chain.from_iterable(self._rounds(chunks, rate, leads)))

    def finish(self, *beds: str) -> list[Event]:
        """No more samples of these beds (default: of any) will come: the last beats, and what they bring about.

        A bed that is fed again later is a new patient.
        """
        for bed in beds or tuple(self._streams):
            stream = self._streams.get(bed)
            if stream is not None and stream.open:
                stream.open = False
                self._ward.status(bed, _goodbye(bed, stream), False)
        return self._ward.step()

    def acknowledge(self, bed: str, kind: str = "") -> list[Event]:
        """A person has seen the bed's alarm of that kind (all of them where kind is "")."""
        self._ward.acknowledge(bed, kind)
        return self._ward.tell()

    def _rounds(self, chunks: Mapping[str, Any], rate: float, leads: Sequence[str] | None) -> Iterator[list[Event]]:
        """Events of chunks that have been checked, all of them before the first is taken."""
        if not RATES[0] <= rate <= RATES[1]:
            raise ValueError(f"a rate of {rate!r} Hz cannot be used: give {RATES[0]:g} to {RATES[1]:g} Hz")
        codes = {bed: _codes(bed, chunk) for bed, chunk in chunks.items()}
        streams = {bed: self._stream(bed, float(rate), leads, rows.shape[1]) for bed, rows in codes.items()}
        room, here = self._ward.config.monitor.max_beds, {bed for bed, stream in self._streams.items() if stream.open}
        if len(here | streams.keys()) > room:
            raise ValueError(f"a ward of {room} beds has no room for {', '.join(streams)} (max_beds of [monitor])")
        self._streams |= streams
        yield from feed(self._ward, {bed: _waves(bed, streams[bed], rows) for bed, rows in codes.items()})

    def _stream(self, bed: str, rate: float, leads: Sequence[str] | None, count: int) -> Stream:
        """The bed's present stream, or a new one. Raises ValueError where the chunk is not of it."""
        known = self._streams.get(bed)
        if leads is not None:
            names = [str(name) for name in leads]
        elif known is not None and known.open and len(known.leads) == count:
            names = known.leads
        else:
            names = [f"lead {number + 1}" for number in range(count)]
        if len(names) != count:
            raise ValueError(f"bed {bed!r}: {len(names)} names of leads for {count} columns of samples")
        if known is None:
            return Stream(rate=rate, leads=names)
        if not known.open:
            return Stream(rate=rate, leads=names, lap=known.lap + 1, sent=known.sent)
        if (known.rate, known.leads) != (rate, names):
            raise ValueError(
                f"bed {bed!r}: {rate:g} Hz and leads {names}, where it had {known.rate:g} Hz and {known.leads}; "
                "finish it before another signal begins"
            )
        return known


def _codes(bed: str, chunk: Any) -> NDArray[np.int16]:
    """Samples as they go into a message: int16 [n, leads]. Raises ValueError with one sentence."""
    rows = np.asarray(chunk)
    if rows.dtype.kind != "f":
        raise ValueError(f"bed {bed!r}: samples of type {rows.dtype} are no mV; give floats, (ADU - baseline) / gain")
    if rows.ndim not in (1, 2) or rows.size == 0 or (rows.ndim == 2 and rows.shape[1] > MOST_LEADS):
        raise ValueError(f"bed {bed!r}: samples of shape {rows.shape} cannot be used; give [n] or [n, leads], n > 0")
    rows = rows.reshape(len(rows), -1).astype(np.float64)
    missing = np.isnan(rows)
    rows[missing] = 0.0
    worst = np.unravel_index(np.abs(rows).argmax(), rows.shape)
    if abs(rows[worst]) > MOST_MV:
        raise ValueError(
            f"bed {bed!r}: {rows[worst]:g} at sample {worst[0]} of the chunk is no ECG in mV (beyond {MOST_MV:g}); "
            "divide uV by 1000, take an offset away"
        )
    codes = np.rint(rows * GAIN).astype(np.int16)
    codes[missing] = MISSING
    return codes


def _waves(bed: str, stream: Stream, rows: NDArray[np.int16]) -> Iterator[Wave]:
    """The bed's next messages."""
    size, leads = round(STEP_SECONDS * stream.rate), len(stream.leads)
    for begin in range(0, len(rows), size):
        part = rows[begin : begin + size]
        wave = Wave(
            v=SCHEMA,
            stream=f"{bed}-{stream.lap}",
            record=bed,
            seq=0,
            index=stream.next,
            rate=stream.rate,
            leads=stream.leads,
            gain=[GAIN] * leads,
            baseline=[0.0] * leads,
            sent_ns=time.time_ns(),
            samples=part.astype("<i2").tobytes(),
        )
        stream.next += len(part)
        stream.sent += len(part)
        yield wave


def _goodbye(bed: str, stream: Stream) -> BedStatus:
    """The bed's producer says that it has sent everything."""
    return BedStatus(
        v=SCHEMA,
        state="offline",
        record=bed,
        source="array",
        speed="max",
        rate=stream.rate,
        leads=stream.leads,
        stream=f"{bed}-{stream.lap}",
        published=stream.sent,
    )
