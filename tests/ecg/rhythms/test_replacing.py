"""A record's pulse and its waves without beats, where its beats are given another rhythm."""

from __future__ import annotations

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records.record import Annotations, Record
from ecg.rhythms.replacing import known_beats, replaced
from ecg.rhythms.sequences import MADE, sequence
from ecg.rhythms.simulation.catalogue import RHYTHMS
from ecg.rhythms.simulation.orders import Orders
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.simulation import Simulation

RATE = 250
LEADS = ("II", "V1", "ABP", "PLETH")


def patient() -> Record:
    """A minute of sinus rhythm with a pressure and a plethysmogram, as a record."""
    script = Script([(0, Orders(rhythm="sinus", rate=75))])
    simulation = Simulation(rate=RATE, names=LEADS, seed="pulse", script=script)
    chunk = simulation.next(60 * RATE)
    columns = [(mark.index, mark.symbol, mark.rhythm) for mark in chunk.marks]
    index, symbol, rhythm = (np.array(column) for column in zip(*columns, strict=True))
    return Record(
        name="p",
        rate=RATE,
        leads=LEADS,
        gain=np.array(simulation.gain),
        baseline=np.zeros(len(LEADS)),
        samples=chunk.samples,
        source="wfdb",
        annotations=Annotations(index, symbol, rhythm),
        units=("mV", "mV", "mmHg", "NU"),
    )


RECORD = patient()


def changed(rhythm: str, rate: float | None = None) -> tuple[Record, int, int]:
    begin, end = round(20 * RATE), round(45 * RATE)
    return replaced(RECORD, *known_beats(RECORD), begin, end, rhythm, rate, 0), begin, end


def swing(record: Record, name: str, begin: float, end: float) -> float:
    """Mean height of the pulse in a signal between two times (s): highest less lowest of each second."""
    column = record.leads.index(name)
    part = record.millivolts(column)[round(begin * RATE) : round(end * RATE)]
    whole = part[: len(part) // RATE * RATE].reshape(-1, int(RATE))
    return float(np.ptp(whole, axis=1).mean())


@pytest.mark.parametrize("name", ["ABP", "PLETH"])
def test_the_pulse_follows_the_new_beats(name: str) -> None:
    usual = swing(RECORD, name, 25, 44)
    assert swing(changed("vf")[0], name, 25, 44) < 0.05 * usual
    assert swing(changed("asystole")[0], name, 25, 44) < 0.05 * usual
    assert 0.05 * usual < swing(changed("vt")[0], name, 25, 44) < 0.7 * usual
    assert swing(changed("bradycardia", 40)[0], name, 25, 44) > 0.7 * usual


def test_pulses_come_as_often_as_beats() -> None:
    made, begin, end = changed("svt", 150)
    signal = made.millivolts(made.leads.index("ABP"))[begin + 3 * RATE : end - 3 * RATE].astype(float)
    spectrum = np.abs(np.fft.rfft(signal - signal.mean()))
    hertz = np.fft.rfftfreq(len(signal), 1 / RATE)
    assert abs(60 * hertz[spectrum.argmax()] - 150) < 6


def test_fibrillation_is_in_all_leads_as_high_as_their_beats() -> None:
    made, begin, end = changed("vf")
    for column in (0, 1):
        waves = made.millivolts(column)[begin + RATE : end - RATE]
        assert 0.2 < np.ptp(waves) / np.ptp(RECORD.millivolts(column)) < 3
    assert made.annotations is not None
    inside = (made.annotations.index >= begin) & (made.annotations.index <= end)
    assert made.annotations.symbol[inside].tolist() == ["+", "[", "]", "+"]


def test_a_block_leaves_p_waves_alone() -> None:
    beats = sequence("mobitz_2", RATE, 0, 60 * RATE, 0.8 * RATE, None, np.random.default_rng(1))
    kinds = "".join(beat.kind for beat in beats)
    assert 0.2 < kinds.count("P") / len(kinds) < 0.5 and "PP" not in kinds
    slow = sequence("av_block_3", RATE, 0, 60 * RATE, 0.8 * RATE, None, np.random.default_rng(1))
    assert sum(beat.kind == "P" for beat in slow) > 2 * sum(beat.kind == "V" for beat in slow) > 50


def test_every_rhythm_keeps_its_rate() -> None:
    for name in set(MADE) - {"vf", "vf_fine", "asystole", "standstill", "pauses", "wenckebach", "mobitz_2"}:
        beats = sequence(name, RATE, 0, 60 * RATE, 0.8 * RATE, None, np.random.default_rng(2))
        at = [beat.at for beat in beats if beat.symbol]
        assert abs(60 * RATE / np.mean(np.diff(at)) / RHYTHMS[name].rate - 1) < 0.1, name
    with pytest.raises(UserError, match="rate = 20 is no vt"):
        sequence("vt", RATE, 0, 60 * RATE, 0.8 * RATE, 20.0, np.random.default_rng(2))
