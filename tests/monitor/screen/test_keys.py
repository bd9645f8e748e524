"""Every key and every flow, on the real ward."""

from __future__ import annotations

import pytest
from textual.geometry import Size
from textual.widgets import Digits

from ecg.wire.messages import ActiveAlarm
from monitor.link.protocol import Acknowledge, Show, Silence
from monitor.screen.app import MonitorApp
from monitor.screen.views.bedside import BedsideView
from monitor.screen.views.central import CentralView
from monitor.screen.views.dialogs import HelpScreen, TooSmall
from monitor.screen.views.review import ReviewView
from monitor.screen.widgets.strip_view import StripView
from tests.support.driving import play, running, settings, text
from tests.support.shown_ward import WardLink

HIGH = ActiveAlarm("asystole", "high", 100, "Asystole")


async def test_the_bedside_shows_what_the_ward_says() -> None:
    link = WardLink(2, 30)
    async with running(link, size=(150, 36)) as (app, _):
        seen = text(app)
        bed = app.desk.summary
        assert bed is not None and bed.heart_rate is not None
        assert app.view.query_one(Digits).value == f"{bed.heart_rate:.0f}"
        for words in (
            "bed-1 1/2",
            "not for clinical use",
            "MLII",
            "ventricular",
            "SDNN",
            "mosquitto",
            "memory-gru",
            "V",
        ):
            assert words in seen
        history = app.desk.ward.shown["bed-1"]
        letters = "".join(beat.cls for beat in history.beats[-4:])
        assert len(letters) == 4
        assert any(line.startswith("MLII") and letters[:-1].strip("N")[:1] in line for line in seen.splitlines())


async def test_next_and_previous_bed_go_round() -> None:
    link = WardLink(3, 5)
    async with running(link) as (app, pilot):
        for key, bed in (("n", "bed-2"), ("right", "bed-3"), ("n", "bed-1"), ("p", "bed-3"), ("left", "bed-2")):
            await pilot.press(key)
            await play(pilot, link, 0.5)
            assert app.desk.bed == bed and bed in text(app)
            assert link.intents[-1] == Show([bed], 600.0, 30.0)


async def test_freeze_stops_the_sweep_and_lets_it_go_on() -> None:
    link = WardLink(1, 10)
    async with running(link) as (app, pilot):
        strips = app.view.query_one(StripView)
        await pilot.press("f")
        await play(pilot, link, 0.5)
        head = strips.pages[0].head
        await play(pilot, link, 2)
        assert strips.pages[0].head == head and "FROZEN" in text(app)
        await pilot.press("space")
        await play(pilot, link, 2)
        assert strips.pages[0].head > head and "FROZEN" not in text(app)


async def test_gain_and_sweep_speed_step_through_their_values() -> None:
    link = WardLink(1, 10)
    async with running(link) as (app, pilot):
        for key, told in (("plus", "20 mm/mV"), ("plus", "20 mm/mV"), ("minus", "10 mm/mV"), ("minus", "5 mm/mV")):
            await pilot.press(key)
            await play(pilot, link, 0.5)
            assert told in text(app)
        await pilot.press("s")
        await play(pilot, link, 0.5)
        assert "50 mm/s" in text(app)


async def test_acknowledge_and_silence_reach_the_ward() -> None:
    link = WardLink(1, 14)
    async with running(link) as (app, pilot):
        assert link.ward.alarms.active(0)
        await pilot.press("a", "z")
        await play(pilot, link, 0.5)
        assert Acknowledge("bed-1") in link.intents and Silence("bed-1", 120.0) in link.intents
        assert all(alarm.acknowledged for alarm in app.desk.summary.alarms)  # type: ignore[union-attr]
        assert "acknowledged" in text(app) and "silenced" in text(app)
        await pilot.press("z")
        assert link.intents[-1] == Silence("bed-1", 0.0)


async def test_a_high_alarm_flashes_until_it_is_acknowledged() -> None:
    link = WardLink(1, 10)
    link.alarms["bed-1"] = [HIGH]

    def banner_colours(app: MonitorApp) -> set[str]:
        row = app.screen._compositor.render_strips()[1]
        return {str(segment.style.bgcolor) for segment in row if segment.style and "Asystole" in segment.text}

    async with running(link) as (app, pilot):
        seen = set()
        for _ in range(6):
            await play(pilot, link, 0.25)
            assert "!!! Asystole" in text(app)
            seen |= banner_colours(app)
        assert len(seen) == 2


async def test_the_bell_rings_once_for_a_high_alarm_if_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[int] = []
    monkeypatch.setattr(MonitorApp, "bell", lambda _: rings.append(1))
    for wanted in (False, True):
        link = WardLink(1, 10, config=settings(bell=wanted))
        async with running(link) as (_app, pilot):
            from monitor.link.protocol import Notice

            link.extra = [
                Notice(
                    wall_s=0.0,
                    bed="bed-1",
                    stream="208/0",
                    index=100,
                    kind="alarm",
                    text="Asystole",
                    cls="",
                    priority="high",
                )
            ]
            link.poke()
            await play(pilot, link, 1)
            assert len(rings) == int(wanted)


async def test_help_opens_over_any_view_and_any_key_closes_it() -> None:
    link = WardLink(4, 5)
    async with running(link) as (app, pilot):
        for opener in ("question_mark", "h", "f1"):
            await pilot.press(opener)
            await play(pilot, link, 0.25)
            assert isinstance(app.screen, HelpScreen)
            assert "choose an alert" in text(app) and "not for clinical use" in text(app)
            await pilot.press("x")
            assert isinstance(app.screen, BedsideView)
        await pilot.press("c", "question_mark", "q")
        assert isinstance(app.screen, CentralView) and app.is_running


async def test_the_central_station_shows_all_beds_and_opens_one() -> None:
    link = WardLink(9, 12)
    link.alarms["bed-7"] = [HIGH]
    link.states["bed-3"] = "silent"
    async with running(link) as (app, pilot):
        await pilot.press("c")
        await play(pilot, link, 1)
        view = app.view
        assert isinstance(view, CentralView)
        seen = text(app)
        assert all(f"bed-{number}" in seen for number in range(1, 10))
        assert view.order[0] == "bed-7" and "bed-7: !!! Asystole" in seen
        assert "silent" in seen
        await pilot.press("o")
        await play(pilot, link, 0.5)
        assert view.order[:3] == ["bed-1", "bed-2", "bed-3"] and "by name" in text(app)
        below = view.order[view.wall.columns]
        await pilot.press("right", "down", "left", "enter")
        await play(pilot, link, 0.5)
        assert isinstance(app.view, BedsideView)
        assert app.desk.bed == below
        assert app.desk.bed in text(app).splitlines()[0]


async def test_pages_of_the_central_station_turn() -> None:
    link = WardLink(20, 3)
    async with running(link, size=(80, 24)) as (app, pilot):
        await pilot.press("c", "o")
        await play(pilot, link, 0.5)
        view = app.view
        assert isinstance(view, CentralView)
        seen = set()
        for page in range(view.pages):
            assert f"page {page + 1}/{view.pages}" in text(app)
            seen |= {name for name in link.names if f"{name} " in text(app)}
            await pilot.press("n")
            await play(pilot, link, 0.5)
        assert view.pages > 1 and seen == set(link.names) and view.number == 0
        await pilot.press("p")
        assert view.number == view.pages - 1
        await pilot.press("escape")
        assert isinstance(app.view, BedsideView)


async def test_a_click_chooses_a_tile_and_a_second_opens_it() -> None:
    link = WardLink(4, 5)
    async with running(link) as (app, pilot):
        await pilot.press("c", "o")
        await play(pilot, link, 0.5)
        view = app.view
        assert isinstance(view, CentralView)
        place = (view.wall.size.width - 5, view.wall.size.height - 3)
        await pilot.click("#wall", offset=place)
        assert app.desk.bed == "bed-4" and isinstance(app.view, CentralView)
        await pilot.click("#wall", offset=place)
        assert isinstance(app.view, BedsideView)


async def test_review_scrolls_jumps_and_measures() -> None:
    link = WardLink(1, 60)
    async with running(link) as (app, pilot):
        await pilot.press("r")
        await play(pilot, link, 0.5)
        view = app.view
        assert isinstance(view, ReviewView)
        end = view.shown
        await pilot.press("home")
        await play(pilot, link, 0.25)
        assert view.shown[0] <= view.history.first + view.per_dot and view.shown[0] < end[0]
        await pilot.press("n")
        await play(pilot, link, 0.25)
        beats = view.history.beats
        abnormal = [beat for beat in beats if beat.cls != "N"]
        index = view.cursors[1]
        assert index in [beat.index for beat in abnormal]
        beat = next(beat for beat in beats if beat.index == index)
        ms = 1000 * (view.cursors[1] - view.cursors[0]) / 360
        assert ms == pytest.approx(beat.rr_ms, abs=8), "cursors stand on the beat and the one before it"
        seen = text(app)
        assert f"B−A {ms:+.0f} ms" in seen and f"{60000 / ms:.0f} /min" in seen
        record = link.record(0)
        lead = record.millivolts(0)
        assert view.values(1)[0] == pytest.approx(float(lead[index]), abs=1e-3)
        before = list(view.cursors)
        await pilot.press("tab", "right", "shift+right")
        assert view.cursors[1] == before[1] and view.cursors[0] > before[0]
        await pilot.press("end")
        await play(pilot, link, 0.25)
        assert view.shown == end
        newest = view.history.next
        await play(pilot, link, 2)
        assert view.history.next == newest, "a review stands still"
        await pilot.press("escape")
        await play(pilot, link, 0.5)
        assert isinstance(app.view, BedsideView) and not app.desk.frozen


async def test_an_alert_leads_to_its_strip_by_key_and_by_click() -> None:
    link = WardLink(1, 40)
    async with running(link) as (app, pilot):
        bedside = app.view
        assert isinstance(bedside, BedsideView)
        await pilot.press("down", "down")
        await play(pilot, link, 0.25)
        wanted = bedside.alerts[1].index
        await pilot.press("enter")
        await play(pilot, link, 0.25)
        view = app.view
        assert isinstance(view, ReviewView) and view.cursors[1] == wanted
        await pilot.press("r")
        await play(pilot, link, 0.25)
        wanted = bedside.alerts[2].index
        await pilot.click("#alerts", offset=(14, 3))
        await play(pilot, link, 0.25)
        view = app.view
        assert isinstance(view, ReviewView) and view.cursors[1] == wanted


@pytest.mark.parametrize("keys", [(), ("c",), ("r",), ("question_mark",)])
async def test_ctrl_c_leaves_every_view_as_q_does(keys: tuple[str, ...]) -> None:
    link = WardLink(2, 5)
    async with running(link) as (app, pilot):
        await pilot.press(*keys)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert [note.message for note in app._notifications] == []
    assert app.return_code == 0 and not app.is_running


async def test_truth_view_counts_and_marks_what_differs() -> None:
    link = WardLink(1, 60, truth=True, shift=0)
    async with running(link, truth=True) as (app, pilot):
        seen = text(app)
        assert "TRUTH" in seen and "cardiologists" in seen and "+P %" in seen
        bedside = app.view
        assert isinstance(bedside, BedsideView)
        table = bedside.tally.table
        beats = app.desk.ward.shown["bed-1"].beats
        called = [sum(beat.cls == cls for beat in beats[:-3]) for cls in "NV"]
        assert abs(table[0, 0] - called[0]) <= 3 and abs(table[0, 2] - called[1]) <= 3, "the reference calls all N"
        await pilot.press("t")
        await play(pilot, link, 0.5)
        assert "cardiologists" not in text(app)


async def test_without_annotations_the_truth_view_says_so() -> None:
    link = WardLink(1, 20)
    async with running(link, truth=True) as (app, _):
        assert "this bed sends no annotations" in text(app)


async def test_a_small_terminal_gets_one_sentence_until_it_is_larger() -> None:
    link = WardLink(1, 5)
    async with running(link, size=(70, 20)) as (app, pilot):
        assert isinstance(app.screen, TooSmall)
        seen = " ".join(text(app).split())
        assert "The terminal is 70 x 20; the monitor needs at least 80 x 24." in seen
        await pilot.resize_terminal(80, 24)
        await play(pilot, link, 0.5)
        assert app.size == Size(80, 24) and isinstance(app.screen, BedsideView) and "MLII" in text(app)
        await pilot.resize_terminal(60, 24)
        await play(pilot, link, 0.25)
        await pilot.press("q")
    assert app.return_code == 0


async def test_theme_and_language_change_at_once() -> None:
    link = WardLink(1, 20)
    async with running(link) as (app, pilot):
        await pilot.press("v", "l")
        await play(pilot, link, 0.5)
        assert app.theme == "colour-blind" and app.desk.palette.name == "colour-blind"
        assert "心拍数" in text(app) and "異常拍動" in text(app)
        await pilot.press("v", "l")
        await play(pilot, link, 0.5)
        assert app.theme == "phosphor" and "HEART RATE" in text(app)


async def test_the_command_palette_knows_every_action_and_bed() -> None:
    link = WardLink(3, 5)
    async with running(link) as (app, pilot):
        commands = {command.title: command.callback for command in app.get_system_commands(app.screen)}
        for title in ("central station", "review", "truth view", "freeze", "日本語", "Show bed bed-3"):
            assert title in commands
        await pilot.press("c")
        commands["Show bed bed-3"]()
        await play(pilot, link, 0.5)
        assert isinstance(app.view, BedsideView) and app.desk.bed == "bed-3"
        await pilot.press("ctrl+p")
        await pilot.pause(0.2)
        await pilot.press(*"central")
        await pilot.pause(0.5)
        await pilot.press("down")
        await pilot.press("enter")
        await play(pilot, link, 0.5)
        assert isinstance(app.view, CentralView)


async def test_the_screen_ends_with_the_service_and_says_why() -> None:
    link = WardLink(1, 5)
    async with running(link) as (app, pilot):
        link.closed = "the broker is gone \x1b[31m"
        await play(pilot, link, 0.5)
    assert app.return_code == 1
    assert app.problem == "The monitor's service has ended: the broker is gone ·[31m"


async def test_before_the_first_signal_it_says_what_it_waits_for() -> None:
    link = WardLink(1, 0)
    link.silent.add("bed-1")
    async with running(link) as (app, _):
        seen = text(app)
        assert "waiting for beds" in seen and "not for clinical use" in seen


async def test_a_lost_connection_stands_in_the_status_line() -> None:
    link = WardLink(1, 5)
    async with running(link) as (app, pilot):
        link.connected, link.problem = False, "broker 127.0.0.1:1883 does not answer"
        link.poke()
        await play(pilot, link, 0.5)
        assert "broker 127.0.0.1:1883 does not answer" in text(app)


async def test_names_carry_no_markup_and_no_escape_sequence() -> None:
    link = WardLink(1, 10, names=["[red]x[/red]\x1b[2J"])
    async with running(link) as (app, pilot):
        for keys in ((), ("c",), ("escape", "r")):
            await pilot.press(*keys)
            await play(pilot, link, 0.5)
            seen = text(app)
            assert "[red]x[/red]" in seen and "\x1b" not in seen
