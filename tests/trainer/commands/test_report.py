from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ecg.records.record import Record
from tests.support.annotated_pieces import write_wfdb
from trainer.__main__ import main
from trainer.data.streams import Cuts
from trainer.figures import figures, strips
from trainer.scoring.evaluation import Named


def named(cuts: Cuts) -> dict[str, Named]:
    rng = np.random.default_rng(0)
    found = {}
    for (source, name), cut in cuts.items():
        if source == "detector":
            said = rng.random((len(cut), 5)).astype(np.float32)
            found[name] = Named(cut, said / said.sum(axis=1, keepdims=True))
    return found


def test_the_report_holds_every_figure_it_names(
    stand_ins: Path, pieces: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "report"
    data.mkdir()
    for record in pieces:
        write_wfdb(record, data)
    quick = [w for t in ("epochs=2", "steps=2", "streams=4", "beats=12") for w in ("--set", t)]
    assert main(["fit", "--beats", str(stand_ins), "--out", str(tmp_path / "run"), *quick]) == 0
    assert main(
        ["report", str(tmp_path / "run"), "--data", str(data), "--records", "all", "--out", str(out)]
    ) == 0  # fmt: skip
    page = (out / "report.md").read_text()
    named_files = re.findall(r"\]\((\S+\.png)\)", page)
    assert {
        "confusion.png",
        "curves.png",
        "precision_recall.png",
        "calibration.png",
        "reliability.png",
        "strip_N.png",
    } <= set(named_files)
    for file in named_files:
        assert (out / file).read_bytes().startswith(b"\x89PNG")
    assert "No beat of class Q here." in page
    assert "Moody" in page
    assert str(out) in capsys.readouterr().out.replace("\n", "")


def test_a_strip_holds_ten_beats_with_one_of_the_class_in_the_middle(cuts: Cuts) -> None:
    beats = named(cuts)
    strip = strips.choose(beats, 2)
    assert strip is not None
    cut = beats[strip.record].cut
    assert cut.classes[strip.first + 5] == 2
    assert 0 <= strip.first <= len(cut) - 10
    assert strips.choose(beats, 4) is None


def test_missed_beats_lower_the_precision_recall_curve(cuts: Cuts, tmp_path: Path) -> None:
    beats = named(cuts)
    perfect = {name: Named(one.cut, np.eye(5, dtype=np.float32)[one.cut.classes]) for name, one in beats.items()}
    _, found = figures.precision_recall_figure(perfect, tmp_path / "a.png")
    assert found["V"] == pytest.approx(1)
    one = perfect["one"]
    keep = one.cut.classes != 2
    fewer = {
        **perfect,
        "one": Named(
            type(one.cut)(
                one.cut.source,
                one.cut.reference,
                one.cut.windows[keep],
                one.cut.features[keep],
                one.cut.index[keep],
                one.cut.classes[keep],
                one.cut.rhythms[keep],
            ),
            one.probabilities[keep],
        ),
    }
    classes, said = figures.beats_of(fewer)
    assert (classes == 2).sum() == (figures.beats_of(perfect)[0] == 2).sum()
    assert (said[classes == 2, 2] == 0).sum() == (~keep).sum()
    _, lowered = figures.precision_recall_figure(fewer, tmp_path / "b.png")
    assert lowered["V"] < 1


def test_the_same_figure_is_the_same_file(cuts: Cuts, tmp_path: Path) -> None:
    beats = named(cuts)
    figures.calibration_figure(beats, tmp_path / "a.png")
    figures.calibration_figure(beats, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
