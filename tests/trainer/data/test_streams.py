from __future__ import annotations

from dataclasses import replace
from itertools import islice

import msgspec
import numpy as np

from ecg.signal.windows import WINDOW, WINDOW_BEFORE
from trainer.data.streams import Cuts, pieces
from trainer.data.versions import version_key
from trainer.recipes import RECIPES

PLAIN = msgspec.structs.replace(
    RECIPES["memory"],
    gain=0.0,
    tilt=0.0,
    noise=0.0,
    shift=0,
    warp=0.0,
    polarity=False,
    detector_share=0.0,
    versions=0,
    streams=3,
    beats=7,
)


def test_a_stream_is_a_record_in_order_until_it_starts_afresh(cuts: Cuts) -> None:
    rng = np.random.default_rng(0)
    names = ["one", "two", "three"]
    at: list[tuple[str, int]] = [("", 0)] * 3
    starts = 0
    for piece in islice(pieces(cuts, names, PLAIN, rng), 30):
        for row in range(3):
            if piece.fresh[row]:
                starts += 1
                at[row] = next(
                    (name, begin)
                    for name in names
                    for begin in range(len(cuts["reference", name]))
                    if np.array_equal(cuts["reference", name].windows[begin], piece.windows[row, 0])
                )
            name, begin = at[row]
            cut = cuts["reference", name]
            expected = cut.windows[begin : begin + 7]
            assert np.array_equal(piece.windows[row, : len(expected)], expected)
            assert np.array_equal(piece.features[row, : len(expected)], cut.features[begin : begin + 7])
            assert np.array_equal(piece.classes[row, : len(expected)], cut.classes[begin : begin + 7])
            assert (piece.classes[row, len(expected) :] == -1).all()
            at[row] = (name, begin + 7)
    assert starts > 3


def test_the_same_seed_gives_the_same_pieces(cuts: Cuts) -> None:
    recipe = msgspec.structs.replace(RECIPES["memory"], streams=4, beats=5, rr_jitter=0.1, versions=0)
    runs = [list(islice(pieces(cuts, ["one", "two"], recipe, np.random.default_rng(3)), 4)) for _ in range(2)]
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one.windows, other.windows)
        assert np.array_equal(one.features, other.features)


def test_polarity_turns_whole_streams_upside_down_and_leaves_their_features(cuts: Cuts) -> None:
    recipe = msgspec.structs.replace(PLAIN, streams=40, polarity=True)
    piece = next(pieces(cuts, ["one"], recipe, np.random.default_rng(0)))
    turned = 0
    reference = cuts["reference", "one"]
    for row in range(40):
        begin = next(
            i
            for i in range(len(reference))
            if np.array_equal(np.abs(reference.windows[i]), np.abs(piece.windows[row, 0]))
        )
        expected = reference.windows[begin : begin + 7]
        sign = 1 if np.array_equal(expected, piece.windows[row, : len(expected)]) else -1
        assert np.array_equal(sign * expected, piece.windows[row, : len(expected)])
        assert np.array_equal(reference.features[begin : begin + 7], piece.features[row, : len(expected)])
        turned += sign < 0
    assert 8 < turned < 32


def test_a_warped_stream_runs_slower_or_quicker_about_its_r_peaks(cuts: Cuts) -> None:
    recipe = msgspec.structs.replace(PLAIN, streams=40, warp=0.1)
    piece = next(pieces(cuts, ["one"], recipe, np.random.default_rng(0)))
    reference = cuts["reference", "one"]
    slower = 0
    for row in range(40):
        begin = next(i for i in range(len(reference)) if np.array_equal(reference.features[i], piece.features[row, 0]))
        own, warped = reference.windows[begin, 0], piece.windows[row, 0, 0]
        assert warped[WINDOW_BEFORE] == own[WINDOW_BEFORE]
        assert not np.array_equal(own, warped)
        scales = np.exp(np.linspace(-0.4, 0.4, 81))
        places = np.clip(WINDOW_BEFORE + (np.arange(WINDOW) - WINDOW_BEFORE) * scales[:, None], 0, WINDOW - 1)
        again = np.interp(places, np.arange(WINDOW), own)
        best = np.abs(again - warped).max(axis=1).argmin()
        assert np.abs(again[best] - warped).max() < 0.1
        slower += scales[best] < 1
    assert 8 < slower < 32


def test_a_share_of_the_streams_are_made_up_versions(cuts: Cuts) -> None:
    recipe = msgspec.structs.replace(PLAIN, streams=60, beats=4, versions=2, version_share=0.3)
    made = {
        key: replace(cuts[key[0], "one"], classes=np.full(len(cuts[key[0], "one"]), 4))
        for key in (version_key("one", number) for number in range(2))
    }
    piece = next(pieces({**cuts, **made}, ["one"], recipe, np.random.default_rng(0)))
    share = (piece.classes[:, 0] == 4).mean()
    assert 0.1 < share < 0.5


def test_augmentation_never_changes_the_cut_beats_themselves(cuts: Cuts) -> None:
    before = {key: (cut.windows.copy(), cut.features.copy()) for key, cut in cuts.items()}
    recipe = msgspec.structs.replace(RECIPES["memory"], streams=6, beats=5, rr_jitter=0.5, versions=0)
    list(islice(pieces(cuts, ["one", "two", "three"], recipe, np.random.default_rng(0)), 5))
    for key, (windows, features) in before.items():
        assert np.array_equal(cuts[key].windows, windows)
        assert np.array_equal(cuts[key].features, features)
