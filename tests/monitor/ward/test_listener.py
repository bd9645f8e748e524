"""Messages of many beds heard in one call say what each says alone, and what NumPy says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.records.record import MISSING
from ecg.settings import MonitorSettings
from ecg.signal import compiled
from ecg.wire.messages import SCHEMA, Wave
from monitor.ward.intake import Intake
from monitor.ward.ledger import Ledger
from monitor.ward.listener import heard
from monitor.ward.pieces import Piece, Signal, joined

pytestmark = pytest.mark.usefixtures("kernels_built")

LEADS = (["II"], ["II", "V1"], ["V1", "PLETH", "II", "ABP"])
KINDS = st.sampled_from(["beats", "flat", "dither", "rail", "gone", "noise"])
MESSAGES = st.lists(st.tuples(st.lists(KINDS, min_size=4, max_size=4), st.integers(1, 260)), min_size=3, max_size=9)


def codes(kind: str, count: int, rng: np.random.Generator) -> Any:
    """Codes of one signal: int16 [count]."""
    if kind == "beats":
        return (300 * np.sin(np.arange(count) / 3) + rng.integers(-9, 9, count)).astype(np.int16)
    if kind == "noise":
        return rng.integers(-2000, 2000, count).astype(np.int16)
    found = np.full(count, {"flat": 7, "dither": 7, "rail": 2047, "gone": 7}[kind], np.int16)
    if kind == "dither":
        found[rng.random(count) < 0.3] += 1
    if kind == "gone":
        found[rng.random(count) < 0.1] = MISSING
    return found


def waves(bed: int, plan: list[tuple[list[str], int]]) -> list[Wave]:
    """A bed's messages, one behind the other; gains differ between beds, and once within each."""
    rng, leads, index, made = np.random.default_rng(bed), LEADS[bed % 3], 0, []
    for number, (kinds, count) in enumerate(plan):
        columns = [codes(kind, count, rng) for kind in kinds[: len(leads)]]
        gain = 200.0 + 1000 * (bed % 2) + (number > 4)
        wave = Wave(
            v=SCHEMA,
            stream=f"s{bed}",
            record="r",
            seq=number,
            index=index,
            rate=250.0,
            leads=list(leads),
            gain=[gain] * len(leads),
            baseline=[float(bed)] * len(leads),
            sent_ns=0,
            samples=np.stack(columns, axis=1).astype("<i2").tobytes(),
            units=["mV" if lead in ("II", "V1") else "mmHg" for lead in leads],
        )
        made.append(wave)
        index += count
    return made


def intake() -> Intake:
    return Intake(bed="a", settings=MonitorSettings(lead_off_seconds=0.5), ledger=Ledger())


def plain(pieces: list[Piece]) -> list[Any]:
    """Pieces as plain values; signals of one kind that follow one another as one."""
    found: list[Any] = []
    signals: list[Signal] = []
    for piece in [*pieces, None]:
        if isinstance(piece, Signal) and (not signals or piece.kind == signals[0].kind):
            signals.append(piece)
            continue
        if signals:
            one = joined(signals)
            parts = [one.samples, *([] if one.second is None else [one.second]), *one.pulses]
            found.append((one.index, one.kind, [part.tobytes() for part in parts]))
        signals = [piece] if isinstance(piece, Signal) else []
        if piece is not None and not signals:
            found.append(piece)
    return found


@settings(max_examples=25, deadline=None)
@given(plan=MESSAGES)
def test_what_is_heard_together_is_what_each_message_says_by_itself(plan: list[tuple[list[str], int]]) -> None:
    sent = [waves(bed, plan) for bed in range(6)]
    together, alone = [intake() for _ in sent], [intake() for _ in sent]
    pieces: list[list[Piece]] = [[] for _ in sent]
    expected: list[list[Piece]] = [[] for _ in sent]
    for turn in zip(*sent, strict=True):
        beds = [bed for bed in range(len(sent)) if together[bed].goes_on(turn[bed])]
        assert len(beds) in (0, len(sent))  # all but the first
        unheard = [together[bed].go_on(turn[bed], 1) for bed in beds]
        for bed, one, said in zip(beds, unheard, heard(unheard) if unheard else [], strict=True):
            pieces[bed].extend(together[bed].hear(one, said))
        for bed in set(range(len(sent))) - set(beds):
            pieces[bed].extend(together[bed].offer(turn[bed], 1))
        with compiled.only_numpy():
            for bed, wave in enumerate(turn):
                expected[bed].extend(alone[bed].offer(wave, 1))
    for bed in range(len(sent)):
        assert plain(pieces[bed]) == plain(expected[bed])
        assert together[bed].save() == alone[bed].save()
