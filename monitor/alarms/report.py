"""The tables of `python -m monitor alarms`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
            console.print(_table(heading, scores[beats]))
            high = scores[beats]["high"]
            slowest = high["delay_longest_s"]
            console.print(
                f"High priority: {high['false']} false, {high['false_per_hour']:.2f} an hour; slowest onset "
                f"{'-' if slowest is None else f'{slowest:.1f} s'}\n"
            )


def _table(heading: str, scores: Mapping[str, Any]) -> Table:
    table = Table(title=heading, title_justify="left")
    table.add_column("alarm")
    for column in ("episodes", "found", "Se %", "alarms", "+P %", "false/h", "delay s", "longest s"):
        table.add_column(column, justify="right")
    table.add_column("time Se/+P %", justify="right")
    for part in ("kinds", "labels"):
        for name, row in scores[part].items():
            if not (row["episodes"] or (row["alarms"] and part == "kinds")):
                continue
            style = COLOURS[PRIORITY.get(name, "medium")] if part == "kinds" else "dim"
            timed = row["time_sensitivity"] is not None or row["time_predictivity"] is not None
            table.add_row(
                name.replace("_", " ") if part == "kinds" else f"rhythm {name}",
                str(row["episodes"]),
                str(row["found"]),
                _percent(row["sensitivity"]),
                str(row["alarms"]) if part == "kinds" else "",
                _percent(row["predictivity"]) if part == "kinds" else "",
                f"{row['false_per_hour']:.2f}" if part == "kinds" else "",
                _seconds(row["delay_median_s"]),
                _seconds(row["delay_longest_s"]),
                f"{_percent(row['time_sensitivity'])} / {_percent(row['time_predictivity'])}" if timed else "",
                style=style,
            )
        table.add_section()
    return table


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
