"""A bed of a live stream: what a device sends now.

Samples come when the device sends them; the bed hands on what has come since its last message. Where the device's clock
leaps, samples are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records.leads import UNSPOKEN, canonical, ecg_columns, is_ecg, millivolts_per
from ecg.records.record import MISSING
from ecg.records.scaling import TALLEST
from ecg.wire.messages import MOST_LEADS, SCHEMA, BedStatus, Command, Truth, Wave

SOURCE: Final = "lsl"
GAP_SECONDS: Final = 0.25
"""Clocks of devices tremble; a leap beyond this is lost signal."""
BACK_SECONDS: Final = 1.0
ANEW_SECONDS: Final = 60.0
"""A clock that leaps so far, or further back than BACK_SECONDS, has started anew."""
PER_MV: Final = 1000.0
PER_UNIT: Final = 50.0
LARGEST: Final = 32767
MOST_SAMPLES: Final = 1 << 20
"""Of all leads in one message."""

Pull = Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Gives the samples that have come since the last call, [n, channels], and their times in s, [n]."""


class Channels(NamedTuple):
    """The channels of a stream that are sent: their columns, names and units, the ADU per unit and what 1 of the
    device's unit is in that.
    """

    columns: list[int]
    names: list[str]
    units: list[str]
    gain: list[float]
    factor: list[float]


@dataclass(slots=True, kw_only=True)
class LiveBed:
    """Hands on one live stream as bed `name`. stream_name: as the device says. pull: gives what has come. The rest as
    in `base.Bed`.
    """

    name: str
    stream_name: str
    rate: float
    channels: Channels
    pull: Pull
    chunk_seconds: float
    run: str
    lap: int = 0
    index: int = 0
    seq: int = 0
    published: int = 0
    done: bool = False
    seconds: float | None = None
    _last_s: float | None = None
    _zero: list[float] = field(default_factory=list)
    _held: tuple[NDArray[np.float64], NDArray[np.float64]] = (np.zeros((0, 0)), np.zeros(0))

    @property
    def record_name(self) -> str:
        """Name of the stream, as the device says."""
        return self.stream_name

    @property
    def leads(self) -> list[str]:
        """Names of the signals sent."""
        return self.channels.names

    @property
    def stream(self) -> str:
        """Name of the present stream: another one where the device began anew."""
        return f"lsl-{self.name}-{self.run}-{self.lap}"

    def next(self, sent_ns: int) -> tuple[Wave | None, Truth | None]:
        """What has come since the last call, up to a leap of the clock; None where nothing has."""
        values, times = self._held if len(self._held[0]) else self.pull()
        if not len(values):
            return None, None
        step = 1 / self.rate
        before = self._last_s if self._last_s is not None else float(times[0]) - step
        apart = np.diff(times, prepend=before) - step
        leaps = (apart > GAP_SECONDS) | (apart < -BACK_SECONDS)
        most = max(MOST_SAMPLES // len(self.channels.columns), 1)
        count = min(int(leaps[1:].argmax()) + 1 if leaps[1:].any() else len(values), most)
        self._held = values[count:], times[count:]
        self._last_s = float(times[count - 1])
        skipped = 0
        if leaps[0] and -BACK_SECONDS <= apart[0] < ANEW_SECONDS:
            skipped = round(float(apart[0]) * self.rate)
        elif leaps[0]:
            self.lap, self.index = self.lap + 1, 0
        self.index += skipped
        samples = self._codes(values[:count, self.channels.columns])
        wave = Wave(
            v=SCHEMA,
            stream=self.stream,
            record=self.stream_name,
            seq=self.seq,
            index=self.index,
            rate=self.rate,
            leads=self.channels.names,
            gain=self.channels.gain,
            baseline=[-zero * gain for zero, gain in zip(self._zero, self.channels.gain, strict=True)],
            sent_ns=sent_ns,
            samples=samples.astype("<i2", copy=False).tobytes(),
            units=self.channels.units,
        )
        self.index += count
        self.seq += 1
        self.published += count + skipped
        return wave, None

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int16]:
        """Samples in ADU about the level at which the stream began: int16 [n, leads]; what is no number is missing."""
        scaled = values * self.channels.factor
        if not self._zero:
            first = np.where(np.isfinite(scaled[0]), scaled[0], 0.0)
            self._zero = [float(value) for value in np.rint(first)]
        adu = (scaled - self._zero) * self.channels.gain
        inside = np.clip(np.nan_to_num(np.rint(adu), posinf=LARGEST, neginf=-LARGEST), -LARGEST, LARGEST)
        return np.where(np.isnan(scaled), MISSING, inside).astype(np.int16)

    def status(self, online: bool, speed: float | str, final: bool = False) -> BedStatus:
        """The bed's retained status. final: with the number of published samples."""
        return BedStatus(
            v=SCHEMA,
            state="online" if online else "offline",
            record=self.stream_name,
            source=SOURCE,
            speed=speed,
            rate=self.rate,
            leads=self.channels.names,
            stream=self.stream,
            published=self.published if final else None,
        )

    def obey(self, command: Command) -> tuple[int, str]:
        """Raises UserError: a device takes no commands from here."""
        raise UserError(f"{command.do} is for beds of records and simulated ones: {self.name} is a live stream")


def channels_of(labels: Sequence[str], units: Sequence[str], lead: str, what: str) -> Channels:
    """The channels to send of those that a stream has. lead: "all", or the one wanted. Raises UserError."""
    given = [*units, *[""] * (len(labels) - len(units))]
    ecg = ecg_columns(labels, given)
    if not ecg:
        raise UserError(f"{what} has no ECG lead: its channels are {', '.join(labels[:20]) or 'not named'}")
    columns = list(range(len(labels)))[:MOST_LEADS]
    if lead != "all":
        wish = canonical(lead).upper()
        columns = [column for column in ecg if canonical(labels[column]).upper() == wish]
        if not columns:
            raise UserError(f'{what} has no lead {lead!r}: give one of {", ".join(labels[:20])}, or "all"')
    per = [millivolts_per(given[column]) for column in columns]
    voltage = [is_ecg(labels[column], given[column]) for column in columns]
    return Channels(
        columns,
        [labels[column][:64] for column in columns],
        ["mV" if volts else given[column][:64] or "NU" for volts, column in zip(voltage, columns, strict=True)],
        [PER_MV if volts else PER_UNIT for volts in voltage],
        [(one or 1.0) if volts else 1.0 for one, volts in zip(per, voltage, strict=True)],
    )


def tall(first: NDArray[np.float64], labels: Sequence[str], units: Sequence[str], channels: Channels) -> str:
    """Which ECG lead without a unit is too tall for mV in the first samples, and how tall; "" where none is."""
    for column, factor, unit in zip(channels.columns, channels.factor, channels.units, strict=True):
        said = units[column] if column < len(units) else ""
        height = float(np.nanmax(first[:, column]) - np.nanmin(first[:, column])) * factor if len(first) else 0.0
        if unit == "mV" and said.strip().lower() in UNSPOKEN and height > TALLEST:
            return f"{labels[column]} swings by {height:.0f}"
    return ""
