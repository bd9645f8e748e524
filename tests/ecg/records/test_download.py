"""Records over the network, from a small PhysioNet of our own."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import wfdb

from ecg.errors import UserError
from ecg.records import library
from tests.support.wfdb_files import write_record


class Site(http.server.SimpleHTTPRequestHandler):
    """A small PhysioNet, with the paths that the real one has."""

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder served over HTTP in place of physionet.org; yields the folder of database files."""
    root = tmp_path / "site"
    (root / "mitdb" / "1.0.0").mkdir(parents=True)
    (root / "mitdb" / "index.html").write_text("<p>\nVersion: 1.0.0</p>\n")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setattr("wfdb.io.download.PN_CONTENT_URL", address)
    wfdb.io.download.set_db_index_url(address)
    monkeypatch.setenv("ECG_DATA", str(tmp_path / "mine"))
    yield root / "mitdb" / "1.0.0"
    wfdb.io.download.set_db_index_url()
    server.shutdown()


def publish(folder: Path) -> None:
    """Write the checksums of what is in the folder."""
    sums = [f"{hashlib.sha256(f.read_bytes()).hexdigest()} {f.name}\n" for f in folder.iterdir()]
    (folder / "SHA256SUMS.txt").write_text("".join(sums))


def test_a_downloaded_record_is_kept_where_records_are_looked_for(site: Path) -> None:
    write_record(site, "100")
    publish(site)
    seen: list[tuple[str, int, int]] = []
    library.download(["100"], lambda *step: seen.append(step))
    assert library.missing(["100"]) == []
    assert library.read("100").rate == 250
    assert seen[-1] == ("", 4, 4)
    assert sorted(f.name for f in library.folder().iterdir()) == ["100.atr", "100.dat", "100.hea"]


def test_a_download_that_differs_from_the_published_one_is_not_kept(site: Path) -> None:
    write_record(site, "100")
    publish(site)
    (site / "100.dat").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"100.dat as downloaded is not the published one"):
        library.download(["100"])
    assert library.missing(["100"]) == ["100"]


def test_without_a_network_the_excerpt_is_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("wfdb.io.download.PN_CONTENT_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"does not answer: is there a network\?.*--records excerpt"):
        library.download(["100"])
