"""`python -m trainer prepare`: cut the beats of all records once, into one cached file."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, track

from ecg.errors import UserError
from ecg.records import databases, library
from ecg.records.aami import CLASSES
from trainer.data import cache, rows
from trainer.data.cutting import SOURCES, TOGETHER, CutRecord, cut
from trainer.data.patients import DS1, Patients, patients
from trainer.data.streams import Cuts
from trainer.recipes import Recipe
from trainer.synthesis.versions import COARSE, donors_for, made_by, version, version_key, versions_path


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
    if chosen.kaggle:
        return rebuild(chosen.out or rows_folder(), Console())
    among = patients(["mitdb", *chosen.data])
    known = set(among.names)
    names = list(dict.fromkeys([*library.find(chosen.records), *patients(chosen.data).names]))
    target = chosen.out or cache.default_path()
    begin = time.perf_counter()
    console = Console()
    head, beats = prepare(names, target, console, among)
    console.print(
        f"{beats} beats of {len(head.names)} records at the annotated R-peaks, and as our detector finds them: "
        f"{target} ({_size(target)})",
        soft_wrap=True,
    )
    fitted = [name for name in names if name in known]
    if fitted:
        made = versions_path(target)
        prepare_versions(fitted, Recipe().versions, made, console, among)
        console.print(f"made-up versions of {len(fitted)} records: {made} ({_size(made)})", soft_wrap=True)
    console.print(f"{time.perf_counter() - begin:.0f} s")
    return 0


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def prepare(names: list[str], target: Path, console: Console, among: Patients = DS1) -> tuple[cache.Head, int]:
    """Cut the named records from both sources of R-peaks into `target`; what it holds, and its reference beats."""
    fetch(names, console, among)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bars:
        cuts: list[CutRecord] = []
        reading = bars.add_task("reading records", total=len(names))
        cutting = bars.add_task("cutting beats", total=None)
        for begin in range(0, len(names), TOGETHER):
            records = []
            for name in names[begin : begin + TOGETHER]:
                records.append(among.read(name))
                bars.advance(reading)
            if begin == 0:
                bars.update(cutting, total=sum(r.seconds for r in records) / len(records) * len(names) * 2)
            for source in SOURCES:
                cuts += cut(records, source, progress=lambda seconds: bars.advance(cutting, seconds))
        bars.update(cutting, description="writing")
        head = cache.save(target, cuts)
    return head, sum(len(c) for c in cuts if c.source == "reference")


def prepare_versions(names: list[str], count: int, target: Path, console: Console, among: Patients = DS1) -> None:
    """Make and cut `count` versions of each named record into `target`."""
    fetch(list(dict.fromkeys(one for name in names for one in among.beside(name))), console, among)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bars:
        records = [among.read(name) for name in names]
        donors = donors_for(names, among)
        making = bars.add_task("making versions", total=sum(record.seconds for record in records) * count)
        cuts: list[CutRecord] = []
        for number in range(count):
            source, _ = version_key("", number)
            made = [version(record, number, donors) for record in records]
            cuts += cut(made, source, progress=lambda seconds: bars.advance(making, seconds))
        cache.save(target, cuts, made_by(), COARSE)


def cuts_for(recipe: Recipe, beats: Path, names: list[str], console: Console) -> Cuts:
    """The beats of the named records from the file `beats`, and the versions of the recipe's patients.

    Versions that are not in the file beside it are made now.
    """
    among = patients(recipe.data)
    cuts = cache.load(beats, names)
    made = versions_path(beats)
    keys = [version_key(name, number) for name in among.names for number in range(recipe.versions)]
    try:
        found = set(cache.head_of(made, made_by()).names) if keys else set()
    except UserError:
        found = set()
    if not found.issuperset(name for _, name in keys):
        console.print(f"making versions of {len(among.names)} records first")
        prepare_versions(among.names, recipe.versions, made, console, among)
    for source in SOURCES:
        cuts |= cache.load(made, [name for of, name in keys if of == source], (source,), made_by()) if keys else {}
    return cuts


def rows_folder() -> Path:
    """Where the rebuilt Kaggle files are kept: the folder "kaggle" in the user's cache folder."""
    return cache.default_path().with_name("kaggle")


def rebuild(folder: Path, console: Console) -> int:
    """Make the like of Kaggle's two files from all 48 records."""
    names = library.find("all")
    fetch(names, console)
    begin = time.perf_counter()
    parts = [rows.rows_of(library.read(name)) for name in track(names, "cutting rows", console=console, transient=True)]
    for name, part in zip((rows.TRAIN_FILE, rows.TEST_FILE), rows.split(rows.join(parts)), strict=True):
        with console.status(f"writing {name}"):
            rows.write_csv(folder / name, part)
        counts = ", ".join(f"{c} {n}" for c, n in zip(CLASSES, part.counts, strict=True))
        console.print(f"{folder / name}: {len(part)} rows ({counts})", soft_wrap=True)
    console.print(f"{time.perf_counter() - begin:.0f} s")
    return 0


def fetch(names: list[str], console: Console, among: Patients = DS1) -> None:
    """Download those of the named records that are not on disk. Raises UserError without a network."""
    lacking = library.missing([name for name in names if ":" not in name])
    others = [(one, records) for one, records in among.missing(names) if one is not databases.MITDB]
    if not lacking and not others:
        return
    with Progress(
        TextColumn("downloading {task.description}"), BarColumn(), TimeRemainingColumn(), console=console
    ) as bars:
        task = bars.add_task("records from PhysioNet", total=None)

        def show(file: str, done: int, total: int) -> None:
            bars.update(task, description=file, completed=done, total=total)

        if lacking:
            library.download(lacking, show)
        for one, records in others:
            library.download(records, show, one.name, one.folder)


def ensure(path: Path | None, names: list[str], console: Console, among: Patients = DS1) -> Path:
    """The file of cut beats, cut now where it is missing or was cut by another version of the signal path."""
    target = path or cache.default_path()
    if path is None:
        try:
            if set(names) <= set(cache.head_of(target).names):
                return target
        except UserError:
            pass
        others = [name for name in names if ":" in name]
        console.print(f"cutting the beats of DS1, DS2{f' and {len(others)} other records' if others else ''} first")
        prepare([*library.find("ds1,ds2"), *others], target, console, among)
    return target
