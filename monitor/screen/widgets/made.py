"""What stands over beats that are simulated in the place of a record's."""

from __future__ import annotations

from math import floor

from monitor.link.protocol import MadeUp
from monitor.screen.draw.panels import SIMULATED
from monitor.screen.draw.plaintext import clean
from monitor.screen.draw.sweep import SweepPage
from monitor.screen.state.history import BedHistory

MADE_SIGN = "╌"
"""Over beats that are simulated in the place of a record's."""
NAME_CELLS = 24
"""Longest name of a rhythm."""


def made_up(history: BedHistory, page: SweepPage, since: int, until: int) -> dict[int, str]:
    """Signs of the cells over what is simulated in a record's place: its name where it begins, then a line."""
    per_dot = history.rate / page.paper.dots_per_second
    signs: dict[int, str] = {}
    for made in history.made_between(since, until):
        dots = [dot for dot in range(floor(made.begin / per_dot), floor(made.end / per_dot) + 1) if page.shows(dot)]
        signs |= badge(made, list(dict.fromkeys(page.cell_of(dot) for dot in dots)))
    return signs


def badge(made: MadeUp, cells: list[int]) -> dict[int, str]:
    """A sign for each of these cells: what is shown in place of the record, then a line."""
    name = f"{SIMULATED}{clean(made.what.partition(':')[0], NAME_CELLS)} "
    return dict(zip(cells, name + MADE_SIGN * max(len(cells) - len(name), 0), strict=False))
