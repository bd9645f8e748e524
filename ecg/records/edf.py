"""EDF, EDF+ and BDF files (European Data Format) as records. The package `edfio` reads them.

Source: Kemp B, Olivan J. European data format 'plus' (EDF+). Clin Neurophysiol 114(9):1755-1761 (2003).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecg.errors import UserError, needs
from ecg.records.building import Signal, build
from ecg.records.record import Record
from ecg.records.texts import notes_of
from ecg.records.wfdb_signals import first_line

ENDINGS: Final = (".edf", ".bdf")
TICKS: Final = 1_000_000
"""Annotations in EDF+ have their onset in seconds: here in millionths."""


def read(path: Path) -> Record:
    """The record of an EDF or BDF file, all its signals at the rate of the fastest ECG lead.

    Annotations of EDF+ whose text is a beat's symbol ("N", "V", ...) or a rhythm ("(AFIB") are its annotations. Raises
    UserError where the file cannot be read, has gaps (EDF+D) or ends too early.
    """
    with needs("files", "reading EDF files"):
        import edfio

    reader = edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            found: Any = reader(path, header_encoding="latin-1")
            signals = [_signal(one) for one in found.signals]
            texts = [(float(note.onset), str(note.text).strip()) for note in found.annotations]
    except Exception as error:
        raise UserError(f"{path} cannot be read as {path.suffix[1:].upper()}: {first_line(error)}") from None
    if str(found.reserved).endswith("+D"):
        raise UserError(f"{path} has gaps (EDF+D), which are not read: make it continuous (EDF+C)")
    if any("truncated" in str(warning.message) for warning in warned):
        raise UserError(f"{path} ends before its last sample: copy it again")
    notes = notes_of((onset * TICKS, text) for onset, text in sorted(texts))
    return build(path.stem, signals, source="edf", where=str(path), annotations=notes, annotated_at=TICKS)


def _signal(found: Any) -> Signal:
    """One signal of the file."""
    low, high = found.digital_range
    bottom, top = found.physical_range
    gain = (high - low) / (top - bottom) if top != bottom else 0.0
    adu = np.asarray(found.digital)
    return Signal(
        name=str(found.label).strip() or "signal",
        unit=str(found.physical_dimension).replace("Â", "").strip(),
        rate=float(found.sampling_frequency),
        gain=gain,
        baseline=low - bottom * gain,
        adu=adu,
        missing=np.zeros(len(adu), np.bool_),
    )
