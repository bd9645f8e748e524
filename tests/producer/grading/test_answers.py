"""Another program's JSON, read by paths."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.errors import UserError
from producer.grading.answers import OTHER, Answer, Reader, UnreadableError, pairs


def read(tree: Any, paths: dict[str, str] | None = None, called: dict[str, str] | None = None) -> list[Answer]:
    return Reader(paths or {}, called or {}).read(json.dumps(tree).encode())


def test_our_own_beats_need_no_paths() -> None:
    assert read({"v": 1, "stream": "s-1-0", "index": 77, "class": "V"}) == [Answer(2, index=77, stream="s-1-0")]


@pytest.mark.parametrize(
    ("tree", "paths", "called", "answer"),
    [
        ({"r": {"k": "PVC"}, "n": 5}, {"CLASS": "$.r.k", "INDEX": "n"}, {"PVC": "V"}, Answer(2, index=5)),
        ({"t": 1.5, "c": ["x", "A"]}, {"TIME": "$.t", "CLASS": "$.c[1]"}, {}, Answer(1, seconds=1.5)),
        ({"ms": 250, "index": 9}, {"TIME_MS": "$.ms"}, {}, Answer(OTHER, seconds=0.25)),
        ({"index": 9.0, "class": "strange"}, {}, {}, Answer(OTHER, index=9)),
        ({"index": 9, "bed": "b7"}, {"BED": "$.bed"}, {}, Answer(OTHER, index=9, bed="b7")),
        ({"index": 9, "class": 2}, {}, {"2": "V"}, Answer(2, index=9)),
    ],
)
def test_fields_are_found_at_their_paths(
    tree: Any, paths: dict[str, str], called: dict[str, str], answer: Answer
) -> None:
    assert read(tree, paths, called) == [answer]


def test_a_message_may_hold_many_beats() -> None:
    found = read({"beats": [{"i": 1}, {"i": 2}]}, {"BEATS": "$.beats", "INDEX": "$.i"})
    assert [answer.index for answer in found] == [1, 2]
    assert read([], {"BEATS": "$"}) == []


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "neither an index nor a time"),
        (b'"text"', "neither an index nor a time"),
        (b'{"index":"7"}', "INDEX is '7', which is no number"),
        (b'{"index":true}', "INDEX is 'True'"),
        (b'{"index":1e300}', "which is no number of a beat"),
        (b" " * 2_000_000, "bytes are too many"),
    ],
)
def test_what_holds_no_beat_is_said(payload: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        Reader({}, {}).read(payload)


@given(
    st.binary(max_size=60) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_whatever_comes_is_read_or_unreadable(payload: bytes) -> None:
    for paths in ({}, {"BEATS": "$", "INDEX": "$[0]"}):
        try:
            answers = Reader(paths, {}).read(payload)
        except UnreadableError:
            continue
        assert all(answer.index is not None for answer in answers)


@pytest.mark.parametrize(
    ("paths", "called", "said"),
    [
        ({"KLASS": "$.a"}, {}, "no such field; there are BEATS, INDEX"),
        ({"CLASS": "$..a"}, {}, "is no path"),
        ({"CLASS": "$.a[x]"}, {}, "is no path"),
        ({}, {"PVC": "X"}, "X is no class; there are N, S, V, F, Q"),
    ],
)
def test_a_path_or_class_that_cannot_be_is_one_sentence(
    paths: dict[str, str], called: dict[str, str], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        Reader(paths, called)


def test_pairs_are_typed_with_an_equals_sign() -> None:
    assert pairs("--map", ["CLASS=$.a=b"]) == {"CLASS": "$.a=b"}
    for odd in ("CLASS", "=x", "CLASS="):
        with pytest.raises(UserError, match=r"--map .* cannot be used: give NAME=VALUE"):
            pairs("--map", [odd])
