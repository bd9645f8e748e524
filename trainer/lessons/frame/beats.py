"""Beats for lessons: of simulated hearts or of given records, and the real excerpt, cut as the monitor cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.model import network
from ecg.model.network import BeatNet
from ecg.records import library
from ecg.records.aami import CLASSES
from ecg.records.record import Record, pick_lead
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from trainer.data.cutting import CutRecord, cut
from trainer.lessons.frame import hearts

NSV: Final = tuple(CLASSES[:3])
"""The classes that lessons tell apart: fusion and unknown beats are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Beats of several patients, in order within each.

    windows: float32 [n, window], in sizes of the patient's beat. rr: float32 [n, 2], log s: the RR interval before,
    and the patient's mean of the last eight. classes: int64 [n], 0 N, 1 S, 2 V. patient: int64 [n].
    """

    windows: NDArray[np.float32]
    rr: NDArray[np.float32]
    classes: NDArray[np.int64]
    patient: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Labelled:
        """The chosen beats."""
        return Labelled(
            windows=self.windows[chosen],
            rr=self.rr[chosen],
            classes=self.classes[chosen],
            patient=self.patient[chosen],
        )

    @property
    def relative(self) -> NDArray[np.float32]:
        """The RR interval against the patient's own mean: float32 [n, 1], 0 for a beat in time."""
        return 4 * (self.rr[:, :1] - self.rr[:, 1:])


def labelled(records: Sequence[Record], most: int | None = None) -> Labelled:
    """N, S and V beats of annotated records. most: beats of each record, from its beginning."""
    return join(cut(list(records), "reference"), most)


def join(cuts: Sequence[CutRecord], most: int | None = None) -> Labelled:
    """The N, S and V beats of cut records."""
    windows, rr, classes, patient = [], [], [], []
    for number, one in enumerate(cuts):
        gaps = np.diff(one.index, prepend=one.index[:1]) / one.reference.rate
        if len(gaps) > 1:
            gaps[0] = gaps[1]
        logs = np.log(np.clip(gaps, 0.2, 4.0))
        padded = np.concatenate((np.full(8, np.median(logs[:8])), logs))
        means = np.array([padded[i : i + 8].mean() for i in range(len(logs))])
        kept = np.flatnonzero((one.classes >= 0) & (one.classes < len(NSV)))[:most]
        windows.append(one.windows[kept, 0])
        rr.append(np.stack((logs, means), axis=1)[kept])
        classes.append(one.classes[kept])
        patient.append(np.full(len(kept), number))
    return Labelled(
        windows=np.concatenate(windows).astype(np.float32),
        rr=np.concatenate(rr).astype(np.float32),
        classes=np.concatenate(classes).astype(np.int64),
        patient=np.concatenate(patient),
    )


def ward_of(records: Sequence[Record], count: int, beats: int, seed: int, **more: float) -> Labelled:
    """Beats of the given records, or of as many simulated hearts where none are given."""
    return labelled(records or hearts.ward(count, beats, seed, **more), beats if records else None)


def heard(record: Record) -> Beats:
    """The beats that the monitor's signal path finds in a record."""
    path = SignalPath(1)
    slots = np.zeros(1, np.int64)
    path.reset(slots, np.array([record.rate]), slots)
    found = path.step(slots, [record.millivolts(pick_lead(record.leads))])
    return Beats.join([found, path.finish(slots)])


def excerpt() -> tuple[Record, Beats]:
    """The real excerpt and its beats."""
    record = library.read(library.EXCERPT)
    return record, heard(record)


def shipped(name: str) -> BeatNet:
    """A shipped network, for reading only. Raises UserError where there is none."""
    net, _ = network.load(name)
    return net.eval()


@torch.no_grad()
def named(net: BeatNet, beats: Beats) -> NDArray[np.float32]:
    """Probabilities of the classes of one bed's beats, its memory carried: float32 [n, 5]."""
    logits, _ = net.sequence(
        torch.from_numpy(beats.windows)[None], torch.from_numpy(beats.features)[None], net.empty_memory(1)
    )
    found: NDArray[np.float32] = torch.softmax(logits[0], dim=-1).numpy()
    return found


def shipped_lstm(name: str) -> BeatNet:
    """A shipped network whose memory is an LSTM. Raises UserError for another one."""
    net = shipped(name)
    if net.shape.cell != "lstm":
        raise UserError(f"weights={name}: its cell is a {net.shape.cell.upper()}, this lesson needs an LSTM")
    return net
