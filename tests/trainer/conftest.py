from __future__ import annotations

from pathlib import Path

import pytest

from ecg.records.aami import DS1
from ecg.records.record import Record
from tests.support.annotated_pieces import annotated
from trainer.data import cache
from trainer.data.cutting import CutRecord, cut
from trainer.data.streams import Cuts
from trainer.data.versions import COARSE, made_by, version_key, versions_path
from trainer.recipes import Recipe
from trainer.synthesis.versions import version


@pytest.fixture(scope="session")
def pieces() -> list[Record]:
    return [annotated("one", 0), annotated("two", 60), annotated("three", 150, 55)]


@pytest.fixture(scope="session")
def cuts(pieces: list[Record]) -> Cuts:
    found: list[CutRecord] = cut(pieces, "reference") + cut(pieces, "detector")
    return {(one.source, one.name): one for one in found}


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of cut beats in which pieces of the excerpt stand for the records of DS1, their versions beside it."""
    named = [annotated(name, 11.0 * i) for i, name in enumerate(DS1)]
    path = tmp_path_factory.mktemp("beats") / "beats.npz"
    cache.save(path, cut(named, "reference") + cut(named, "detector"))
    made: list[CutRecord] = []
    for number in range(Recipe().versions):
        source, _ = version_key("", number)
        made += cut([version(record, number) for record in named], source)
    cache.save(versions_path(path), made, made_by(), COARSE)
    return path
