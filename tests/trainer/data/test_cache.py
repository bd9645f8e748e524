from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg.errors import UserError
from trainer.data import behaviour, cache
from trainer.data.streams import Cuts


def test_what_was_saved_comes_back_within_half_a_step(cuts: Cuts, tmp_path: Path) -> None:
    path = tmp_path / "beats.npz"
    cache.save(path, list(cuts.values()))
    back = cache.load(path, ["one", "two", "three"])
    assert back.keys() == cuts.keys()
    for key, was in cuts.items():
        now = back[key]
        assert np.abs(now.windows - was.windows).max() <= 0.5 / cache.STEP + 1e-6
        assert np.allclose(now.features, was.features, rtol=1e-3, atol=1e-3)
        for name in ("index", "classes"):
            assert np.array_equal(getattr(now, name), getattr(was, name))
        assert np.array_equal(now.reference.index, was.reference.index)
        assert np.array_equal(now.reference.flutter, was.reference.flutter)
        assert now.reference.rate == was.reference.rate


def test_the_file_is_a_good_deal_smaller_than_float16(cuts: Cuts, tmp_path: Path) -> None:
    path = tmp_path / "beats.npz"
    cache.save(path, list(cuts.values()))
    assert path.stat().st_size < 0.75 * sum(cut.windows.size * 2 for cut in cuts.values())


def test_the_data_hash_changes_with_a_label_and_not_with_the_order_of_names(cuts: Cuts, tmp_path: Path) -> None:
    head = cache.save(tmp_path / "a.npz", list(cuts.values()))
    assert head.data_hash(["one", "two"]) == head.data_hash(["two", "one"])
    changed = cuts["reference", "one"].classes.copy()
    changed[0] = (changed[0] + 1) % 5
    cut = cuts["reference", "one"]
    others = [c for key, c in cuts.items() if key != ("reference", "one")]
    again = cache.save(
        tmp_path / "b.npz",
        [replace(cut, classes=changed), *others],
    )
    assert again.data_hash(["one"]) != head.data_hash(["one"])
    assert again.data_hash(["two"]) == head.data_hash(["two"])


def test_beats_cut_by_another_signal_path_are_refused(
    cuts: Cuts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "beats.npz"
    cache.save(path, list(cuts.values()))
    monkeypatch.setattr(behaviour, "cutting", lambda: "another")
    with pytest.raises(UserError, match="another version of the signal path"):
        cache.load(path, ["one"])


def test_a_file_that_is_not_there_or_not_ours_or_damaged_is_refused(cuts: Cuts, tmp_path: Path) -> None:
    path = tmp_path / "beats.npz"
    with pytest.raises(UserError, match="prepare` first"):
        cache.load(path, ["one"])
    path.write_bytes(b"not an archive")
    with pytest.raises(UserError, match="not a file of cut beats"):
        cache.load(path, ["one"])
    cache.save(path, list(cuts.values()))
    content = bytearray(path.read_bytes())
    content[1000:1100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"damaged|not a file of cut beats"):
        cache.load(path, ["one", "two", "three"])


def test_a_record_that_the_file_lacks_is_named(cuts: Cuts, tmp_path: Path) -> None:
    path = tmp_path / "beats.npz"
    cache.save(path, list(cuts.values()))
    with pytest.raises(UserError, match="lacks record 999"):
        cache.load(path, ["one", "999"])
