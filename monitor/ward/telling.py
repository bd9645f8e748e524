"""From the network's verdicts to beats as events: both leads together, doubt, what the alarms are told, latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.model.doubt import Doubt
from ecg.records.aami import CLASSES
from ecg.signal.beats import Beats
from ecg.signal.path import lookahead_seconds
from monitor.alarms import UNKNOWN, Heard
from monitor.inference.engine import Verdicts
from monitor.ward.bed import LEADS, Bed
from monitor.ward.events import BeatRead
from monitor.ward.lead_rows import Index, by_beat

VENTRICULAR: Final = CLASSES.index("V")
PACED: Final = np.array([name == "Q" for name in CLASSES], np.float32)
"""Probabilities of a beat that answers a pacemaker: no network was fitted on such."""
LIKENESS: Final = "qrs_likeness"
"""The feature that tells the alarms how like a beat is to the bed's usual ones."""
P_WAVES: Final = "p_coherence"
"""And the one that tells them of its P wave."""
FUTURE_NS: Final = 1_000_000_000
PAST_NS: Final = 3_600_000_000_000
"""A message that says that it was sent later than 1 s after it came, or an hour before, has no clock to be believed."""


class Read(NamedTuple):
    """Beats of beds as they have been read: one row each, of the lead that leads.

    heard: what the alarms are told. probabilities: [beats, classes], of both leads together, and weighed. moved: float
    [beats].
    """

    found: Beats
    heard: Heard
    probabilities: NDArray[np.floating]
    moved: NDArray[np.float32]


class Telling:
    """Makes events of beats. rates: Hz, begun: sample from which on the memory knows the patient; by slot of the bed.

    doubt: of the network's card. wall_ns: what a beat's latency is measured with.
    """

    def __init__(self, doubt: Doubt, wall_ns: Callable[[], int], slots: int) -> None:
        self._doubt, self._wall_ns = doubt, wall_ns
        self._rates, self._begun, self._lookahead_ms = np.ones(slots), np.zeros(slots, np.int64), np.zeros(slots)

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones stay as they are."""
        more = slots - len(self._rates)
        self._rates = np.pad(self._rates, (0, more), constant_values=1.0)
        self._begun, self._lookahead_ms = np.pad(self._begun, (0, more)), np.pad(self._lookahead_ms, (0, more))

    def begin(self, slot: int, rate: float, index: int) -> None:
        """The memory of a bed begins at sample `index`, at `rate` Hz."""
        self._rates[slot], self._begun[slot] = rate, index
        self._lookahead_ms[slot] = lookahead_seconds(rate) * 1000

    def read(self, rows: Beats, verdicts: Verdicts, leading: Index) -> Read:
        """What the network says of new beats, a row for each lead. leading: the lead that leads, by slot of the bed."""
        chosen, beside, probabilities = by_beat(rows, verdicts.probabilities, leading)
        found = rows.take(chosen)
        beds = found.slot // LEADS
        probabilities = self._doubt.weigh(probabilities, (found.index - self._begun[beds]) / self._rates[beds])
        if rows.paced.any():
            paced = rows.paced[chosen] | ((beside >= 0) & rows.paced[beside])
            probabilities = np.where(paced[:, None], PACED, probabilities)
        evidence, both = np.empty((len(chosen), 4)), beside >= 0
        likeness, coherence = rows.feature(LIKENESS), rows.feature(P_WAVES)
        evidence[:, 0] = probabilities[:, VENTRICULAR]
        evidence[:, 1] = likeness[chosen]
        evidence[:, 2] = np.where(both, likeness[beside], UNKNOWN)
        own = coherence[chosen]
        evidence[:, 3] = np.where(both, np.maximum(own, coherence[beside]), own)
        heard = Heard(beds, found.index, probabilities.argmax(axis=1), found.ready, evidence)
        return Read(found, heard, probabilities, verdicts.moved[chosen])

    def events(
        self, read: Read, noisy: NDArray[np.bool_], arrivals: tuple[Index, Index], beds: Sequence[Bed | None]
    ) -> list[BeatRead]:
        """Beats as events, and their beds take them. noisy: bool [beats]. arrivals: sent, received, ns [beats]."""
        found, heard, probabilities, _ = read
        sent, received = arrivals
        came = received - sent
        plausible = (came > -FUTURE_NS) & (came < PAST_NS)
        latency_ms = (self._wall_ns() - np.where(plausible, sent, received)) / 1e6
        sent = np.where(plausible, sent, 0)
        unsure = (probabilities.max(axis=1).astype(np.float64) < self._doubt.unsure_below) | noisy
        made: list[BeatRead] = []
        for slot, index, best, shares, rr, rate, moved, sent_ns, received_ns, latency, lookahead, doubted in zip(
            heard.slots.tolist(),
            heard.peaks.tolist(),
            heard.letters.tolist(),
            probabilities.tolist(),
            found.rr_ms.tolist(),
            found.heart_rate.tolist(),
            read.moved.tolist(),
            sent.tolist(),
            received.tolist(),
            latency_ms.tolist(),
            self._lookahead_ms[heard.slots].tolist(),
            unsure.tolist(),
            strict=True,
        ):
            bed = beds[slot]
            assert bed is not None
            beat = BeatRead(
                bed=bed.name,
                stream=bed.stream,
                index=index,
                cls=CLASSES[best],
                probabilities=tuple(shares),
                rr_ms=None if rr != rr else rr,
                heart_rate=None if rate != rate else rate,
                moved=moved,
                sent_ns=sent_ns,
                received_ns=received_ns,
                latency_ms=latency,
                lookahead_ms=lookahead,
                unsure=doubted,
            )
            bed.take_beat(beat)
            made.append(beat)
        return made
