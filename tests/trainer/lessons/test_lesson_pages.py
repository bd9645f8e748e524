from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path

import msgspec
import pytest
from matplotlib.figure import Figure

from ecg.errors import UserError
from tests.support.annotated_pieces import annotated, write_wfdb
from tests.support.wfdb_files import write_record
from trainer import lessons
from trainer.__main__ import main
from trainer.lessons import LESSONS
from trainer.lessons.frame import drawing, page
from trainer.lessons.frame.lesson import LANGUAGES, Language, lesson

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "docs" / "lessons"
WORDS = 600
CHARACTERS = 2000
LARGEST = 60_000
"""Bytes of a committed figure."""
QUICK = ("--set", "examples=100", "--set", "steps=20")
FILLED = re.compile(r"\{[^}]*\}|^- \[\w+\]|\(figure:\d+\)", re.MULTILINE)
"""What a run puts into a template."""
TRY = re.compile(r"^    python -m trainer lesson (\w+).*(?:--set|--records)", re.MULTILINE)


def prose(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith(("    ", "|")))


@pytest.mark.parametrize("name", LESSONS)
def test_a_page_is_short_and_ends_with_three_things_to_try(name: str) -> None:
    english, japanese = (page.template(name, language) for language in LANGUAGES)
    assert len(prose(english).split()) <= WORDS
    assert len(re.sub(r"\s", "", prose(japanese))) <= CHARACTERS
    for text in (english, japanese):
        assert TRY.findall(text) == [name] * 3
    assert TRY.findall(english.rpartition("## ")[2]) == [name] * 3
    assert japanese.count("--lang ja") == 3


@pytest.mark.parametrize("name", LESSONS)
def test_both_languages_tell_the_same(name: str) -> None:
    english, japanese = (page.template(name, language) for language in LANGUAGES)
    for pattern in (page.CLAIM, page.FIGURE):
        assert pattern.findall(english) == pattern.findall(japanese)
    settings = r"--(?:set|records) ([A-Za-z0-9_=.,-]+)"
    assert re.findall(settings, english) == re.findall(settings, japanese)
    assert english.count("\n## ") == japanese.count("\n## ")
    columns = [re.findall(r"^\|.*\|$", text, re.MULTILINE) for text in (english, japanese)]
    assert [row.count("|") for row in columns[0]] == [row.count("|") for row in columns[1]]


@pytest.mark.parametrize("name", LESSONS)
def test_the_small_run_of_a_lesson_has_settings_that_it_takes(name: str) -> None:
    one = lesson(name)
    changed = msgspec.structs.replace(one.settings, **one.quick)
    assert msgspec.convert(msgspec.to_builtins(changed), type(one.settings)) == changed


def test_every_lesson_has_its_pages_and_every_page_its_lesson() -> None:
    there = {file.name for file in (Path(str(lessons.__file__)).parent / "pages").glob("*.md")}
    assert there == {f"{name}.{language}.md" for name in (*LESSONS, "index") for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lesson_writes_a_page_that_needs_no_other_file(
    language: Language, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lesson", "amnesia", "--lang", language, "--out", str(tmp_path), *QUICK]) == 0
    tail = "" if language == "en" else ".ja"
    written = (tmp_path / f"amnesia{tail}.md").read_text(encoding="utf-8")
    assert written.startswith(f"# {lesson('amnesia').title.of(language)}\n")
    assert not re.findall(r"\{\w+", written)
    for path in re.findall(r"\]\((\S+\.png)\)", written):
        content = (tmp_path / path).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < LARGEST
    html = (tmp_path / f"amnesia{tail}.html").read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == len(re.findall("<img", html)) == 1
    assert not re.findall(r'(?:src|href)="(?!data:)', html)
    tree = msgspec.json.decode((tmp_path / "amnesia.json").read_bytes())
    assert tree["settings"]["examples"] == 100
    assert f"{tree['numbers']['pressure_rnn']:.1%}" in written
    shown = capsys.readouterr().out
    assert f"amnesia{tail}.html" in shown.replace("\n", "")
    assert ("Three things to try" if language == "en" else "試してみよう") in shown


def test_a_lesson_that_divides_patients_needs_some() -> None:
    record = annotated("one", 0)
    with pytest.raises(UserError, match="give at least 4 records, not 1"):
        lesson("split").check((record,))
    lesson("split").check(())
    lesson("gates").check((record,))


def test_a_page_says_which_records_stood_in_for_simulated_hearts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_wfdb(annotated("one", 60), data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECG_DATA", str(data))
        assert main(["lesson", "rnn", "--records", "one", "--set", "begin=1", "--out", str(tmp_path)]) == 0
    written = (tmp_path / "rnn.md").read_text(encoding="utf-8")
    assert "*Run with records one:" in written
    assert msgspec.json.decode((tmp_path / "rnn.json").read_bytes())["records"] == ["one"]


def test_the_same_seed_gives_the_same_page(tmp_path: Path) -> None:
    pages = []
    for place in ("one", "two"):
        assert main(["lesson", "rnn", "--out", str(tmp_path / place)]) == 0
        pages.append([(tmp_path / place / file).read_bytes() for file in ("rnn.md", "rnn.html", "figures/rnn-1.png")])
    assert pages[0] == pages[1]


def test_the_list_names_every_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in LESSONS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "there is no lesson 'nothing'; there are amnesia, rnn, "),
        (["all", "--set", "seed=1"], "--set belongs to one lesson: give its name in place of all"),
        (["rnn", "--set", "colour=red"], "--set colour=red: give key=value, where key is one of "),
        (["rnn", "--set", "every=0"], "--set every=0: Expected `int` >= 1"),
        (["amnesia", "--set", "seed=-5"], "--set seed=-5: Expected `int` >= 0"),
        (["edge", "--set", "units="], "--set units=: Expected `array` of length >= 1"),
        (["gates", "--set", "weights=memory-gru"], "weights=memory-gru: its cell is a GRU, this lesson needs an LSTM"),
        (["gates", "--set", "weights=nothing"], "there are no weights 'nothing'"),
        (["trend", "--set", "hours=8", "--set", "window=9"], "window=9: a change takes less than the 8 h of a course"),
        (["forecast", "--set", "minutes=1", "--set", "past=10", "--set", "ahead=3"], "minutes=1: the last fifth of "),
        (
            ["rnn", "--set", "begin=200", "--set", "seconds=60", "--set", "every=37"],
            "--set every=37: Expected `int` <=",
        ),
        (["imbalance", "--set", "supra=0", "--set", "ventricular=0"], "there is no S or V beat, so nothing is rare"),
        (
            ["attention", "--set", "hearts=4", "--set", "beats=64", "--set", "look=128"],
            "no patient has 128 beats in a ",
        ),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith(sentence)
    assert told.count("\n") == 1


@pytest.mark.parametrize("name", LESSONS)
def test_no_setting_is_without_bounds(name: str) -> None:
    """A seed below 0, or no units at all, would end in an error of somebody else's."""
    for field in msgspec.inspect.type_info(type(lesson(name).settings)).fields:  # type: ignore[attr-defined]
        kind = field.type
        if isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType):
            assert kind.ge is not None or kind.gt is not None, field.name
        elif isinstance(kind, msgspec.inspect.VarTupleType):
            assert kind.min_length, field.name


def test_a_record_without_annotations_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(tmp_path, "bare")
    (tmp_path / "bare.atr").unlink()
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    assert main(["lesson", "rnn", "--records", "bare"]) == 2
    assert capsys.readouterr().err == "--records: bare has no annotations to learn from; leave it out\n"


def test_records_that_a_lesson_has_no_use_for_are_said_to_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.commands.lesson._records", lambda *_: ("record",))
    assert main(["lesson", "amnesia", "--out", str(tmp_path), *QUICK]) == 0
    assert "amnesia needs no records: --records changes nothing here" in capsys.readouterr().out


def test_without_a_font_labels_are_english_and_one_sentence_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib_fontja", None)
    with drawing.style("ja") as say:
        assert say("rate", "心拍") == "rate"
    assert main(["lesson", "rnn", "--lang", "ja", "--out", str(tmp_path)]) == 0
    assert drawing.NO_FONT in capsys.readouterr().out
    assert "バケツリレー" in (tmp_path / "rnn.ja.md").read_text(encoding="utf-8")


def test_japanese_labels_have_glyphs() -> None:
    pytest.importorskip("matplotlib_fontja")
    with drawing.style("ja") as say:
        made = Figure()
        made.text(0, 0, say("rate, μs", "心拍数、期外収縮、μs"))
        assert say("rate", "心拍") == "心拍"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert drawing.png(made).startswith(b"\x89PNG")


def test_the_committed_pages_are_those_of_the_lessons() -> None:
    for name in LESSONS:
        for language in LANGUAGES:
            tail = "" if language == "en" else ".ja"
            text = (COMMITTED / f"{name}{tail}.md").read_text(encoding="utf-8")
            for path in re.findall(r"\]\((\S+\.png)\)", text):
                assert (COMMITTED / path).stat().st_size <= LARGEST
            at = 0
            for piece in FILLED.split(page.template(name, language)):
                found = text.find(piece, at)
                assert found >= 0, f"{name}{tail}.md lacks {piece!r}: run python -m trainer lesson {name} again"
                at = found + len(piece)
            assert f"]({name}{tail}.md)" in (COMMITTED / f"README{tail}.md").read_text(encoding="utf-8")
