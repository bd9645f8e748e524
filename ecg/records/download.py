"""Databases from PhysioNet, each file checked against the published SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ecg.errors import UserError, needs
from ecg.records.wfdb_signals import first_line

DATABASE: Final = "mitdb"
SUMS: Final = "SHA256SUMS.txt"

Progress = Callable[[str, int, int], None]
"""Called with (file, files done, files in all)."""


def fetch(names: list[str], target: Path, progress: Progress | None = None, database: str = DATABASE) -> None:
    """Fetch records of a database into the folder `target`; a file is kept only if its SHA-256 is the published one.

    Raises UserError where there is no network.
    """
    with needs("records", "downloading records"):
        import requests
        import wfdb

    files = [SUMS, *(f"{name}.{kind}" for name in names for kind in ("hea", "dat", "atr"))]
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as draft:
            sums: dict[str, str] = {}
            for done, file in enumerate(files):
                if progress:
                    progress(file, done, len(files))
                with contextlib.redirect_stdout(io.StringIO()):
                    wfdb.dl_files(database, draft, [file])
                got = Path(draft) / file
                if file == SUMS:
                    sums = _sums(got)
                elif hashlib.sha256(got.read_bytes()).hexdigest() != sums.get(file):
                    raise UserError(f"{file} as downloaded is not the published one (SHA-256 differs); try again")
            for name in names:  # the header last: a record is there once its header is
                for kind in ("dat", "atr", "hea"):
                    shutil.move(Path(draft) / f"{name}.{kind}", target / f"{name}.{kind}")
            if progress:
                progress("", len(files), len(files))
    except UserError:
        raise
    except Exception as error:
        offline = isinstance(error, requests.exceptions.ConnectionError)
        said = "physionet.org does not answer: is there a network?" if offline else first_line(error)
        raise UserError(
            f"cannot download {', '.join(names)} from PhysioNet ({said}); use --records excerpt, "
            "5 minutes of real ECG that need no network, or point $ECG_DATA at a copy of the database"
        ) from None


def _sums(file: Path) -> dict[str, str]:
    """SHA-256 by file name, as PhysioNet publishes them."""
    pairs = (line.split(maxsplit=1) for line in file.read_text(encoding="ascii").splitlines() if line.strip())
    return {name.strip(): digest for digest, name in pairs}
