"""Data on disk for a fit: records, cut beats, their versions, rows. Missing data is made or downloaded here."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import track

from ecg.errors import UserError
from ecg.records import aami, library
from trainer.data import cache, rows
from trainer.data.cutting import SOURCES, TOGETHER, CutRecord, cut
from trainer.data.rows import TEST_FILE, TRAIN_FILE, Rows
from trainer.data.streams import Cuts
from trainer.data.versions import COARSE, made_by, version_key, versions_path
from trainer.progress import bars
from trainer.recipes import FOLDS, Recipe
from trainer.synthesis.versions import donors_for, version


def fetch(names: list[str], console: Console) -> None:
    """Download the named records that are not on disk. Raises UserError without a network."""
    lacking = library.missing(names)
    if not lacking:
        return
    with bars(console, text="downloading {task.description}", stay=True) as shown:
        task = shown.add_task("records from PhysioNet", total=None)

        def show(file: str, done: int, total: int) -> None:
            shown.update(task, description=file, completed=done, total=total)

        library.download(lacking, show)


def cut_beats(names: list[str], target: Path, console: Console) -> tuple[cache.Head, int]:
    """Cut the named records from both sources of R-peaks into `target`; its head, and its number of reference beats."""
    fetch(names, console)
    with bars(console) as shown:
        cuts: list[CutRecord] = []
        reading = shown.add_task("reading records", total=len(names))
        cutting = shown.add_task("cutting beats", total=None)
        for begin in range(0, len(names), TOGETHER):
            records = []
            for name in names[begin : begin + TOGETHER]:
                records.append(library.read(name))
                shown.advance(reading)
            if begin == 0:
                shown.update(cutting, total=sum(r.seconds for r in records) / len(records) * len(names) * 2)
            for source in SOURCES:
                cuts += cut(records, source, progress=lambda seconds: shown.advance(cutting, seconds))
        shown.update(cutting, description="writing")
        head = cache.save(target, cuts)
    return head, sum(len(c) for c in cuts if c.source == "reference")


def cut_versions(names: list[str], count: int, target: Path, console: Console) -> None:
    """Make and cut `count` versions of each named record into `target`."""
    fetch([name for fold in FOLDS if set(fold) & set(names) for name in fold], console)
    with bars(console) as shown:
        records = [library.read(name) for name in names]
        donors = donors_for(names)
        making = shown.add_task("making versions", total=sum(record.seconds for record in records) * count)
        cuts: list[CutRecord] = []
        for number in range(count):
            source, _ = version_key("", number)
            made = [version(record, number, donors) for record in records]
            cuts += cut(made, source, progress=lambda seconds: shown.advance(making, seconds))
        cache.save(target, cuts, made_by(), COARSE)


def beats_file(path: Path | None, names: list[str], console: Console) -> Path:
    """The file of cut beats: `path`, or the default one, cut now if it is missing or another signal path cut it."""
    target = path or cache.default_path()
    if path is None:
        try:
            if set(names) <= set(cache.head_of(target).names):
                return target
        except UserError:
            pass
        console.print("cutting the beats of DS1 and DS2 first")
        cut_beats(library.find("ds1,ds2"), target, console)
    return target


def cuts_for(recipe: Recipe, beats: Path, names: list[str], console: Console) -> Cuts:
    """The beats of the named records from the file `beats`, and the recipe's versions of DS1.

    Versions that the file beside it lacks are made now.
    """
    cuts = cache.load(beats, names)
    made = versions_path(beats)
    keys = [version_key(name, number) for name in aami.DS1 for number in range(recipe.versions)]
    try:
        found = set(cache.head_of(made, made_by()).names) if keys else set()
    except UserError:
        found = set()
    if not found.issuperset(name for _, name in keys):
        console.print("making versions of the records of DS1 first")
        cut_versions(list(aami.DS1), recipe.versions, made, console)
    for source in SOURCES:
        cuts |= cache.load(made, [name for of, name in keys if of == source], (source,), made_by()) if keys else {}
    return cuts


def rows_folder() -> Path:
    """The folder of the rebuilt Kaggle files: "kaggle" in the user's cache folder."""
    return cache.default_path().with_name("kaggle")


def rebuild_rows(folder: Path, console: Console) -> dict[Path, Rows]:
    """Make the like of Kaggle's two files from all 48 records; the rows of each file."""
    names = library.find("all")
    fetch(names, console)
    parts = [rows.rows_of(library.read(name)) for name in track(names, "cutting rows", console=console, transient=True)]
    made = dict(zip((folder / TRAIN_FILE, folder / TEST_FILE), rows.split(rows.join(parts)), strict=True))
    for path, part in made.items():
        with console.status(f"writing {path.name}"):
            rows.write_csv(path, part)
    return made


def rows_files(given: Path | None, console: Console) -> Path:
    """The folder of the row files: `given`, or the default one, rebuilt now if a file is missing."""
    folder = given or rows_folder()
    if given is None and not all((folder / name).exists() for name in (TRAIN_FILE, TEST_FILE)):
        console.print("rebuilding Kaggle's files from the records first")
        rebuild_rows(folder, console)
    return folder
