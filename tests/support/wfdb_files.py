"""WFDB files as another program would write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray


def write_record(folder: Path, name: str, rate: int = 250) -> NDArray[np.float64]:
    """A small two-lead WFDB record with annotations, as another program would write it."""
    folder.mkdir(parents=True, exist_ok=True)
    signal: NDArray[np.float64] = np.sin(np.arange(4 * rate)[:, None] / np.array([9.0, 17.0]))
    wfdb.wrsamp(name, rate, ["mV", "mV"], ["V5", "MLII"], p_signal=signal, fmt=["16", "16"], write_dir=str(folder))
    wfdb.wrann(
        name, "atr", np.array([10, 300, 600]), ["+", "N", "V"], aux_note=["(AFIB", "", ""], write_dir=str(folder)
    )
    return signal
