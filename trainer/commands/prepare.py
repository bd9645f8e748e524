"""`python -m trainer prepare`: cut the beats of all records once, into one cached file."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console

from ecg.records import library
from ecg.records.aami import CLASSES
from ecg.records.patients import DS1, Patients, patients
from trainer.data import cache
from trainer.data.leads import MARK
from trainer.data.preparing import cut_beats, cut_versions, rebuild_rows, rows_folder
from trainer.data.versions import versions_path
from trainer.recipes import RECIPES, Recipe


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--records", default="ds1,ds2", help="records to cut (default: ds1,ds2)")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="NAME|DIR",
        help="cut another annotated database too, by name (svdb) or folder: WFDB records of your own, each with its "
        ".hea, .dat and .atr, at 100 Hz or more; each record counts as another patient. May be given several times",
    )
    parser.add_argument("--out", type=Path, help="file to write (default: beats.npz in the user's cache folder)")
    parser.add_argument(
        "--kaggle",
        action="store_true",
        help="rebuild mitbih_train.csv and mitbih_test.csv from all 48 records instead (--out: their folder)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Cut and write."""
    console = Console()
    begin = time.perf_counter()
    if chosen.kaggle:
        for path, rows in rebuild_rows(chosen.out or rows_folder(), console).items():
            counts = ", ".join(f"{c} {n}" for c, n in zip(CLASSES, rows.counts, strict=True))
            console.print(f"{path}: {len(rows)} rows ({counts})", soft_wrap=True)
    else:
        others = patients(chosen.data)
        names = list(dict.fromkeys([*library.find(chosen.records), *others.names]))
        among = patients(["mitdb", *chosen.data])
        _cut(names, among, chosen.out or cache.default_path(), console)
    console.print(f"{time.perf_counter() - begin:.0f} s")
    return 0


def _cut(names: list[str], among: Patients, target: Path, console: Console) -> None:
    """Cut the beats of the named records, and the versions that the recipes want of those that may be fitted on."""
    head, beats = cut_beats(names, target, console, among)
    records = sum(not name.endswith(MARK) for name in head.names)
    console.print(
        f"{beats} beats of {records} records at the annotated R-peaks, and as our detector finds them: "
        f"{target} ({_size(target)})",
        soft_wrap=True,
    )
    counts = {name: Recipe().versions if name in DS1.names else RECIPES["patients"].versions for name in names}
    known = {name: count for name, count in counts.items() if name in among.names}
    if known:
        made = versions_path(target)
        cut_versions(known, made, console, among)
        console.print(f"made-up versions of {len(known)} records: {made} ({_size(made)})", soft_wrap=True)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
