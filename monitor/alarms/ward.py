"""The alarms of all beds a monitor has, by slot: samples and classified beats in, changes and active alarms out.

How a service calls it, for each pass over the samples that came in:

    ward.pulse(slots, chunks)               # the pulse channel of those that have one: the span that the leads have
    ward.leads(slots, rows, chunks, off)    # the ECG leads: what SignalPath.step gets, and what is off
    ward.tell(slots, detected, heard)       # R-peaks of the lead that does not lead, then the classified beats, a
                                            # slot's in order; then the clock of slots none of whose beats still waits
    for slot, changes in ward.changes().items():
        publish ward.active(slot) at sample ward.now(slot); log changes; make sound unless ward.silenced_seconds(slot)

The clock is what makes alarms that no beat brings about (asystole, pause, bradycardia) and signs of the signal take
effect. How far it may go is worked out here: a beat leaves the signal path about 0.55 s of signal after its R-peak,
so the clock stands that far behind the samples (and at the start while the detector learns). A slot left out because a
beat of its is still in a batch simply catches up at the next call: changes are dated by samples, and come out the same
whenever it is called. The one thing that must not happen is a clock called before a beat that `SignalPath.step` has
returned already was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from math import ceil
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASSES
from ecg.settings import AlarmSettings
from ecg.signal.chunks import Signals
from ecg.signal.detector import AWAKE
from ecg.signal.path import FIDUCIAL_REACH
from ecg.signal.resampler import MODEL_RATE, kernel
from ecg.signal.windows import WINDOW_AFTER
from ecg.wire.messages import ActiveAlarm, Limits
from monitor.alarms.bed import BedAlarms
from monitor.alarms.limits import of_bed
from monitor.alarms.remembered import as_rows
from monitor.alarms.signs import SignalSigns
from monitor.alarms.state import BedState, Change, Evidence, Sign
from monitor.alarms.told import NO_BEATS, NO_PEAKS, Heard, rules

ROUNDING = 2
"""Samples at the model's rate to be on the safe side of every rounding."""


def beats_known_after(rate: float) -> int:
    """Samples at `rate` Hz after an R-peak with which the signal path has certainly returned its beat."""
    return ceil((WINDOW_AFTER + FIDUCIAL_REACH + ROUNDING) * rate / MODEL_RATE) + kernel(rate).half


def learning_samples(rate: float) -> int:
    """Samples at `rate` Hz from a bed's reset during which the signal path returns no beat yet."""
    return ceil((AWAKE + ROUNDING) * rate / MODEL_RATE) + 2 * kernel(rate).half


class SavedAlarms(msgspec.Struct):
    """Everything the alarms remember of one slot: put back, they go on as if nothing had happened. own: its limits.

    Plain numbers and lists, so that MessagePack carries it unchanged.
    """

    rate: float
    start: int
    told: int
    bed: BedState
    signs: dict[str, Any]
    own: Limits | None = None


class WardAlarms:
    """Alarms of many beds. Slots are rows as in `ecg.signal.path.SignalPath`; `grow` makes room for more.

    settings: the [alarms] table.
    """

    def __init__(self, settings: AlarmSettings, slots: int) -> None:
        self.settings = settings
        self._signs = SignalSigns(slots, settings.vt_beats, settings.vt_rate)
        self._rules = rules(slots)
        self._changes: dict[int, list[Change]] = {}
        self._own: dict[int, Limits] = {}
        self._rate = np.full(slots, 360.0)
        self._start = np.zeros(slots, np.int64)
        self._lag = np.zeros(slots, np.int64)
        self._learning = np.zeros(slots, np.int64)
        self._told = np.zeros(slots, np.int64)

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones stay as they are."""
        more = slots - len(self._told)
        if more > 0:
            self._signs.grow(slots)
            self._rules.grow(slots)
            for name in ("_rate", "_start", "_lag", "_learning", "_told"):
                setattr(self, name, np.pad(getattr(self, name), (0, more)))

    def reset(self, slot: int, rate: float, start: int) -> None:
        """A new stream, so a new patient: its next sample is `start`, at `rate` Hz. What was active is gone.

        The slot is in the next `changes()`, so that its empty list of alarms is published.
        """
        self._signs.reset(np.array([slot]), np.array([rate]), np.array([start]))
        self._begin(slot, rate, start)
        self._told[slot] = start
        self._rules.put(slot, BedAlarms(self.settings_of(slot), rate, start))
        self._changes[slot] = []

    def settings_of(self, slot: int) -> AlarmSettings:
        """The settings with the slot's own limits."""
        own = self._own.get(slot)
        return self.settings if own is None else of_bed(self.settings, own)

    def limits_of(self, slot: int) -> Limits | None:
        """The slot's own limits; None where it has none."""
        return self._own.get(slot)

    def adjust(self, slot: int, own: Limits | None) -> None:
        """Limits of the slot's own from now on, also of later streams; None: those of the settings.

        Raises ValueError, one sentence, and changes nothing, where they contradict one another or the settings'.
        """
        of_bed(self.settings, own)
        if slot in self._rules:
            self._catch_up(slot)
        if own is None:
            self._own.pop(slot, None)
        else:
            self._own[slot] = own
        if slot in self._rules:
            self._catch_up(slot)
            self._changes.setdefault(slot, [])  # texts of what is active name the limits

    def drop(self, slot: int) -> None:
        """The bed has left the slot."""
        self._rules.drop(slot)
        self._changes.pop(slot, None)
        self._own.pop(slot, None)

    def samples(self, slots: NDArray[np.int64], chunks: Signals, off: NDArray[np.bool_] | None = None) -> None:
        """The next samples of each slot: float32 [n], mV, contiguous, without NaN (see `SignalSigns.step`).

        off: bool [beds], where a lead is off all along its chunk; None where all are on.
        """
        self._rules.sign(*as_rows(self._signs.step(slots, chunks, off)))

    def leads(
        self,
        slots: NDArray[np.int64],
        rows: NDArray[np.int64],
        chunks: Signals,
        off: NDArray[np.bool_],
    ) -> None:
        """`beside` and `samples` in one: the next samples of all leads of these slots.

        rows: of the leads, twice the slot and one more for the second lead. off: bool [rows].
        """
        self._rules.sign(*self._signs.step_leads(slots, rows, chunks, off))

    def beside(self, slots: NDArray[np.int64], chunks: Signals, off: NDArray[np.bool_] | None = None) -> None:
        """The second ECG lead of those slots that have one, as `samples` has the first; told before it."""
        self._signs.beside(slots, chunks, off)

    def pulse(self, slots: NDArray[np.int64], chunks: Signals, channel: int = 0) -> None:
        """The pulse channel of those slots that have one: float32 [n], any unit; told before `samples`.

        channel: 1 for the second one of those that have two (pressure and plethysmogram).
        """
        self._signs.pulse(slots, chunks, channel)

    def tell(
        self, slots: NDArray[np.int64], detected: NDArray[np.int64] = NO_PEAKS, heard: Heard = NO_BEATS
    ) -> NDArray[np.bool_]:
        """R-peaks of leads that do not lead, int64 [n, 2] (slot, sample), and beats; then the clock of `slots`.

        `clock`: every beat that the samples so far hold has been told for these slots. Returns which beats come while
        no lead of their bed can be analysed: up to the last sample that they need, which `leads` must have told.
        """
        seen, start = self._signs.seen(slots), self._start[slots]
        until = np.where(seen - start < self._learning[slots], start, seen - 1 - self._lag[slots])
        self._told[slots] = told = np.maximum(self._told[slots], until)
        noisy, found = self._rules.tell(detected, heard, np.stack((slots, told), axis=1))
        for slot, change in found:
            self._changes.setdefault(slot, []).append(change)
        return noisy

    def detected(self, slot: int, index: int) -> None:
        """The lead that does not lead has an R-peak at sample `index`: `tell` of one, without a clock."""
        self.tell(np.zeros(0, np.int64), np.array([[slot, index]]))

    def beat(self, slot: int, index: int, cls: str, *evidence: float) -> None:
        """A beat of AAMI class `cls` with its R-peak at sample `index`: `tell` of one, without a clock.

        evidence: the first fields of `Evidence`, as many as are known.
        """
        where, at, known = np.array([slot]), np.array([index]), np.array([msgspec.structs.astuple(Evidence(*evidence))])
        self.tell(np.zeros(0, np.int64), NO_PEAKS, Heard(where, at, np.array([CLASSES.index(cls)]), at, known))

    def clock(self, slots: NDArray[np.int64]) -> None:
        """Every beat that the samples so far hold has been told for these slots: `tell` without beats."""
        self.tell(np.asarray(slots, np.int64))

    def finish(self, slot: int) -> None:
        """The stream has ended, and every beat of it has been told: time goes on to its last sample."""
        self._told[slot] = max(int(self._told[slot]), int(self._signs.seen(np.array([slot]))[0]) - 1)
        self._catch_up(slot)

    def interrupt(self, slot: int, index: int, lost: bool = True) -> None:
        """The signal path was reset: the slot's next sample is `index`. lost: samples are missing before it.

        Conditions end, because nothing is known any more; what is latched stays until it is acknowledged. A pulse
        of which no sample is missing goes on.
        """
        rate = float(self._rate[slot])
        with self._bed(slot) as bed:
            self._note(slot, bed.interrupt(index))
            self._note(slot, bed.sign(Sign(index)))
            self._signs.reset(np.array([slot]), np.array([rate]), np.array([index]), lost)
            self._begin(slot, rate, index)
            self._told[slot] = max(int(self._told[slot]), index)
            self._note(slot, bed.clock(int(self._told[slot])))

    def acknowledge(self, slot: int, kind: str = "", who: str = "") -> None:
        """A person has seen the slot's alarm of that kind (all of them where kind is ""). who: the person."""
        with self._bed(slot) as bed:
            self._note(slot, bed.acknowledge(kind, who))

    def silence(self, slot: int, seconds: float | None = None) -> None:
        """No sound for that many seconds of signal (silence_seconds of the settings where None); 0 ends it."""
        length = self.settings.silence_seconds if seconds is None else seconds
        with self._bed(slot) as bed:
            self._note(slot, bed.silence(length))

    def silenced_seconds(self, slot: int) -> float:
        """Seconds of signal until the slot's sound comes back; 0 where it is on."""
        if slot not in self._rules:
            return 0.0
        return self._rules.silenced(slot, self.now(slot)) / float(self._rate[slot])

    def active(self, slot: int) -> list[ActiveAlarm]:
        """The slot's alarms, gravest first; those that a graver one of their chain hides are left out."""
        return self._rules.episodes(slot).active() if slot in self._rules else []

    def raised(self, slot: int) -> dict[str, int]:
        """The sample at which each of the slot's alarms became known, by kind: also of those that are hidden."""
        return self._rules.episodes(slot).raised() if slot in self._rules else {}

    def sign(self, slot: int) -> Sign:
        """What is true of the slot's signal at `now`."""
        return self._rules.in_force(slot) if slot in self._rules else Sign(0)

    def held(self, slot: int) -> int:
        """How many alarms have been held back since the slot's reset because nothing could be analysed."""
        return self._rules.held(slot) if slot in self._rules else 0

    def now(self, slot: int) -> int:
        """The sample up to which the slot's alarms know everything."""
        return int(self._told[slot])

    def changes(self) -> dict[int, list[Change]]:
        """What has changed since the last call, by slot: publish and log it."""
        changes, self._changes = self._changes, {}
        return changes

    def save(self, slot: int) -> SavedAlarms:
        """A copy of all that is remembered of the slot."""
        signs = {name: value[slot].tolist() for name, value in self._signs.state.items()}
        with self._bed(slot) as bed:
            saved = bed.save()
        return SavedAlarms(
            float(self._rate[slot]),
            int(self._start[slot]),
            self.now(slot),
            saved,
            signs,
            self._own.get(slot),
        )

    def restore(self, slot: int, saved: SavedAlarms) -> None:
        """Put back what `save` gave, in this slot or another one, here or in another process.

        Raises ValueError where it holds other signs than these, or beats out of order.
        """
        if saved.signs.keys() != self._signs.state.keys():
            raise ValueError("signs of other parts")
        if not saved.bed.ordered():
            raise ValueError("R-peaks that do not follow one another")
        self._signs.reset(np.array([slot]), np.array([saved.rate]), np.array([saved.start]))
        held = self._signs.state
        for name, value in saved.signs.items():
            rows = held[name]
            if isinstance(value, list):
                rows[slot, : len(value)] = value[: rows.shape[1]]
            else:
                rows[slot] = value
        self._begin(slot, saved.rate, saved.start)
        self._told[slot] = saved.told
        self._own.pop(slot, None)
        if saved.own is not None:
            with suppress(ValueError):  # the settings are others now: their limits hold
                of_bed(self.settings, saved.own)
                self._own[slot] = saved.own
        self._rules.put(slot, BedAlarms(self.settings_of(slot), saved.rate, saved.start, deepcopy(saved.bed)))
        self._changes[slot] = []

    def _begin(self, slot: int, rate: float, start: int) -> None:
        """The signal path starts to listen at sample `start`."""
        self._rate[slot], self._start[slot] = rate, start
        self._lag[slot], self._learning[slot] = beats_known_after(rate), learning_samples(rate)

    def _catch_up(self, slot: int) -> None:
        """Bring the bed's alarms up to the time that `clock` has told, by the limits in force."""
        with self._bed(slot):
            pass

    @contextmanager
    def _bed(self, slot: int) -> Iterator[BedAlarms]:
        """The bed's alarms, brought up to the time that `clock` has told; put back at the end."""
        bed = BedAlarms(self.settings_of(slot), float(self._rate[slot]), state=self._rules.state(slot))
        self._note(slot, bed.clock(int(self._told[slot])))
        yield bed
        self._rules.put(slot, bed)

    def _note(self, slot: int, changes: list[Change]) -> None:
        if changes:
            self._changes.setdefault(slot, []).extend(changes)
