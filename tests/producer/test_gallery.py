"""The gallery: a strip for every rhythm, small enough for a page."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from producer.cli import main
from producer.gallery import drawn, strips

FOLDER = Path(__file__).parents[2] / "docs" / "simulator"


def test_every_rhythm_and_every_extra_beat_has_a_strip_on_the_page() -> None:
    assert {*RHYTHMS, *ECTOPY} - {"none"} <= set(strips())
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(strips())
    page = (FOLDER.parent / "simulator.md").read_text(encoding="utf-8")
    assert all(f"(simulator/{name}.svg)" in page for name in strips())


@pytest.mark.parametrize("name", list(strips()))
def test_a_strip_is_a_small_picture_that_says_it_is_simulated(name: str) -> None:
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert len(text) < 40_000 and "SIMULATED" in text
    assert len(ElementTree.fromstring(text).findall(".//{http://www.w3.org/2000/svg}path")) >= 3


def test_a_strip_is_drawn_the_same_every_time() -> None:
    assert drawn(*strips()["bigeminy"]) == drawn(*strips()["bigeminy"]) != drawn(*strips()["pvcs"])


def test_the_command_writes_all_strips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "--out", str(tmp_path / "new")]) == 0
    assert len(list((tmp_path / "new").glob("*.svg"))) == len(strips())
    assert f"{len(strips())} strips" in capsys.readouterr().out
