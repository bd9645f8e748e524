"""`python -m monitor alarms`: records played through the ward, and its alarms scored.

RECORDS are scored against annotated beats (scoring.py); the other three score folders of WFDB records without any:
--challenge2015 against experts' verdicts, --rhythms against rhythm labels, --noise against nothing at all.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import Progress

from ecg import programs
from ecg import settings as config
from ecg.errors import UserError
from ecg.model.device import device_name
from ecg.model.doubt import NONE as NO_DOUBT
from ecg.model.weights import load
from ecg.records import library
from ecg.records.record import Record
from monitor.evaluation import challenge, noise, report, rhythms, scoring, simulated, spread, strips, verdicts
from monitor.evaluation.replay import Heard, narrowed

FOLDERS: Final = {
    "challenge2015": (
        "ECG_CHALLENGE2015",
        "score as the PhysioNet Challenge 2015: a folder with ALARMS and its records",
    ),
    "rhythms": ("ECG_VFDB", "score against rhythm labels such as (VFL, (VT, (ASYS: a folder of records as in VFDB"),
    "noise": ("ECG_NSTDB", "count alarms in records without a heart: a folder such as NSTDB's"),
}
"""Options that name a folder of records: the variable that names it where the option does not, and what it is for."""

STRIPS: Final = 3
"""Strips drawn of each outcome."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m monitor alarms", description="Alarms scored: records played through the ward."
    )
    made.add_argument("records", nargs="?", help='"all", "ds1", "ds2", "simulated", or names: annotated beats')
    made.add_argument("--data", type=Path, metavar="DIR", help="folder of the WFDB records (default: $ECG_DATA)")
    for name, (variable, text) in FOLDERS.items():
        made.add_argument(f"--{name}", nargs="?", const="", metavar="DIR", help=f"{text} (default: ${variable})")
    made.add_argument("--strips", type=Path, metavar="DIR", help="draw single alarms into DIR, right and wrong (SVG)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write every number to FILE")
    made.add_argument("--config", type=Path, metavar="FILE", help="settings (default: config.toml)")
    made.add_argument("--profile", default="", metavar="NAME", help="profile of the limits (default: the settings')")
    made.add_argument(
        "--leads", type=programs.whole("--leads", 1, 2), default=2, help="ECG leads that are heard (default: 2)"
    )
    made.add_argument("--no-pulse", action="store_true", help="the pulse channels are not heard")
    made.add_argument("--weights", metavar="NAME", help="weights in place of those of the settings")
    made.add_argument("--reference-only", action="store_true", help="no network: score the rules alone")
    return made


def run(arguments: list[str]) -> int:
    """Returns the exit status; raises UserError for what a user can put right."""
    given = parser().parse_args(arguments)
    folders = {name: _folder(name, getattr(given, name)) for name in FOLDERS if getattr(given, name) is not None}
    if given.records is None and not folders:
        raise UserError("nothing to score: give records such as all, or " + ", ".join(f"--{name}" for name in FOLDERS))
    if given.reference_only and (folders or given.records is None):
        raise UserError("--reference-only scores annotated beats, which --" + next(iter(folders)) + " has none of")
    if given.strips and (given.reference_only or (given.records is None and "challenge2015" not in folders)):
        raise UserError("--strips draws what the network's alarms make of RECORDS or --challenge2015: give one of them")
    settings = config.load(given.config, profile=given.profile)
    fitted, card = (None, None) if given.reference_only else load(given.weights or settings.model.weights)
    name = card.name if card else None

    def heard(records: Sequence[Record]) -> list[Heard]:
        assert fitted is not None
        device = device_name(settings.model.device)
        records = [narrowed(record, given.leads, not given.no_pulse, settings.monitor.lead) for record in records]
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task(f"listening to {len(records)} records", total=1.0)
            return spread.listen(
                records,
                settings,
                fitted,
                device,
                lambda share: progress.update(task, completed=share),
                card.doubt if card else NO_DOUBT,
            )

    console = Console()
    found: list[verdicts.Verdict] = []
    heard_of = {"leads": given.leads, "pulse": not given.no_pulse}
    whole: dict[str, Any] = {"weights": name, "settings": settings.alarms, "heard": heard_of}
    if given.records is not None:
        records = _records(given.records, given.data)
        played = heard(records) if fitted else None
        whole["groups"] = scoring.evaluate(records, settings, played)
        report.tables(whole["groups"], name, console)
        if played is not None:
            found += verdicts.of_beats(records, played, settings.alarms)
    if "challenge2015" in folders:
        alarms, records = challenge.read(folders["challenge2015"])
        played = heard(records)
        whole["challenge2015"] = challenge.evaluate(alarms, records, played)
        found += verdicts.of_challenge(alarms, records, played)
        report.challenge(whole["challenge2015"], console)
    if "rhythms" in folders:
        records = rhythms.read(folders["rhythms"])
        whole["rhythms"] = rhythms.evaluate(records, heard(records))
        report.rhythms(whole["rhythms"], console)
    if "noise" in folders:
        records, with_beats = noise.read(folders["noise"])
        whole["noise"] = noise.evaluate(records, heard(records)) | {"left_out": with_beats}
        report.noise(whole["noise"], console)
    if given.strips:
        for path in strips.save(verdicts.chosen(found, STRIPS), given.strips):
            console.print(str(path), highlight=False, soft_wrap=True)
    if given.json:
        try:
            given.json.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
        except OSError as error:
            raise UserError(f"cannot write {given.json}: {error.strerror}") from None
    return 0


def _records(names: str, folder: Path | None) -> list[Record]:
    """Records with annotated beats."""
    if names == simulated.NAME:
        return simulated.records()
    return [library.read(name, folder) for name in library.find(names, folder)]


def _folder(name: str, given: str) -> Path:
    """The folder an option means. Raises UserError."""
    variable = FOLDERS[name][0]
    place = given or os.environ.get(variable)
    if not place:
        raise UserError(f"--{name} names no folder: give one, or set ${variable}")
    folder = Path(place).expanduser()
    if not folder.is_dir():
        raise UserError(f"--{name} {folder} is no folder")
    return folder
