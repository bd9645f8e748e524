"""A certificate authority made for a test, and certificates that it signs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.brokers import MOSQUITTO

OPENSSL = shutil.which("openssl")
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Authority:
    """A certificate authority in a folder that anybody may read, as the broker runs as a user of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.file = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self.openssl("req", "-x509", *NEW_KEY, "-nodes", "-days", "2", "-subj", f"/CN={name}")

    def openssl(self, *arguments: str) -> None:
        command = [str(OPENSSL), *arguments, "-keyout", str(self._key), "-out", str(self.file)]
        subprocess.run(command, check=True, capture_output=True)

    def sign(self, name: str, address: str, days: int = 2) -> tuple[Path, Path]:
        """(certificate, key) of `name` at that address; below 0 days it is no longer valid."""
        key, request, made = (self.folder / f"{self.name}-{name}.{kind}" for kind in ("key", "csr", "crt"))
        extension = self.folder / "extension"
        extension.write_text(f"subjectAltName=IP:{address}\n", encoding="utf-8")
        ask = ("req", *NEW_KEY, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        signed = ("-CA", self.file, "-CAkey", self._key, "-CAcreateserial", "-days", str(days), "-extfile", extension)
        for command in (ask, ("x509", "-req", "-in", request, *signed, "-out", made)):
            subprocess.run([str(OPENSSL), *map(str, command)], check=True, capture_output=True)
        key.chmod(0o644)
        return made, key


@contextmanager
def authorities() -> Iterator[Authority]:
    """An authority for a test; without openssl or a broker the test is skipped."""
    if OPENSSL is None or MOSQUITTO is None:
        pytest.skip("openssl or mosquitto is not installed (apt-get install openssl mosquitto)")
    with tempfile.TemporaryDirectory(prefix="ecg-") as made:  # pytest's own folders are for their user alone
        folder = Path(made)
        folder.chmod(0o755)
        yield Authority(folder, "ward")
