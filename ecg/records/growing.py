"""A WFDB record that grows while it is read: samples and annotations are added, and any WFDB program reads the rest.

The package `wfdb` writes whole records. Here the header stands from the beginning, without the length, which readers
take from the size of the signal file; whole rows are added to that. Of the annotations the last seconds are
written again with every addition, since some come a little late. A process that is killed leaves a record that can be
read; `finish` in another one gives it its length.
"""

from __future__ import annotations

import os
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.files import read_text
from ecg.records.marks import END, Mark, encode

SETTLED_SECONDS: Final = 5.0
"""An annotation comes at most so much signal after those behind it."""
FORMAT: Final = "16"
KINDS: Final = ("hea", "dat", "atr")


@dataclass(slots=True, kw_only=True)
class GrowingRecord:
    """One record in `folder`. All methods raise OSError where the disk does not take it; rows are whole all the same.

    gain: ADU/mV, baseline: ADU, by lead. units: what gain counts ADU of, () where all are mV.
    begun_s: of the first sample, seconds since the epoch.
    comments: further lines of the header. samples: rows on disk. marks: annotations on disk.
    """

    folder: Path
    name: str
    rate: float
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    baseline: tuple[float, ...]
    begun_s: float
    comments: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    samples: int = 0
    marks: int = 0
    _first: list[int] = field(default_factory=list)
    _sum: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    _settled: int = 0
    _settled_at: int = 0
    _tail: list[Mark] = field(default_factory=list)

    def file(self, kind: str) -> Path:
        """The header ("hea"), signal ("dat") or annotation file ("atr")."""
        return self.folder / f"{self.name}.{kind}"

    def create(self) -> None:
        """Make the files. A record is there once its header is, so that comes last."""
        for kind, content in (("dat", b""), ("atr", END), ("hea", self._header(finished=False))):
            with self.file(kind).open("xb") as made:
                made.write(content)

    def append(self, rows: NDArray[np.int16]) -> None:
        """Add samples: int16 [n, leads], ADU, MISSING where there is none."""
        if not len(rows):
            return
        _write(self.file("dat"), rows.astype("<i2", copy=False).tobytes(), self.samples * 2 * len(self.leads))
        self.samples += len(rows)
        self.count(rows)

    def count(self, rows: NDArray[np.int16]) -> None:
        """Rows that are on the disk: the header's checksums and first samples come of them."""
        if not self._first:
            self._first = [int(value) for value in rows[0]]
        self._sum = self._sum + rows.sum(axis=0, dtype=np.int64)

    def annotate(self, marks: Iterable[Mark]) -> None:
        """Add annotations, each not more than SETTLED_SECONDS before one that was added earlier."""
        fresh = list(marks)
        if not fresh:
            return
        for mark in fresh:
            insort(self._tail, mark._replace(sample=max(mark.sample, self._settled_at)), key=lambda one: one.sample)
        _write(self.file("atr"), encode(self._tail, self._settled_at) + END, self._settled)
        self.marks += len(fresh)
        limit = self._tail[-1].sample - round(SETTLED_SECONDS * self.rate)
        old = [mark for mark in self._tail if mark.sample < limit]
        if old:
            self._settled += len(encode(old, self._settled_at))
            self._settled_at = old[-1].sample
            del self._tail[: len(old)]

    def finish(self) -> None:
        """Nothing more will come: give the header its length and checksums, and the time at which it began.

        A record without a sample goes.
        """
        if not self.samples:
            for kind in KINDS:
                self.file(kind).unlink(missing_ok=True)
            return
        draft = self.folder / f".{self.name}.hea.part"
        draft.write_bytes(self._header(finished=True))
        draft.replace(self.file("hea"))

    def _header(self, finished: bool) -> bytes:
        rate = f"{self.rate:.10g}"
        begun = datetime.fromtimestamp(self.begun_s, UTC)
        length = f" {self.samples} {begun:%H:%M:%S.%f} {begun:%d/%m/%Y}" if finished else ""
        lines = [f"{self.name} {len(self.leads)} {rate}{length}"]
        units = self.units or ("mV",) * len(self.leads)
        signals = zip(self.leads, self.gain, self.baseline, units, strict=True)
        for column, (lead, gain, baseline, unit) in enumerate(signals):
            first, total = (self._first[column], int(self._sum[column])) if length else (0, 0)
            check = (total + 0x8000) % 0x10000 - 0x8000
            scale = f"{gain:.10g}({round(baseline)})/{'_'.join(plain(unit).split()) or 'NU'}"
            lines.append(f"{self.name}.dat {FORMAT} {scale} 16 0 {first} {check} 0 {plain(lead) or 'ECG'}")
        lines += [f"#{plain(comment)}" for comment in self.comments]
        return ("\n".join(lines) + "\n").encode()


BEGUN: Final = " begun: "
"""What the comment that says when a record began starts with; ISO 8601 follows."""


def finish(folder: Path, name: str, marks: Iterable[Mark] | None = None) -> int:
    """Give a record that another process left behind its length; returns its samples.

    marks: its annotations, in order, where they are known better than the file knows them. Raises OSError and
    ValueError where it cannot be done.
    """
    record = opened(folder, name)
    width = 2 * len(record.leads)
    data = record.file("dat")
    record.samples = data.stat().st_size // width
    os.truncate(data, record.samples * width)
    if record.samples:
        record.count(np.memmap(data, "<i2", "r", shape=(record.samples, len(record.leads))))
    if marks is not None and record.samples:
        _write(record.file("atr"), encode(marks, 0) + END, 0, shorten=True)
    record.finish()
    return record.samples


def opened(folder: Path, name: str) -> GrowingRecord:
    """A record without its length as its header describes it. Raises OSError, and ValueError where it is another's."""
    text = read_text(folder / f"{name}.hea").splitlines()
    first, *lines = [line for line in text if not line.startswith("#")]
    comments = tuple(line[1:] for line in text if line.startswith("#"))
    words = first.split()
    if len(words) != 3 or words[0] != name or not lines or int(words[1]) != len(lines):
        raise ValueError(f"{name}.hea is not of a record that was left while it grew")
    leads, gain, baseline, units = [], [], [], []
    for line in lines:
        _file, _format, scale, *_rest, lead = line.split(maxsplit=8)
        factor, _, after = scale.partition("(")
        leads.append(lead)
        gain.append(float(factor))
        offset, _, unit = after.partition(")/")
        baseline.append(float(offset))
        units.append(unit)
    begun = next((line for line in comments if line.startswith(BEGUN)), "")
    return GrowingRecord(
        folder=folder,
        name=name,
        rate=float(words[2]),
        leads=tuple(leads),
        gain=tuple(gain),
        baseline=tuple(baseline),
        begun_s=datetime.fromisoformat(begun.removeprefix(BEGUN).strip()).timestamp() if begun else 0.0,
        comments=comments,
        units=tuple(units),
    )


def plain(text: str) -> str:
    """A stranger's text as a header may hold it: one line, no control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text).rstrip()


def _write(path: Path, content: bytes, at: int, shorten: bool = False) -> None:
    """Write at a place in a file. Where that fails, the file keeps the length it had."""
    target = os.open(path, os.O_WRONLY)
    try:
        before = os.fstat(target).st_size
        done = 0
        try:
            while done < len(content):
                done += os.pwrite(target, content[done:], at + done)
        except OSError:
            if before < at + done:
                os.ftruncate(target, before)
            raise
        if shorten:
            os.ftruncate(target, at + len(content))
    finally:
        os.close(target)
