"""Beats for truncated back-propagation: records side by side, a piece of each at every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg.records.databases import MITDB, NSTDB, database_of
from ecg.signal.features import columns
from ecg.signal.windows import WINDOW, WINDOW_BEFORE
from trainer.data.cutting import CutRecord, Source
from trainer.data.leads import other_key
from trainer.data.versions import version_key
from trainer.recipes import RR_FEATURES, Recipe

Cuts = dict[tuple[Source, str], CutRecord]


@dataclass(slots=True)
class Piece:
    """One step's input. B streams, T beats.

    windows: float32 [B, T, channels, window]. features: float32 [B, T, features]. classes: int64 [B, T], -1 for a
    beat without a reference. rhythms: int64 [B, T], likewise. fresh: bool [B], streams that start here with an empty
    memory.
    """

    windows: NDArray[np.float32]
    features: NDArray[np.float32]
    classes: NDArray[np.int64]
    rhythms: NDArray[np.int64]
    fresh: NDArray[np.bool_]


@dataclass(slots=True)
class _Stream:
    cut: CutRecord
    at: int
    change: NDArray[np.float32] | None
    """The matrix by which its windows are multiplied: float32 [window, window]; None: they are left as they are."""


def pieces(
    cuts: Cuts, names: list[str], recipe: Recipe, rng: np.random.Generator, *, read: bool = False
) -> Iterator[Piece]:
    """Endless steps, augmented. Begins with streams at random places of the records in `names`, in turn.

    read: the windows are those of a kept reader's outputs (trainer.fitting.memory) and are left as they are.

    A stream that runs out of beats is followed by another record from its beginning. The records of DS1 and the others
    are in turn each among themselves, and take their shares of the streams.
    """
    known = [name for name in names if database_of(name) == MITDB.name]
    others = [name for name in names if database_of(name) != MITDB.name]
    first = round(recipe.streams * recipe.ds1_share) if known and others else recipe.streams * bool(known)
    begin = [known[i % len(known)] for i in range(first)]
    begin += [others[i % len(others)] for i in range(recipe.streams - first)]
    streams = [_begin(cuts, name, recipe, rng, True, read) for name in begin]
    fresh = np.ones(recipe.streams, bool)
    count = recipe.beats
    while True:
        for i, stream in enumerate(streams):
            if stream.at > 0 and stream.at + count > len(stream.cut):
                streams[i] = _begin(cuts, _next(known, others, recipe, rng), recipe, rng, False, read)
                fresh[i] = True
        piece = _gather(streams, count, fresh)
        if not read:
            augment(piece, recipe, rng)
        yield piece
        fresh = np.zeros(recipe.streams, bool)
        for stream in streams:
            stream.at += count


def noise_of(cuts: Cuts) -> list[str]:
    """Names of the noise among cut beats (trainer.data.noise)."""
    return sorted(name for _, name in cuts if database_of(name) == NSTDB.name)


def _next(known: list[str], others: list[str], recipe: Recipe, rng: np.random.Generator) -> str:
    """A record of DS1, or another one."""
    names = known or others
    if known and others and rng.random() >= recipe.ds1_share:
        names = others
    return names[int(rng.integers(len(names)))]


def _begin(cuts: Cuts, name: str, recipe: Recipe, rng: np.random.Generator, anywhere: bool, read: bool) -> _Stream:
    """A stream of a record, from its beginning, or (seven times out of ten) from anywhere."""
    noises = noise_of(cuts) if recipe.noise_share else []
    if noises and rng.random() < recipe.noise_share:
        name = noises[int(rng.integers(len(noises)))]
    source: Source = "detector" if rng.random() < recipe.detector_share else "reference"
    if name in noises:
        source = "detector"
    elif recipe.has_versions(name) and rng.random() < recipe.version_share_of(name):
        source, name = version_key(name, int(rng.integers(recipe.versions)))
    elif recipe.other_lead and rng.random() < recipe.other_lead and ("detector", other_key(name)) in cuts:
        source, name = "detector", other_key(name)
    cut = cuts[source, name]
    at = int(rng.integers(max(len(cut), 1))) if anywhere and rng.random() < 0.7 else 0
    if at > len(cut) - 4 * recipe.beats:
        at = 0
    if read:
        return _Stream(cut, at, None)
    turned = -1 if recipe.polarity and rng.random() < 0.5 else 1
    return _Stream(cut, at, turned * warp(float(np.exp(rng.normal(0, recipe.warp)))))


def warp(scale: float) -> NDArray[np.float32]:
    """A matrix to multiply windows by: they run slower (scale < 1) or quicker about their R-peak; ends are held."""
    places = np.clip(WINDOW_BEFORE + (np.arange(WINDOW) - WINDOW_BEFORE) * scale, 0, WINDOW - 1)
    distance = np.abs(places - np.arange(WINDOW)[:, None])
    weights: NDArray[np.float32] = np.maximum(1 - distance, 0).astype(np.float32)
    return weights


def _gather(streams: list[_Stream], count: int, fresh: NDArray[np.bool_]) -> Piece:
    """The next `count` beats of each stream; a record shorter than that is filled with unlabelled zeros."""
    cut = streams[0].cut
    size = (len(streams), count)
    piece = Piece(
        np.zeros((*size, *cut.windows.shape[1:]), np.float32),
        np.zeros((*size, cut.features.shape[1]), np.float32),
        np.full(size, -1, np.int64),
        np.full(size, -1, np.int64),
        fresh,
    )
    for row, stream in enumerate(streams):
        now = slice(stream.at, stream.at + count)
        have = len(stream.cut.classes[now])
        windows = stream.cut.windows[now]
        piece.windows[row, :have] = windows if stream.change is None else windows @ stream.change
        piece.features[row, :have] = stream.cut.features[now]
        piece.classes[row, :have] = stream.cut.classes[now]
        piece.rhythms[row, :have] = stream.cut.rhythms[now]
    return piece


def augment(piece: Piece, recipe: Recipe, rng: np.random.Generator) -> None:
    """Gain per stream, tilt and noise per beat, one shift for all, in place."""
    windows = piece.windows
    rows, beats, _, length = windows.shape
    windows *= np.exp(rng.normal(0, recipe.gain, (rows, 1, 1, 1))).astype(np.float32)
    slope = rng.normal(0, recipe.tilt, (rows, beats, 1, 1)).astype(np.float32)
    windows += slope * np.linspace(-1, 1, length, dtype=np.float32)
    windows += rng.standard_normal(windows.shape, dtype=np.float32) * np.float32(recipe.noise)
    if recipe.shift:
        piece.windows = np.roll(windows, int(rng.integers(-recipe.shift, recipe.shift + 1)), -1)
    if recipe.rr_jitter:
        noise = rng.normal(0, recipe.rr_jitter, (rows, beats, len(RR_FEATURES)))
        piece.features[:, :, columns(RR_FEATURES)] += noise.astype(np.float32)
