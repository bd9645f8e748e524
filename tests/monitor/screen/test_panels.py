"""The panels: nothing is cut where it is needed, columns stand under their headings, colours are explained."""

from __future__ import annotations

import re

import pytest
from msgspec import structs
from rich.cells import cell_len

from monitor.link.protocol import BedSummary
from monitor.screen.draw.palette import PHOSPHOR
from monitor.screen.draw.panels import top_line
from monitor.screen.labels import Labels, Language
from monitor.screen.views.dialogs import HelpScreen
from monitor.screen.widgets.board import Board
from tests.support.driving import play, running, settings, text
from tests.support.shown_ward import WardLink


def summary() -> BedSummary:
    return BedSummary(
        bed="bed-1",
        record="208",
        state="ok",
        rate=360,
        leads=["MLII"],
        stream="208/0",
        last_index=100_000,
        heart_rate=70.0,
        pvc_per_minute=0,
        lost=0,
        alarms=[],
    )


@pytest.mark.parametrize("size", [(120, 40), (120, 36), (200, 60), (80, 24)])
async def test_with_the_truth_all_classes_and_the_memory_are_visible(size: tuple[int, int]) -> None:
    link = WardLink(1, 60, truth=True, shift=0)
    async with running(link, size=size, truth=True) as (app, pilot):
        for language, truth, last in (("en", "TRUTH", "LAST BEAT"), ("ja", "正解", "直近の拍動")):
            vitals = app.view.query_one("#vitals", Board)
            lines = [vitals.render_line(y).text for y in range(vitals.size.height)]
            after = next(n for n, line in enumerate(lines) if line.startswith(truth))
            scores = [line.split()[0] for line in lines[after + 1 :] if re.match(r"[NSVFQ]\s", line)]
            assert "".join(scores)[:5] == "NSVFQ", language
            assert any(line.startswith(("MEMORY", "メモリー", "記憶")) for line in lines)
            bars = next(n for n, line in enumerate(lines) if line.startswith(last))
            if size >= (120, 36):
                assert [line[0] for line in lines[bars + 1 : bars + 6]] == list("NSVFQ")
            await pilot.press("l")
            await play(pilot, link, 0.5)


async def test_the_memory_says_what_its_colours_are() -> None:
    link = WardLink(1, 30)
    async with running(link, size=(120, 40)) as (app, pilot):
        seen = text(app)
        assert "32 hidden units" in seen and "-1 ██████ 0 ██████ +1" in seen
        assert "moved it most, last 60 s (change)" in seen
        await pilot.press("l")
        await play(pilot, link, 0.5)
        assert "隠れユニット 32 個" in text(app) and "-1 ██████ 0 ██████ +1" in text(app)


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_the_columns_of_the_help_never_touch(language: Language) -> None:
    link = WardLink(1, 5, config=settings(language=language))
    async with running(link, size=(80, 24)) as (app, pilot):
        await pilot.press("question_mark")
        await play(pilot, link, 0.5)
        board = app.screen.query_one(Board)
        rows = [board.render_line(y) for y in range(board.size.height)]
        labels, screen = Labels(language), app.screen
        assert isinstance(screen, HelpScreen)
        written = "\n".join(row.text for row in rows)
        assert link.about in written and labels("not_clinical") in written, "the last lines are cut"
        for column, entries in enumerate(screen._columns()):
            starts = set()
            for number, (name, key) in enumerate(entries):
                if not name.strip():
                    continue
                cells = rows[1 + number].text
                what = labels(key) if key else name
                found = [
                    cell_len(cells[: match.start()])
                    for match in re.finditer(re.escape(name) + (r" +" + re.escape(what) if key else ""), cells)
                ]
                assert found, f"{what} is cut"
                starts.add(min(found, key=lambda at: abs(at - column * 25)))
                after = cells[cells.index(what, cells.index(name)) + len(what) :]
                assert after[:1] in ("", " "), f"{what} touches the next column"
            assert len(starts) == 1, f"the keys under {entries[0][0]} stand in a line"
        assert "MIT-BIH DS1" in text(app) and "Enter" in text(app)


async def test_it_says_before_the_first_signal_what_the_network_was_fitted_on() -> None:
    link = WardLink(1, 0)
    link.silent.add("bed-1")
    async with running(link) as (app, _):
        assert "network fitted on MIT-BIH DS1: 22 records (101, 106, 108, …, 230)" in text(app)


@pytest.mark.parametrize(("language", "said"), [("en", " MLII off "), ("ja", " MLII 外れ ")])
def test_a_lead_that_is_off_while_another_leads_is_named_beside_the_bed(language: Language, said: str) -> None:
    bed = structs.replace(summary(), leads=["MLII", "V1"], lead="V1", leads_off=["MLII"])
    for shown, there in ((bed, True), (structs.replace(bed, leads_off=[]), False)):
        line = top_line(shown, "1/1", "", 120, PHOSPHOR, Labels(language))
        assert (said in "".join(segment.text for segment in line.segments)) is there


@pytest.mark.parametrize(("language", "said"), [("en", " SIMULATED "), ("ja", " 模擬患者 ")])
def test_a_simulated_patient_is_named_so_above_its_strip(language: Language, said: str) -> None:
    shown = structs.replace(summary(), record="SIMULATED fever", simulated=True)
    line = "".join(s.text for s in top_line(shown, "1/1", "", 120, PHOSPHOR, Labels(language)).segments)
    assert line.count(said) == 1 and "fever" in line and line.index(said) < line.index("fever")
    plain = "".join(s.text for s in top_line(summary(), "1/1", "", 120, PHOSPHOR, Labels(language)).segments)
    assert said not in plain
