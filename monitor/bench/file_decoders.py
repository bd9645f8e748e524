"""Everything that reads files that strangers may have written, as functions of bytes."""

from __future__ import annotations

import math
import struct
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np

from ecg.errors import UserError

Read = Callable[[bytes], object]
PAIR: Final = (("II", 1), ("V1", 2))
"""Leads, and every how manieth sample of the first one's they have."""
TABLES: Final = ("RECORD_SPECS", "SIGNAL_SPECS")
"""Tables of the package `wfdb`, in pandas, that it looks a hundred things up in for every header."""


class Decoder(NamedTuple):
    """own: errors that it may raise. seeds: inputs that are right, to begin with."""

    read: Read
    own: tuple[type[Exception], ...]
    seeds: list[bytes]


class Plain:
    """A table of pandas as a dictionary: the same values, found sooner."""

    def __init__(self, table: Any) -> None:
        self.index = list(table.index)
        self.loc = {(row, column): table.loc[row, column] for row in table.index for column in table.columns}


class Local:
    """Files as the package `fsspec` opens them where they lie on a disk, without asking how else they could lie."""

    @staticmethod
    def open(path: str, mode: str = "rb", encoding: str | None = "utf8", **options: Any) -> IO[Any]:
        """A file."""
        return Path(path).open(mode, encoding=None if "b" in mode else encoding, **options)


def quicken() -> None:
    """Have the package `wfdb` find its fields and letters in dictionaries, and open files at once.

    All inputs are read as before, and more of them.
    """
    from wfdb.io import _coreio, _signal, annotation, record
    from wfdb.io import _header as headers

    for name in TABLES:
        if not isinstance(table := getattr(headers, name), Plain):
            setattr(headers, name, Plain(table))
    for module in (_coreio, _signal, annotation, record):
        module.fsspec = Local
    rows = annotation.ann_label_table
    letters = dict(zip(rows["label_store"].tolist(), rows["symbol"].tolist(), strict=True))
    slowly = annotation.Annotation.convert_label_attribute

    def convert(self: Any, source: str, target: str, inplace: bool = True, overwrite: bool = True) -> Any:
        if (source, target) != ("label_store", "symbol") or self.custom_labels is not None or not inplace:
            return slowly(self, source, target, inplace, overwrite)
        self.symbol = [letters.get(int(code), math.nan) for code in self.label_store]
        return None

    annotation.Annotation.convert_label_attribute = convert


def settings() -> Decoder:
    """Settings files."""
    from ecg import settings as of

    return _file("config.toml", lambda path: of.load(path, {}), [b'[mqtt]\nhost = "a"\n[alarms]\nvt_beats = 6\n'])


def table() -> Decoder:
    """CSV files of signals."""
    from ecg.records import tables

    return _file("a.csv", lambda path: tables.read(path, 250.0), [b"II,V1\n" + b"1,2\n3,4\n5,6\n" * 40])


def edf() -> Decoder:
    """EDF+ files with an annotation."""
    import edfio

    from ecg.records import edf as of

    line = np.sin(np.arange(500) / 17)
    leads = [edfio.EdfSignal(line[::step], 250 / step, label=name, physical_dimension="mV") for name, step in PAIR]
    made = BytesIO()
    edfio.Edf(leads, annotations=[edfio.EdfAnnotation(0.5, None, "V")]).write(made)
    return _file("a.edf", of.read, [made.getvalue()])


def xdf() -> Decoder:
    """XDF files with a stream of signal and one of markers."""
    from ecg.records import xdf as of

    def chunk(tag: int, content: bytes) -> bytes:
        return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content

    def stream(number: bytes, kind: str, form: str, rate: int, rows: list[bytes]) -> bytes:
        said = f"<type>{kind}</type><channel_count>1</channel_count><nominal_srate>{rate}</nominal_srate>"
        channels = "<desc><channels><channel><label>II</label><unit>mV</unit></channel></channels></desc>"
        head = f"<info><name>a</name>{said}<channel_format>{form}</channel_format>{channels}</info>"
        samples = number + b"\x04" + struct.pack("<I", len(rows)) + b"".join(rows)
        return chunk(2, number + head.encode()) + chunk(3, samples)

    signal = [b"\x08" + struct.pack("<df", 100 + row / 250, row % 7) for row in range(40)]
    marks = [b"\x08" + struct.pack("<d", 100.1) + b"\x01\x01V"]
    streams = stream(b"\1\0\0\0", "ECG", "float32", 250, signal) + stream(b"\2\0\0\0", "Markers", "string", 0, marks)
    return _file("a.xdf", of.read, [b"XDF:" + chunk(1, b"<info><version>1.0</version></info>") + streams])


def header() -> Decoder:
    """WFDB headers, beside a signal file that is there."""
    from ecg.records import wfdb

    seed = b"r 2 360 100\nr.dat 16 200(0)/mV 16 0 0 0 0 MLII\nr.dat 16 200 16 0 0 0 0 V1\n# comment\n"
    return _file("r.hea", lambda path: wfdb.read(path.with_suffix("")), [seed], {"r.dat": bytes(400)})


def marks() -> Decoder:
    """WFDB annotation files, beside a record that is there: its signals are read once."""
    from ecg.records import wfdb
    from ecg.records.building import build
    from ecg.records.marks import END, Mark, encode
    from ecg.records.wfdb_signals import read_signals

    there = {
        "r.dat": bytes(400),
        "r.hea": b"r 2 360 100\nr.dat 16 200(0)/mV 16 0 0 0 0 MLII\nr.dat 16 200 16 0 0 0 0 V1\n",
    }
    seed = encode([Mark(5, "N"), Mark(50, '"', "pause onset"), Mark(5000, "V")], 0) + END
    signals: list[Any] = []

    def read(path: Path) -> object:
        record = path.with_suffix("")
        signals.extend(() if signals else read_signals(record))
        notes, ticks = wfdb.read_annotations(record)
        return build("r", signals, source="wfdb", where="r", annotations=notes, annotated_at=ticks)

    return _file("r.atr", read, [seed], there)


def card() -> Decoder:
    """Cards of weights, beside weights that are there."""
    from ecg.model import weights

    place = weights.locate("memory-gru")
    there = {"w.safetensors": place.read_bytes()}
    return _file(
        "w.json",
        lambda path: weights.load(path.with_suffix(".safetensors")),
        [place.with_suffix(".json").read_bytes()],
        there,
    )


def _file(
    name: str, read: Callable[[Path], object], seeds: list[bytes], there: dict[str, bytes] | None = None
) -> Decoder:
    """A reader of files, with others beside it."""
    place = tempfile.TemporaryDirectory(prefix="ecg-fuzz-")
    folder, file = Path(place.name), Path(place.name) / name
    for other, content in (there or {}).items():
        (folder / other).write_bytes(content)

    def from_bytes(data: bytes) -> object:
        (Path(place.name) / name).write_bytes(data)  # the folder lasts as long as this function
        return read(file)

    return Decoder(from_bytes, (UserError,), seeds)
