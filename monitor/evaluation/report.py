"""The tables of `python -m monitor alarms`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from monitor.alarms.kinds import PRIORITY

COLOURS = {"high": "bold red", "medium": "yellow", "low": "cyan"}
TITLES = {"reference": "reference beats", "model": "the network's beats"}


def tables(numbers: Mapping[str, Mapping[str, Any]], weights: str | None, console: Console) -> None:
    """Print one table for each group of records and kind of beats.

    numbers: as `scoring.evaluate` gives them. weights: the network's name, None without one.
    """
    for group, scores in numbers.items():
        for beats, title in TITLES.items():
            if beats not in scores:
                continue
            name = f" ({weights})" if beats == "model" else ""
            count = len(scores["records"])
            heading = f"{group}: {title}{name}, {count} record{'s' if count != 1 else ''}, {scores['hours']:.1f} h"
            table = _table(heading, scores[beats])
            console.print(table if table.row_count else f"{heading}: no episode and no alarm")
            high = scores[beats]["high"]
            slowest = "-" if high["delay_longest_s"] is None else f"{high['delay_longest_s']:.1f} s"
            console.print(
                f"{_by_time(scores[beats])}High priority: {high['false']} false, {high['false_per_hour']:.2f} an hour; "
                f"slowest onset {slowest}\n"
            )


def _table(heading: str, scores: Mapping[str, Any]) -> Table:
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("alarm", no_wrap=True)
    for column in ("found", "Se %", "true", "+P %", "false/h", "delay s", "longest"):
        table.add_column(column, justify="right", no_wrap=True)
    for part in ("kinds", "labels"):
        for name, row in scores[part].items():
            kind = part == "kinds"
            if not (row["episodes"] or (row["alarms"] and kind)):
                continue
            table.add_row(
                name.replace("_", " ") if kind else f"rhythm {name}",
                f"{row['found']}/{row['episodes']}",
                _percent(row["sensitivity"]),
                f"{row['true']}/{row['alarms']}" if kind else "",
                _percent(row["predictivity"]) if kind else "",
                f"{row['false_per_hour']:.2f}" if kind else "",
                _seconds(row["delay_median_s"]),
                _seconds(row["delay_longest_s"]),
                style=COLOURS[PRIORITY.get(name, "medium")] if kind else "dim",
            )
        table.add_section()
    return table


def _by_time(scores: Mapping[str, Any]) -> str:
    """Of the alarms scored by time: share of the episodes' time in alarm, and of the alarms' time in an episode."""
    return "".join(
        f"By time, {kind.replace('_', ' ')}: Se {_percent(row['time_sensitivity'])} %, "
        f"+P {_percent(row['time_predictivity'])} %\n"
        for kind, row in scores["kinds"].items()
        if row["time_sensitivity"] is not None or row["time_predictivity"] is not None
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
