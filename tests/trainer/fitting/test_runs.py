"""A run knows which code made it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from trainer.fitting import runs


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ecg/signal/path.py", "trainer/recipes.py", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    return tmp_path


def test_the_root_holds_the_packages_whose_code_decides_a_fit() -> None:
    assert (runs.ROOT / "ecg" / "signal" / "path.py").exists()
    assert Path(runs.__file__).is_relative_to(runs.ROOT / "trainer")


def test_an_unchanged_tree_is_named_by_its_commit(repository: Path) -> None:
    (repository / "README.md").write_text("2\n")
    assert runs.commit() == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["ecg/signal/path.py", "trainer/recipes.py"])
def test_a_changed_tree_is_dirty(repository: Path, name: str) -> None:
    (repository / name).write_text("2\n")
    assert runs.commit() == git(repository, "rev-parse", "HEAD") + "-dirty"


def test_outside_a_repository_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert runs.commit() == ""
