"""Compiled kernels give what NumPy gives, bit for bit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.signal import compiled
from ecg.signal.path import Found, SignalPath

RATES = (360.0, 360.0, 257.5)
EXCERPT = sleepecg.get_toy_ecg()[0].astype(np.float32)
RNG = np.random.default_rng(0)


def lead(start: int, noise: float) -> np.ndarray:
    """24 s, with a jump, a silence and a burst of noise in them."""
    piece = EXCERPT[start : start + 8640].copy()
    piece += noise * RNG.standard_normal(len(piece)).astype(np.float32)
    piece[3000:3300] += 2
    piece[4000:5200] = piece[4000]
    piece[6000:6400] += RNG.standard_normal(400).astype(np.float32)
    return piece


PIECES = [lead(0, 0.0), lead(400, 0.1), lead(50_000, 0.02)]
FOLLOWS = np.array([1, 1, 2])
"""The first lead follows the second; the third is a bed of its own."""


pytestmark = pytest.mark.usefixtures("kernels_built")


def step(path: SignalPath, cuts: list[int]) -> list[Found]:
    """The pieces, cut at these samples."""
    slots = np.arange(3)
    edges = [0, *sorted(set(cuts)), len(PIECES[0])]
    return [path.step_leads(slots, [piece[begin:end] for piece in PIECES], FOLLOWS) for begin, end in pairwise(edges)]


def opened() -> SignalPath:
    path = SignalPath(4)
    path.reset(np.arange(3), np.array(RATES), np.array([0, 0, 77]))
    return path


def assert_same(one: list[Found], other: list[Found]) -> None:
    for mine, theirs in zip(one, other, strict=True):
        assert np.array_equal(mine.witnessed, theirs.witnessed)
        for field in fields(mine.beats):
            ours, expected = getattr(mine.beats, field.name), getattr(theirs.beats, field.name)
            assert ours.dtype == expected.dtype
            assert np.array_equal(ours, expected, equal_nan=True), field.name


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, 8639), min_size=2, max_size=12), turn=st.integers(0, 11))
def test_kernels_and_numpy_give_the_same_bits_and_may_take_turns(cuts: list[int], turn: int) -> None:
    quick = opened()
    found = step(quick, cuts)
    with compiled.only_numpy():
        plain = opened()
        expected = step(plain, cuts)
    assert sum(len(one.beats) for one in found) > 40
    assert_same(found, expected)
    for slot in range(plain.slots):
        remembered = quick.save(slot)
        for name, row in plain.save(slot).items():
            assert np.array_equal(remembered[name], row, equal_nan=True), name

    mixed, slots = opened(), np.arange(3)
    edges = [0, *sorted(set(cuts)), len(PIECES[0])]
    parts = []
    for number, (begin, end) in enumerate(pairwise(edges)):
        chunks = [piece[begin:end] for piece in PIECES]
        if number < turn:
            with compiled.only_numpy():
                parts.append(mixed.step_leads(slots, chunks, FOLLOWS))
        else:
            parts.append(mixed.step_leads(slots, chunks, FOLLOWS))
    assert_same(parts, expected)


@pytest.mark.parametrize("shape", [-1, 6, 10**6])
def test_a_memory_that_points_beyond_its_arrays_is_refused_before_compiled_code_follows_it(shape: int) -> None:
    path = opened()
    saved = path.save(0) | {"shape_last": np.array(shape)}
    with pytest.raises(ValueError, match="last beat has shape"):
        path.restore(1, saved)


def test_where_nothing_is_compiled_numpy_works_and_numba_is_not_even_imported(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from ecg.signal import compiled\n"
        "from ecg.signal.path import SignalPath\n"
        "path = SignalPath(1)\n"
        "path.step(np.array([0]), [np.zeros(3600, np.float32)])\n"
        "print(compiled.kernels(), 'numba' in sys.modules)"
    )
    environment = {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**environment, "PYTHONPATH": str(Path(compiled.__file__).parents[2])},
    )
    assert done.stdout.split() == ["None", "False"]


def test_kernels_belong_to_their_sources_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    here = compiled.folder()
    monkeypatch.setattr(compiled, "version", lambda name: "0")
    there = compiled.folder()
    assert here is not None
    assert there is not None
    assert here != there
    assert here.parent == there.parent
