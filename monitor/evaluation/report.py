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
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
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


def challenge(numbers: Mapping[str, Any], console: Console) -> None:
    """Print the Challenge 2015 score. numbers: as `challenge.evaluate` gives them."""
    table = _plain(
        f"Challenge 2015: {len(numbers['records'])} alarms",
        "alarm",
        "true, met",
        "false, repeated",
        "score %",
        "high/h before",
    )
    before = numbers["before"]
    for kind, row in numbers["kinds"].items():
        _verdicts(table, kind.replace("_", " "), row, f"{before['kinds'][kind]:.1f}", COLOURS["high"])
    _verdicts(table, "all", numbers["all"], f"{before['high_per_hour']:.1f}", "bold")
    _verdicts(table, "any high alarm instead", numbers["any_high"], "", "dim")
    console.print(table)


def _verdicts(table: Table, name: str, row: Mapping[str, Any], before: str, style: str) -> None:
    met, repeated = f"{row['met']}/{row['true']}", f"{row['repeated']}/{row['false']}"
    table.add_row(name, met, repeated, _percent(row["score"]), before, style=style)


def rhythms(numbers: Mapping[str, Any], console: Console) -> None:
    """Print scores against rhythm labels. numbers: as `rhythms.evaluate` gives them."""
    table = _plain(
        f"Rhythm labels: {len(numbers['records'])} records, {numbers['hours']:.1f} h; episodes of 5 s and more",
        *("alarm", "in 10 s", "as VT/VF", "any high", "delay s", "true", "+P %", "time Se %", "time +P %", "false in"),
    )
    for kind, row in numbers["kinds"].items():
        found = (
            f"{row[name]}/{row['episodes']}"
            for name in ("in_time", "in_time_as_vt_or_fibrillation", "in_time_any_high")
        )
        table.add_row(
            kind.replace("_", " "),
            *found,
            _seconds(row["delay_median_s"]),
            f"{row['true']}/{row['alarms']}",
            _percent(row["true"] / row["alarms"] if row["alarms"] else None),
            _percent(row["time_sensitivity"]),
            _percent(row["time_predictivity"]),
            ", ".join(f"{label or 'no label'} {count}" for label, count in row["false_in"].items()),
            style=COLOURS["high"],
        )
    console.print(table)
    table = _plain("High alarms under each label", "label", "spans", "minutes", "high alarms raised")
    for label, row in numbers["labels"].items():
        raised = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in row["high"].items())
        table.add_row(label, str(row["spans"]), f"{row['seconds'] / 60:.1f}", raised)
    console.print(table)
    unknown = [label for label, row in numbers["labels"].items() if not row["known"]]
    if unknown:
        console.print(f"Labels not known, so asked of no alarm: {', '.join(unknown)}\n")


def noise(numbers: Mapping[str, Any], console: Console) -> None:
    """Print the alarms raised in noise. numbers: as `noise.evaluate` gives them."""
    count = len(numbers["records"])
    table = _plain(f"Noise alone: {count} leads, {numbers['hours']:.1f} h", "alarm", "an hour")
    for kind, each in numbers["kinds"].items():
        table.add_row(kind.replace("_", " "), f"{each:.1f}", style=COLOURS[PRIORITY[kind]])
    console.print(table)
    console.print(
        f"High priority: {numbers['high_per_hour']:.1f} an hour; {numbers['beats_per_minute']:.0f} beats a minute found"
    )
    if numbers["left_out"]:
        console.print(f"Left out, for they have annotated beats: {', '.join(numbers['left_out'])}")


def _plain(title: str, *columns: str) -> Table:
    """A table whose first column is a name."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        last = column in ("false in", "high alarms raised")
        table.add_column(column, justify="left" if last or not number else "right", no_wrap=not last)
    return table
