"""Leads by name and unit, in the dialects of headers and devices."""

from __future__ import annotations

import pytest

from ecg.records.leads import canonical, ecg_columns, is_ecg, millivolts_per, pick_lead, pulse_columns


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        *((name, "II") for name in ("II", "ii", "ECG II", "Lead II", "ECG Lead II", "lead_ii", "EKG-II", "ECG:II")),
        *((name, "II") for name in ("Lead 2", "II (ECG)", " II ", "ECG_LEAD_2")),
        *((name, "aVR") for name in ("aVR", "AVR", "avr", "ECG aVR", "Lead aVR")),
        *((name, "V1") for name in ("V1", "v1", "ECG V1", "Lead V1")),
        *((name, "MLII") for name in ("MLII", "mlii", "ECG MLII", "Mod. LII")),
        ("MCL1", "MCL1"),
        ("mod.V1", "MV1"),
        ("CM5", "CM5"),
        ("V", "V"),
        ("ECG1", "ECG1"),
        ("ECG", "ECG"),
        ("ABP", "ABP"),
        ("Lead", "Lead"),
        ("", ""),
    ],
)
def test_every_dialect_of_a_lead_has_one_name(dialect: str, name: str) -> None:
    assert canonical(dialect) == name
    assert canonical(canonical(dialect)) == name


@pytest.mark.parametrize(
    ("name", "unit", "so"),
    [
        ("II", "mV", True),
        ("II", "uV", True),
        ("II", "", True),
        ("II", "mmHg", False),
        ("ABP", "mmHg", False),
        ("ABP", "", False),
        ("X1", "mmHg", False),
        ("X1", "mV", True),
        ("X1", "", True),
        ("PLETH", "NU", False),
        ("RESP", "mV", False),
        ("EEG Fpz-Cz", "uV", False),
        ("ECG", "adu", True),
    ],
)
def test_unit_and_name_say_whether_a_signal_is_ecg(name: str, unit: str, so: bool) -> None:
    assert is_ecg(name, unit) is so


@pytest.mark.parametrize(
    ("unit", "size"), [("mV", 1.0), ("uV", 1e-3), ("µV", 1e-3), ("μV", 1e-3), ("V", 1e3), ("mmHg", None), ("", None)]
)
def test_units_of_voltage_have_a_size(unit: str, size: float | None) -> None:
    assert millivolts_per(unit) == size


@pytest.mark.parametrize(
    ("leads", "units", "order"),
    [
        (["ABP", "II"], ["mmHg", "mV"], [1]),
        (["X", "II"], ["mmHg", "mV"], [1]),
        (["I", "III", "ECG Lead II", "V1"], [], [2, 0, 1, 3]),
        (["V5", "MLII"], [], [1, 0]),
        (["II", "MLII"], [], [1, 0]),
        (["V5", "V2"], ["mV", "mV"], [0, 1]),
        (["C3", "ECG"], ["uV", "uV"], [1, 0]),
        (["PLETH", "Resp"], ["NU", "Ohm"], []),
        ([], [], []),
    ],
)
def test_ecg_leads_come_best_first(leads: list[str], units: list[str], order: list[int]) -> None:
    assert ecg_columns(leads, units) == order
    assert pick_lead(leads, "MLII", units) == (order[0] if order else 0)


def test_the_wanted_lead_goes_first_in_whatever_dialect() -> None:
    assert ecg_columns(["MLII", "ECG V1", "aVR"], [], "v1") == [1, 0, 2]
    assert ecg_columns(["II", "Lead aVR"], [], "AVR") == [1, 0]


@pytest.mark.parametrize(
    ("leads", "units", "column"),
    [
        (["II", "PLETH"], ["mV", "NU"], 1),
        (["II", "PLETH", "ABP"], ["mV", "NU", "mmHg"], 2),
        (["II", "Pulse", "PPG"], ["mV", "bpm", "NU"], 2),
        (["II", "ART"], [], 1),
        (["II", "CVP", "RESP"], ["mV", "mmHg", "Ohm"], None),
    ],
)
def test_the_pulse_is_a_pressure_else_a_plethysmogram(leads: list[str], units: list[str], column: int | None) -> None:
    assert next(iter(pulse_columns(leads, units)), None) == column
