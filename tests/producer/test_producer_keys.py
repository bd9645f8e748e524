"""Keys of the producer's display."""

from __future__ import annotations

import asyncio
import os
import pty
import sys

import pytest
from rich.console import Console

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from producer import keys as module
from producer.connection import Connection
from producer.control import Control
from producer.display import table
from producer.keys import WORDS, Keys, listening
from producer.schedule import Progress, lanes_of
from producer.sources.base import Bed
from producer.sources.records import make_beds
from producer.sources.simulated import make_simulated
from tests.support.beds import small

FOUND = Broker("h", 1, "external")


@pytest.fixture
def keys() -> Keys:
    """One simulated bed and one of a record; nothing is sent."""
    simulated = make_simulated(
        "sim", beds=0, seed=1, lead="II", rate=None, chunk_seconds=0.25, run="r", loop=False, truth=True
    )
    beds: list[Bed] = [*simulated, *make_beds([small()], 0, "all", 0.25, "r", False, True)]
    lanes = lanes_of([Connection(MqttSettings(), FOUND, beds, 1.0, "p")], 1.0, 0.25)
    return Keys(Control(MqttSettings(), FOUND, lanes, "c"), lanes)


def shown(keys: Keys) -> str:
    """The producer's table as text."""
    console = Console(width=160, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(table([keys.lanes[0].link], FOUND, 1.0, Progress(), keys))
    return console.export_text()


def test_every_key_is_a_command_that_is_understood(keys: Keys) -> None:
    for key in WORDS:
        keys.press(key)
        assert "refused" not in keys.said or key == ">", keys.said
    keys.press("?")
    assert keys.lane.bed.name == "stable-sinus"


def test_keys_choose_a_bed_and_what_it_cannot_do_is_said(keys: Keys) -> None:
    keys.press("j")
    keys.press("3")
    assert keys.said.startswith("t1: vt, refused: record t1 ends before vt could be seen")
    keys.press("k")
    keys.press("3")
    assert keys.said == "stable-sinus: vt, from sample 0"


def test_the_table_shows_a_paused_and_a_frozen_bed(keys: Keys) -> None:
    assert "paused" not in shown(keys)
    keys.press(" ")
    assert "paused" in shown(keys) and "space pause" in shown(keys)
    keys.press(" ")
    keys.press("z")
    assert "frozen" in shown(keys)
    keys.press("z")
    assert "frozen" not in shown(keys)


async def test_keys_of_a_terminal_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, child = pty.openpty()
    heard: list[str] = []
    with os.fdopen(child, closefd=True) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        there = asyncio.Event()

        def press(key: str) -> None:
            heard.append(key)
            there.set()

        with listening(press):
            os.write(parent, b"3")
            await asyncio.wait_for(there.wait(), 10)
    os.close(parent)
    assert heard == ["3"] and module.WORDS["3"] == ("vt",)
