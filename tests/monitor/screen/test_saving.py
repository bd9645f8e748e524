"""Strips saved: where they go, and what stands on them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import matplotlib
import platformdirs
import pytest

from ecg.settings import Config
from monitor.screen.desk import strips_folder
from monitor.screen.views.review import ReviewView
from tests.support.driving import play, running, settings
from tests.support.shown_ward import WardLink


async def test_a_strip_is_saved_with_its_letters_rate_and_alarms_in_the_folder_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")  # text stays text in the file
    link = WardLink(1, 20, leads=2, truth=True, config=settings(strips_folder="ward/strips"))
    async with running(link, size=(160, 36)) as (app, pilot):
        await pilot.press("r")
        await play(pilot, link, 0.25)
        await pilot.press("w")
        await app.workers.wait_for_complete()
        await play(pilot, link, 0.25)
        alarms = [alarm.text for alarm in app.desk.ward.beds["bed-1"].alarms]
        assert alarms
        view = app.view
        assert isinstance(view, ReviewView)
        window = max(view.shown[0], view.history.first), min(view.shown[1], view.history.next)
        beats, notes = view.history.beats_between(*window), view.history.truth_between(*window)
        assert [note.message.split(",")[0].rpartition("/")[0] for note in app._notifications] == ["Saved ward/strips"]
    assert [path.name for path in tmp_path.iterdir()] == ["ward"]
    svg, png = sorted((tmp_path / "ward" / "strips").iterdir(), key=lambda path: path.suffix, reverse=True)
    assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    drawn = svg.read_text(encoding="utf-8")
    for words in ("research and education", *alarms, ">truth", ">model", f"saved {datetime.now():%Y-%m-%d}"):
        assert words in drawn
    rate = 60000 * len(beats) / sum(beat.rr_ms or 0 for beat in beats)
    assert f"heart rate {rate:.0f}/min" in drawn
    letters = re.findall(r">\s*([NSVFQ])\s*</text>", drawn)
    assert len(notes) > 3
    assert len(letters) == 2 * (len(beats) + len(notes)), "on both leads the model's and the cardiologists'"


def test_strips_go_to_a_folder_of_the_user_where_the_settings_name_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_PICTURES_DIR", "/home/someone/pictures")
    assert strips_folder(Config()) == platformdirs.user_pictures_path() / "ecg-monitor"
    assert strips_folder(settings(strips_folder="~/strips")) == Path.home() / "strips"


async def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    link = WardLink(1, 20)
    (tmp_path / "a file").touch()
    async with running(link, folder=tmp_path / "a file" / "strips") as (app, pilot):
        await pilot.press("r")
        await play(pilot, link, 0.25)
        await pilot.press("w")
        await app.workers.wait_for_complete()
        await play(pilot, link, 0.25)
        assert [note.message for note in app._notifications] == ["Cannot save: Not a directory"]
