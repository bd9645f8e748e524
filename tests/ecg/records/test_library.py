"""Records by name, from disk and over the network."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecg.errors import UserError
from ecg.records import aami, library


def write_record(folder: Path, name: str, rate: int = 250) -> np.ndarray:
    """A small two-lead WFDB record with annotations, as another program would write it."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = np.sin(np.arange(4 * rate)[:, None] / np.array([9.0, 17.0]))
    wfdb.wrsamp(name, rate, ["mV", "mV"], ["V5", "MLII"], p_signal=signal, fmt=["16", "16"], write_dir=str(folder))
    wfdb.wrann(
        name, "atr", np.array([10, 300, 600]), ["+", "N", "V"], aux_note=["(AFIB", "", ""], write_dir=str(folder)
    )
    return signal


def test_a_record_written_by_another_program_is_read_as_it_was_meant(tmp_path: Path) -> None:
    signal = write_record(tmp_path, "abc")
    record = library.read("abc", tmp_path)
    assert record.leads == ("V5", "MLII")
    assert record.rate == 250
    assert np.allclose(record.millivolts(1), signal[:, 1], atol=1e-3)
    assert record.annotations is not None
    assert record.annotations.symbol.tolist() == ["+", "N", "V"]
    assert record.annotations.rhythm.tolist() == ["(AFIB"] * 3


def test_the_excerpt_is_real_and_needs_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    record = library.read("excerpt")
    assert record.samples.shape == (108_000, 1)
    assert record.source == "excerpt"
    assert record.annotations is None


def test_the_excerpt_is_what_the_database_holds(records: list[str]) -> None:
    whole = library.read("208")
    assert np.array_equal(library.read("excerpt").samples[:, 0], whole.samples[422_820:530_820, 0])


def test_groups_and_lists_name_records() -> None:
    assert library.find("ds1, 100,100") == [*aami.DS1, "100"]
    assert len(library.find("all")) == 48


def test_an_unknown_record_is_named_together_with_near_ones() -> None:
    with pytest.raises(UserError, match=r"no record '1OO' is known; give 10"):
        library.find("1OO")


def test_a_missing_record_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    assert library.missing(["100", "excerpt"]) == ["100"]
    with pytest.raises(UserError, match=r"record 100 is not in .*ECG_DATA"):
        library.read("100")


@pytest.mark.parametrize(("kind", "content"), [("hea", b"abc two 250"), ("hea", b""), ("dat", b"\x00\x01")])
def test_a_broken_record_is_one_sentence(tmp_path: Path, kind: str, content: bytes) -> None:
    write_record(tmp_path, "abc")
    (tmp_path / f"abc.{kind}").write_bytes(content)
    with pytest.raises(UserError, match="abc cannot be read"):
        library.read("abc", tmp_path)


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
