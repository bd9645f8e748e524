"""What a producer simulates in the place of a record is marked: above the bed, and over its beats on every strip."""

from __future__ import annotations

from monitor.link.protocol import MadeUp
from monitor.screen.state.history import BedHistory
from monitor.ward.history import MOST_MADE, History, Made
from monitor.ward.pieces import Block
from tests.support.driving import play, running, text
from tests.support.shown_ward import WardLink


def block(index: int, record: str) -> Block:
    return Block(index, bytes(180), [200.0], [0.0], 0, 0, [], record)


def test_a_bed_remembers_the_stretches_that_its_producer_made_up() -> None:
    history = History()
    for number, record in enumerate(["208", "SIMULATED vt: 208", "SIMULATED vt: 208", "SIMULATED vf: 208", "208"]):
        history.add(block(90 * number, record))
    assert list(history.made) == [Made(90, 270, "vt: 208"), Made(270, 360, "vf: 208")]
    history.trim(271)
    assert list(history.made) == [Made(270, 360, "vf: 208")]
    for number in range(2 * MOST_MADE):
        history.add(block(1000 + 180 * number, f"SIMULATED {number}: 208"))
    assert len(history.made) == MOST_MADE


def test_a_stretch_is_cut_to_what_is_looked_at() -> None:
    history = BedHistory(bed="b", made=[MadeUp(10, 20, "a"), MadeUp(20, 40, "b")])
    assert history.made_between(15, 30) == [MadeUp(15, 20, "a"), MadeUp(20, 30, "b")]
    assert history.made_between(40, 50) == []


async def test_the_strip_and_the_top_say_which_beats_are_no_patients() -> None:
    link = WardLink(1, 20.0)
    async with running(link) as (app, pilot):
        assert "SIMULATED" not in text(app)
        link.made = (22.0, 25.0, "vt")
        await play(pilot, link, 3.0)
        top, *strip = text(app).splitlines()
        assert "SIMULATED" in top and "vt: 208" in top
        (lane,) = [row for row in strip if "SIMULATED vt ╌" in row]
        assert any(letter in lane for letter in "NSVF")
        await play(pilot, link, 2.5)
        top, *strip = text(app).splitlines()
        assert "SIMULATED" not in top and any("SIMULATED vt ╌" in row for row in strip)
        await pilot.press("r")
        await play(pilot, link, 0.5)
        assert any("SIMULATED vt ╌" in row for row in text(app).splitlines())
