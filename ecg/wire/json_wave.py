"""The wave message in JSON, for senders that have no MessagePack at hand: a microcontroller, Node-RED, a browser."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Meta

from ecg.records.leads import MILLIVOLT, UNSPOKEN, millivolts_per
from ecg.records.record import MISSING
from ecg.wire.bounds import (
    MOST_ITEMS,
    SCHEMA,
    Baselines,
    Count,
    Gains,
    Leads,
    Name,
    Nanoseconds,
    Rate,
    Units,
    Version,
)

STEPS: Final = 1000.0
"""ADU/mV of samples that come in mV: steps of 1 uV, up to 32.767 mV."""
STEPS_OF_OTHERS: Final = 100.0
"""ADU per unit of samples in another unit, such as mmHg: up to 327.67 of it."""
LARGEST_SAMPLE: Final = -MISSING - 1

Value = Annotated[float, Meta(ge=-1e9, le=1e9)]


class WaveJson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One chunk of signal in JSON. samples: row by row, null where there is none; in ADU where gain is given, else in
    the units of the leads (mV where none are given).

    What is left out has the value of the field here; record is then the name of the stream.
    """

    stream: Name
    index: Count
    rate: Rate
    leads: Leads
    samples: Annotated[list[Value | None], Meta(max_length=MOST_ITEMS)]
    gain: Gains = []
    baseline: Baselines = []
    units: Units = []
    record: Name = ""
    seq: Count = 0
    sent_ns: Nanoseconds = 0
    v: Version = SCHEMA

    def fields(self) -> dict[str, Any]:
        """The fields of the same wave as MessagePack has them. Raises ValueError where samples do not fit."""
        leads = len(self.leads)
        if not leads or not self.samples or len(self.samples) % leads:
            raise ValueError(f"{len(self.samples)} samples are no whole rows of {leads} leads")
        if self.units and len(self.units) != leads:
            raise ValueError(f"{len(self.units)} units do not fit {leads} leads")
        if self.baseline and not self.gain:
            raise ValueError("a baseline without a gain")
        values = np.array(self.samples, np.float64).reshape(-1, leads)  # null becomes NaN
        gain, units = list(self.gain), list(self.units)
        if not gain:
            sizes = [_size(unit) for unit in self.units or [MILLIVOLT] * leads]
            gain = [STEPS_OF_OTHERS if size is None else STEPS for size in sizes]
            values = values * np.array([size or 1.0 for size in sizes]) * np.array(gain)
            units = [MILLIVOLT if millivolts_per(unit) else unit for unit in self.units]
        adu = np.rint(values)
        far = np.flatnonzero(np.abs(adu) > LARGEST_SAMPLE)
        if len(far):
            shown = self.samples[int(far[0])]
            said = "16 bits" if self.gain else "what a sample in its unit may be (are they ADU? then give gain)"
            raise ValueError(f"sample {shown:g} is beyond {said}")
        counts = np.where(np.isnan(adu), MISSING, adu).astype("<i2")
        return {
            "v": self.v,
            "stream": self.stream,
            "record": self.record or self.stream,
            "seq": self.seq,
            "index": self.index,
            "rate": self.rate,
            "leads": self.leads,
            "gain": gain,
            "baseline": self.baseline or [0.0] * leads,
            "sent_ns": self.sent_ns,
            "samples": counts.tobytes(),
            "units": units,
        }


def _size(unit: str) -> float | None:
    """How many mV one of that unit is; 1 where it says nothing, None for what is no voltage."""
    return 1.0 if unit.strip().lower() in UNSPOKEN else millivolts_per(unit)
