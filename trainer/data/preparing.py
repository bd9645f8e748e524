"""Data on disk for a fit: records, cut beats, their versions, rows. Missing data is made or downloaded here."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import track

from ecg.errors import UserError
from ecg.records import aami, databases, library
from ecg.records.patients import DS1, Patients, patients
from ecg.records.record import Record
from trainer.data import cache, rows
from trainer.data.cutting import SOURCES, TOGETHER, CutRecord, cut, cut_both
from trainer.data.leads import as_other, other_key
from trainer.data.noise import cut_noise, first_half
from trainer.data.rows import TEST_FILE, TRAIN_FILE, Rows
from trainer.data.streams import Cuts
from trainer.data.versions import COARSE, made_by, version_key, versions_path
from trainer.progress import bars
from trainer.recipes import Recipe
from trainer.synthesis.versions import donors_for, version


def fetch(names: list[str], console: Console, among: Patients = DS1) -> None:
    """Download the named records that are not on disk. Raises UserError without a network."""
    lacking = library.missing([name for name in names if ":" not in name])
    others = [(one, records) for one, records in among.missing(names) if one is not databases.MITDB]
    if not lacking and not others:
        return
    with bars(console, text="downloading {task.description}", stay=True) as shown:
        task = shown.add_task("records from PhysioNet", total=None)

        def show(file: str, done: int, total: int) -> None:
            shown.update(task, description=file, completed=done, total=total)

        if lacking:
            library.download(lacking, show)
        for one, records in others:
            library.download(records, show, one.name, one.folder)


def cut_beats(names: list[str], target: Path, console: Console, among: Patients = DS1) -> tuple[cache.Head, int]:
    """Cut the named records from both sources of R-peaks into `target`; its head, and its number of reference beats."""
    fetch(names, console, among)
    with bars(console) as shown:
        cuts: list[CutRecord] = []
        fitted = set(among.names)
        reading = shown.add_task("reading records", total=len(names))
        cutting = shown.add_task("cutting beats", total=None)
        for begin in range(0, len(names), TOGETHER):
            records = []
            for name in names[begin : begin + TOGETHER]:
                records.append(among.read(name))
                shown.advance(reading)
            if begin == 0:
                shown.update(cutting, total=sum(r.seconds for r in records) / len(records) * len(names) * 2)
            cuts += cut(records, "reference", progress=lambda seconds: shown.advance(cutting, seconds))
            both = cut_both(records, progress=lambda seconds: shown.advance(cutting, seconds))
            cuts += [first for first, _ in both]
            cuts += [as_other(second) for _, second in both if second is not None and second.name in fitted]
        shown.update(cutting, description="writing")
        head = cache.save(target, cuts)
    return head, sum(len(c) for c in cuts if c.source == "reference")


def cut_versions(counts: dict[str, int], target: Path, console: Console, among: Patients = DS1) -> None:
    """Make and cut so many versions of each named record into `target`."""
    names = list(counts)
    fetch(list(dict.fromkeys(one for name in names for one in among.beside(name))), console, among)
    with bars(console) as shown:
        records = [among.read(name) for name in names]
        donors = donors_for(names, among)
        total = sum(record.seconds * counts[name] for name, record in zip(names, records, strict=True))
        making = shown.add_task("making versions", total=total)
        cuts: list[CutRecord] = []
        for number in range(max(counts.values())):
            source, _ = version_key("", number)
            wanted = [record for name, record in zip(names, records, strict=True) if number < counts[name]]
            made = [version(record, number, donors) for record in wanted]
            cuts += cut(made, source, progress=lambda seconds: shown.advance(making, seconds))
        cache.save(target, cuts, made_by(), COARSE)


def beats_file(path: Path | None, names: list[str], console: Console, among: Patients = DS1) -> Path:
    """The file of cut beats: `path`, or the default one, cut now if it is missing or another signal path cut it."""
    target = path or cache.default_path()
    if path is None:
        try:
            if set(names) <= set(cache.head_of(target).names):
                return target
        except UserError:
            pass
        others = [name for name in names if ":" in name]
        console.print(f"cutting the beats of DS1, DS2{f' and {len(others)} other records' if others else ''} first")
        cut_beats([*library.find("ds1,ds2"), *others], target, console, among)
    return target


def cuts_for(recipe: Recipe, beats: Path, names: list[str], console: Console) -> Cuts:
    """The beats of the named records from the file `beats`, and the recipe's versions of its patients.

    Versions that the file beside it lacks are made now.
    """
    among = patients(recipe.data)
    cuts = cache.load(beats, names)
    if recipe.other_lead:
        there = set(cache.head_of(beats).names)
        cuts |= cache.load(beats, [key for name in names if (key := other_key(name)) in there], ("detector",))
    made = versions_path(beats)
    keys = [
        version_key(name, number)
        for name in among.names
        if recipe.has_versions(name)
        for number in range(recipe.versions)
    ]
    try:
        found = set(cache.head_of(made, made_by()).names) if keys else set()
    except UserError:
        found = set()
    if not found.issuperset(name for _, name in keys):
        wanted = [name for name in among.names if recipe.has_versions(name)]
        console.print(f"making versions of {len(wanted)} records first")
        cut_versions(dict.fromkeys(wanted, recipe.versions), made, console, among)
    cuts |= cut_noise([first_half(record) for record in noise_records(recipe, console)])
    for source in SOURCES:
        cuts |= cache.load(made, [name for of, name in keys if of == source], (source,), made_by()) if keys else {}
    return cuts


def noise_records(recipe: Recipe, console: Console) -> list[Record]:
    """The recipe's records of noise alone, downloaded if they are missing."""
    if not (recipe.noise_records and recipe.noise_share):
        return []
    one = databases.NSTDB
    here = set(library.available(one.folder))
    lacking = [name for name in recipe.noise_records if name not in here]
    if lacking:
        with console.status("downloading noise from PhysioNet"):
            library.download(lacking, lambda *_: None, one.name, one.folder)
    return [library.read(name, one.folder) for name in recipe.noise_records]


def rows_folder() -> Path:
    """The folder of the rebuilt Kaggle files: "kaggle" in the user's cache folder."""
    return cache.default_path().with_name("kaggle")


def rebuild_rows(folder: Path, console: Console) -> dict[Path, Rows]:
    """Make the like of Kaggle's two files from all 48 records; the rows of each file."""
    names = list(aami.ALL)
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
