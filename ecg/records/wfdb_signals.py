"""The signals of a WFDB record: one segment or many, whatever format, units and samples in a frame.

The package `wfdb` reads the samples. It brings pandas and matplotlib along, so it is imported at the first record.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecg.errors import UserError, needs
from ecg.files import MIB, read_text
from ecg.records.building import Signal
from ecg.records.clock import too_long

WHAT: Final = "reading and writing WFDB records"
BEGUN: Final = re.compile(r"(\d{1,2}(:\d{1,2}){0,2}(\.\d+)?(\s+\d{1,2}/\d{1,2}/\d{4})?)?")
"""The time and date of a record's beginning, as the package reads them."""
BITS: Final = {"8": 0, "80": 8, "508": 8, "310": 10, "311": 10, "212": 12, "24": 24, "524": 24, "32": 32}
"""Bits of the formats that have not 16; the lowest number of so many bits says that there is no sample (8: none)."""
BIG_ENDIAN: Final = "61"
COMPRESSED: Final = {"508", "516", "524"}
MOST_PER_BYTE: Final = 2
MOST_PACKED: Final = 4096
"""Samples that a byte of a signal file holds at most, and of a compressed one."""
SLACK: Final = 4096
"""Samples that may be stated beyond that: small files are nobody's attack."""
NO_SEGMENT: Final = "~"
MOST_HEADER: Final = 16 * MIB
"""Of a header: some hundred thousand segments."""


def read_signals(path: Path) -> list[Signal]:
    """All signals of a record, of one segment or of many put together. Raises UserError."""
    with needs("records", WHAT):
        import wfdb

    try:
        with readable_header(path) as plain:
            header = wfdb.rdheader(str(plain))
            if not isinstance(header, wfdb.MultiRecord):
                _bounded(path, header)
                physical = BIG_ENDIAN in (header.fmt or ())  # the package breaks off at their numbers as they are
                return _of_one(wfdb.rdrecord(str(plain), physical=physical, smooth_frames=False))
        return _of_many(path, header)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"record {path} cannot be read: {first_line(error)}") from None


def _bounded(path: Path, header: Any) -> None:
    """Refuse a header that states more signals than it describes, or far more samples than its files can hold.

    The package takes memory for what is stated.
    """
    signals, described = int(header.n_sig or 0), len(header.file_name or ())
    if signals != described:
        raise UserError(f"record {path} cannot be read: its header states {signals} signals and describes {described}")
    files = {path.with_name(str(name)) for name in header.file_name or ()}
    if not all(file.is_file() for file in files):
        return  # the package says which one lacks
    packed = MOST_PACKED if COMPRESSED & set(header.fmt or ()) else MOST_PER_BYTE
    room = packed * sum(file.stat().st_size for file in files) + SLACK
    frames = int(header.sig_len or 0)
    per_frame = [int(count or 1) for count in header.samps_per_frame or ()]
    skews = [int(skew or 0) for skew in header.skew or ()]
    stated = max((frames * max(sum(per_frame), 1), *per_frame, *skews))
    if stated > room:
        raise UserError(f"record {path} cannot be read: its header states {stated} samples, its files hold fewer")


def segments_of(header: Path) -> list[str]:
    """Names of the segments that a header lists; [] for a record of one."""
    lines = _lines(header)
    if not lines or "/" not in lines[0].split(maxsplit=1)[0]:
        return []
    return [line.split()[0] for line in lines[1:] if line.split()[0] != NO_SEGMENT]


def _of_one(found: Any) -> list[Signal]:
    """The signals of a record of one segment, as the package has read it."""
    rate = float(found.fs)
    signals = []
    for column, adu in enumerate(found.e_d_signal or found.e_p_signal or []):
        bits = BITS.get(found.fmt[column], 16)
        missing = adu == -(1 << (bits - 1)) if bits else np.zeros(len(adu), np.bool_)
        if found.e_d_signal is None:
            missing = np.isnan(adu)
            counts = adu * found.adc_gain[column] + found.baseline[column]
            adu = np.rint(np.where(missing, 0.0, counts)).astype(np.int64)
        signals.append(
            Signal(
                name=str(found.sig_name[column] or f"signal {column + 1}").strip(),
                unit=str(found.units[column] or ""),
                rate=rate * int(found.samps_per_frame[column] or 1),
                gain=float(found.adc_gain[column]),
                baseline=float(found.baseline[column]),
                adu=adu,
                missing=missing,
            )
        )
    return signals


def _of_many(path: Path, header: Any) -> list[Signal]:
    """The signals of a record of many segments; where a segment or a signal in it lacks, there are no samples."""
    lengths, names = [int(length) for length in header.seg_len], list(header.seg_name)
    held = sum(length for name, length in zip(names, lengths, strict=True) if name != NO_SEGMENT)
    if too_long(sum(lengths), held):
        raise UserError(f"record {path} cannot be read: {sum(lengths)} samples with its gaps, {held} without")
    pieces: list[tuple[int, int, list[Signal]]] = []
    known: dict[str, list[Signal]] = {}
    start = 0
    for name, length in zip(names, lengths, strict=True):
        if length and name != NO_SEGMENT:
            if segments_of(path.with_name(f"{name}.hea")):
                raise UserError(f"record {path} cannot be read: its segment {name} is of many segments again")
            if name not in known:  # one may stand there a hundred thousand times
                known[name] = [one.positive() for one in read_signals(path.with_name(name))]
            pieces.append((start, length, known[name]))
        start += length
    if not pieces:
        raise UserError(f"record {path} cannot be read: none of its segments holds samples")
    by_name = lengths[0] == 0  # variable layout: signals come and go, the first segment lists them
    layout = _listed(path.with_name(names[0])) if by_name else [one.name for one in pieces[0][2]]
    joined = []
    for column, name in enumerate(layout):
        parts = []
        for at, length, signals in pieces:
            one = next((one for one in signals if one.name == name), None) if by_name else signals[column]
            if one is not None:
                parts.append((at, length, one))
        if parts:
            joined.append(_joined(path, parts, start, float(header.fs)))
    return joined


def _joined(path: Path, parts: list[tuple[int, int, Signal]], frames: int, frame_rate: float) -> Signal:
    """One signal of a record of `frames` frames. parts: first frame, number of frames, signal.

    Where gain or baseline change from one segment to the next, all are counted as in the finest of them.
    """
    finest = max((one for _, _, one in parts), key=lambda one: one.gain)
    each = round(finest.rate / frame_rate)
    for _, length, one in parts:  # before memory is taken for all of them
        if (one.rate, one.unit) != (finest.rate, finest.unit) or len(one.adu) < length * each:
            raise UserError(f"record {path} cannot be read: rate, unit or length of {one.name} change in its segments")
    adu = np.zeros(frames * each, np.int64)
    missing = np.ones(frames * each, np.bool_)
    for at, length, one in parts:
        own = one.adu[: length * each].astype(np.int64)
        if (one.gain, one.baseline) != (finest.gain, finest.baseline):
            own = np.rint((own - one.baseline) / one.gain * finest.gain + finest.baseline).astype(np.int64)
        place = slice(at * each, (at + length) * each)
        adu[place], missing[place] = own, one.missing[: length * each]
    return replace(finest, adu=adu, missing=missing)


def _listed(layout: Path) -> list[str]:
    """Names of the signals in a layout header."""
    import wfdb

    with readable_header(layout) as plain:
        return [str(name).strip() for name in wfdb.rdheader(str(plain)).sig_name]


@contextmanager
def readable_header(path: Path) -> Iterator[Path]:
    """The record with a header that the package reads rightly.

    It gives up at a date that is not day/month/year, such as 2014-04-15, and takes the Greek letter out of µV, which
    leaves V. So a copy of the header goes without the date and with the letter u, beside links to the signals.
    """
    text = read_text(path.with_name(path.name + ".hea"), MOST_HEADER, "replace")
    plain = re.sub("[µμ\ufffd]V", "uV", text)
    lines = plain.splitlines()
    at = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), -1)
    words = lines[at].split(maxsplit=4) if at >= 0 else []
    dated = len(words) == 5 and not BEGUN.fullmatch(words[4].strip())
    if dated:
        lines[at] = " ".join(words[:4])
    if plain == text and not dated:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="ecg-header-") as folder:
        place = Path(folder) / path.name
        place.with_name(path.name + ".hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name in {line.split()[0] for line in lines[at + 1 :] if line.strip() and not line.startswith("#")}:
            link_beside(path, place, name)
        yield place


def link_beside(path: Path, plain: Path, name: str) -> None:
    """A link to a file of the record at `path` beside the header `plain`, where that lies elsewhere."""
    if plain.parent != path.parent and "/" not in name and path.with_name(name).is_file():
        plain.with_name(name).symlink_to(path.with_name(name).resolve())


def _lines(header: Path) -> list[str]:
    """The lines of a header without comments; [] where it cannot be read."""
    try:
        text = read_text(header, MOST_HEADER, "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def first_line(error: Exception) -> str:
    """What an exception says, in one line."""
    lines = str(error).strip().splitlines()
    return (lines[0].strip() if lines else type(error).__name__)[:200]
