"""A file of one's own from the disk to named beats, by one command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import edfio
import numpy as np

from tests.support.brokers import free_port
from tests.support.wards import ALONE, MINUTE


def test_an_edf_file_with_a_pressure_first_gives_the_beats_of_its_ecg(tmp_path: Path) -> None:
    signal = MINUTE.millivolts(0).astype(np.float64)
    pressure = edfio.EdfSignal(90 + 30 * np.abs(signal), 360, label="ABP", physical_dimension="mmHg")
    ecg = edfio.EdfSignal(1000 * signal, 360, label="ECG II", physical_dimension="uV", physical_range=(-5000, 5000))
    edfio.Edf([pressure, ecg]).write(tmp_path / "night.edf")
    words = ["--demo", "--headless", "--until-idle", "2", "--speed", "60", "--file", str(tmp_path / "night.edf")]
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *words, "--broker", f"127.0.0.1:{free_port()}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "connection lost" not in line]  # the broker ends first
    assert (done.returncode, said) == (0, [])
    *beats, ledger = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(beat["bed"], beat["index"]) for beat in beats] == [("night", beat.index) for beat in ALONE.of("a")]
    assert ledger["ledger"]["published"] == ledger["ledger"]["received"] == 21_600
