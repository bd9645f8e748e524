"""XDF files (Extensible Data Format), as Lab Streaming Layer records them. The package `pyxdf` reads them.

One stream becomes the record: the first one with the best ECG lead. A stream of strings holds annotations where its
strings are beats' symbols or rhythms.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError, needs
from ecg.records.building import build, of_values
from ecg.records.clock import places
from ecg.records.leads import ecg_columns, is_known
from ecg.records.record import Annotations, Record
from ecg.records.texts import notes_of
from ecg.records.wfdb_signals import first_line

ENDINGS: Final = (".xdf", ".xdfz")
SAMPLES: Final = "_read_chunk3"
"""The package's function that reads a chunk of samples."""
MOST_PACKED: Final = 1032
"""A compressed file's bytes hold at most so many each."""
NOMINAL: Final = 0.01
"""Share by which the rate may differ from the one that the device names: clocks drift, and the name is meant."""


def read(path: Path) -> Record:
    """The record of an XDF file; its samples are put at one rate, gaps stay open. Raises UserError."""
    with needs("files", "reading XDF files"):
        from pyxdf import pyxdf

    quiet, before = logging.getLogger("pyxdf"), logging.getLogger("pyxdf").level
    quiet.setLevel(logging.CRITICAL + 1)
    read_samples = getattr(pyxdf, SAMPLES)
    room = path.stat().st_size * (MOST_PACKED if path.suffix.lower() != ".xdf" else 1)
    setattr(pyxdf, SAMPLES, lambda file, stream: read_samples(file, _bounded(file, stream, room)))
    try:
        streams, _ = pyxdf.load_xdf(str(path))
        found = [one for one in map(_described, streams) if one is not None]
    except Exception as error:
        raise UserError(f"{path} cannot be read as XDF: {first_line(error)}") from None
    finally:
        quiet.setLevel(before)
        setattr(pyxdf, SAMPLES, read_samples)
    ranked = sorted(found, key=lambda one: not any(is_known(name) for name in one[0]))
    if not ranked:
        raise UserError(f"{path} holds no stream with an ECG lead")
    names, units, rate, values, stamps = ranked[0]
    rows, measured = places(stamps - stamps[0], str(path))
    hertz = rate if abs(measured - rate) <= NOMINAL * rate else measured
    try:
        signals = []
        for column, name in enumerate(names):
            spread = np.full(int(rows[-1]) + 1, np.nan)
            spread[rows] = values[:, column]
            signals.append(of_values(name, units[column], hertz, spread))
    except ValueError as error:
        raise UserError(f"{path} cannot be used: {error}") from None
    notes = _annotations(streams, float(stamps[0]), measured)
    return build(path.stem, signals, source="xdf", where=str(path), annotations=notes, annotated_at=hertz)


def _bounded(file: Any, stream: Any, room: int) -> Any:
    """The stream whose samples come next; ValueError where there are more than `room` bytes of them can hold.

    The package takes memory for as many as a chunk states, and counts them one by one.
    """
    at = file.tell()
    width = file.read(1)[0]
    count = int.from_bytes(file.read(width if width in (1, 4, 8) else 0), "little")
    file.seek(at)
    size = 1 if stream.fmt == "string" else np.dtype(stream.dtype).itemsize
    if max(count, 1) * (1 + stream.nchns * size) > room:
        raise ValueError(f"{count} samples are more than the file holds")
    return stream


def _described(stream: Any) -> tuple[list[str], list[str], float, NDArray[np.float64], NDArray[np.float64]] | None:
    """Names and units of the channels, nominal rate, samples and times of a stream of numbers with an ECG lead."""
    info, values = stream["info"], stream["time_series"]
    rate = float(info["nominal_srate"][0])
    if not isinstance(values, np.ndarray) or values.ndim != 2 or len(values) < 2 or rate <= 0:
        return None
    kind = str(info["type"][0])
    channels = _channels(info)
    names, units = [], []
    for column in range(values.shape[1]):
        channel = channels[column] if column < len(channels) else {}
        names.append(_said(channel, "label") or f"{kind} {column + 1}".strip())
        units.append(_said(channel, "unit"))
    kinds = [_said(channel, "type").upper() for channel in channels]
    if not ecg_columns(names, units) or (kinds and not {"ECG", "EKG", ""} & set(kinds)):
        return None
    return names, units, rate, values.astype(np.float64), np.asarray(stream["time_stamps"], np.float64)


def _channels(info: Any) -> list[dict[str, Any]]:
    """The descriptions of a stream's channels, as far as there are any."""
    place: Any = info.get("desc")
    for key in ("channels", "channel"):
        place = place[0].get(key) if place and isinstance(place[0], dict) else None
    return [one for one in place or [] if isinstance(one, dict)]


def _said(channel: dict[str, Any], key: str) -> str:
    """One field of a channel's description; "" where it is not there."""
    given = channel.get(key)
    return str(given[0] or "").strip() if given else ""


def _annotations(streams: list[Any], begun: float, rate: float) -> Annotations | None:
    """The strings of marker streams that are beats or rhythms, at their samples; None where there are none."""
    marks = [
        (float(at), str(texts[0]).strip())
        for stream in streams
        if isinstance(stream["time_series"], list)
        for at, texts in zip(stream["time_stamps"], stream["time_series"], strict=True)
        if len(texts)  # a stream may state that it has no channels
    ]
    return notes_of(((at - begun) * rate, text) for at, text in sorted(marks))
