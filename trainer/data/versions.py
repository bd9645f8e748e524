"""Made-up versions of records among cut beats: their keys, their file, and the digest of their making."""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

from ecg.records.databases import MITDB, SVDB
from ecg.rhythms.donors import donor_of
from trainer.data import behaviour
from trainer.data.cutting import SOURCES, Source, cut
from trainer.synthesis.versions import version

COARSE: Final = 64
"""Steps of a beat's size in the file of versions: far finer than the noise added in a fit."""


def version_key(name: str, number: int) -> tuple[Source, str]:
    """Key of a version among cut beats. Every other version is cut at the R-peaks of our own detector."""
    return SOURCES[number % len(SOURCES)], f"{name}~{number}"


def versions_path(beats: Path) -> Path:
    """The file of versions beside a file of cut beats."""
    return beats.with_name(f"{beats.stem}-versions.npz")


@cache
def made_by() -> str:
    """Digest of everything that decides a version's cut beats: three versions of the excerpt, and the folds."""
    record = behaviour.sample()
    donors = {
        (record.name, main, kind): [donor for donor in [donor_of(record, main, kind)] if donor]
        for main, kind in product((True, False), "VN")
    }
    made = [version(record, number, donors) for number in range(3)]
    cuts = [one for source in SOURCES for one in cut(made, source)]
    folds = [one.folds for one in (MITDB, SVDB)]
    return hashlib.sha256(f"{behaviour.digest(cuts)} {behaviour.cutting()} {folds}".encode()).hexdigest()
