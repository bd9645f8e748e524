"""The producer's command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecg.errors import UserError
from ecg.records import library
from ecg.settings import Config, ProducerSettings
from ecg.wire.broker import Broker
from producer.cli import chosen, other_annotators, parser, with_options
from producer.display import heading
from tests.support.wfdb_files import write_record


def given(*words: str) -> Config:
    """The default settings with options."""
    return with_options(Config(), parser().parse_args(list(words)))


@pytest.mark.parametrize(("text", "value"), [("60", 60.0), ("2.5x", 2.5), ("max", "max")])
def test_a_speed_is_a_number_or_max(text: str, value: object) -> None:
    assert given("--speed", text).producer.speed == value


@pytest.mark.parametrize(
    ("option", "text"),
    [
        *(("--speed", text) for text in ("0", "-1", "fast", "nan", "inf", "1e300", "")),
        *(("--beds", text) for text in ("0", "-1", "1.5", "many", "9" * 30)),
        *(("--seconds", text) for text in ("nan", "inf", "-1", "soon")),
        *(("--records", text) for text in ("", "a\0b")),
        *(("--root", text) for text in ("", "a b", "/a")),
        *(("--annotator", text) for text in ("", ".atr", "a/b", "a" * 33)),
    ],
)
def test_an_option_that_cannot_be_used_is_named_in_one_sentence(option: str, text: str) -> None:
    with pytest.raises(UserError, match=rf"{option}.* cannot be used") as caught:
        given(f"{option}={text}")
    assert "\n" not in str(caught.value)


def test_what_is_not_given_stays_as_the_settings_say() -> None:
    assert given() == Config()
    assert given("--loop", "--no-truth", "--lead", "V5").producer == replace_producer(loop=True, truth=False, lead="V5")


def replace_producer(**changes: Any) -> ProducerSettings:
    """The producer's default settings, changed."""
    return ProducerSettings(**changes)


@pytest.mark.parametrize(
    ("beds", "speed", "said"),
    [
        (1, "max", "1 bed as fast as the broker takes it to h:1 (external)"),
        (8, 2.5, "8 beds at 2.5x to h:1 (external)"),
    ],
)
def test_the_producer_says_how_many_beds_go_where_and_how_fast(beds: int, speed: float | str, said: str) -> None:
    assert heading(beds, Broker("h", 1, "external"), speed) == said


def test_a_record_with_annotations_of_another_name_says_their_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    write_record(tmp_path, "abc")
    (tmp_path / "abc.atr").rename(tmp_path / "abc.qrs")
    assert other_annotators([library.read("abc"), library.read("excerpt")]) == [
        "abc has annotations qrs: name them with --annotator"
    ]
    assert other_annotators([library.read("abc", annotator="qrs")]) == []


def test_a_folder_means_all_of_it_unless_records_are_named(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_record(tmp_path, name)

    def names(*words: str) -> list[str]:
        options = parser().parse_args(["--data", str(tmp_path), *words])
        return [record.name for record in chosen(with_options(Config(), options), options)[0]]

    assert names() == names("--records", "all") == ["a", "b"]
    assert names("--records", "b") == ["b"]
    with pytest.raises(UserError, match="no record 'c' is in"):
        names("--records", "c")


def test_files_are_sent_by_their_place(tmp_path: Path) -> None:
    write_record(tmp_path, "abc")
    (tmp_path / "strip.csv").write_text("II\n" + "\n".join(str(i % 7) for i in range(300)))
    words = ["--file", str(tmp_path / "abc"), "--file", str(tmp_path / "strip.csv"), "--rate", "250"]
    options = parser().parse_args(words)
    records, said = chosen(with_options(Config(), options), options)
    assert [(record.name, record.rate) for record in records] == [("abc", 250.0), ("strip", 250.0)]
    assert said == ["no annotations in strip: sent without truth"]
    options = parser().parse_args([*words, "--records", "100"])
    with pytest.raises(UserError, match="--file and --records are both given"):
        chosen(with_options(Config(), options), options)
