"""Other programs that read an ECG, beside this one: processor seconds for an hour of it.

They do other things: NeuroKit2 filters, finds R-peaks and delineates every wave; wfdb's XQRS and sleepecg's detector
find R-peaks and no more. None of them names beats or raises alarms.
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records.record import Record

SECONDS: Final = 300.0
"""So much of a record each of them gets."""


def cpu_per_hour(record: Record) -> dict[str, float]:
    """By name and version: processor seconds for an hour, from the first minutes. Raises UserError without them."""
    rate, signal = record.rate, record.millivolts(0)[: round(SECONDS * record.rate)]
    works: dict[str, Callable[[NDArray[np.float64]], Any]] = {}
    try:
        neurokit, wfdb = importlib.import_module("neurokit2"), importlib.import_module("wfdb.processing")
        sleepecg = importlib.import_module("sleepecg")
    except ImportError as error:
        raise UserError(f"--compare needs {error.name}: pip install -e .[compare]") from None
    works["neurokit2"] = lambda values: neurokit.ecg_process(values, sampling_rate=round(rate))
    works["wfdb"] = lambda values: wfdb.XQRS(sig=values, fs=rate).detect(verbose=False)
    works["sleepecg"] = lambda values: sleepecg.detect_heartbeats(values, rate)
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, work in works.items():
            values = signal.astype(np.float64)
            work(values[: round(20 * rate)])
            begin = time.process_time()
            work(values)
            found[f"{name} {version(name)}"] = (time.process_time() - begin) * 3600 * rate / len(values)
    return found
