"""Topic names, and what strangers may call themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.wire.topics import BED_PATTERN, Topics, readable

TOPICS = Topics("ecg/v1")
BEDS = st.from_regex(BED_PATTERN, fullmatch=True)


@given(BEDS)
def test_a_bed_s_topic_is_parsed_back(bed: str) -> None:
    assert TOPICS.parse(TOPICS.of(bed, "wave")) == (bed, "wave")
    assert TOPICS.parse_program(TOPICS.of(bed, "wave")) is None


@given(BEDS)
def test_a_program_s_topic_is_parsed_back_and_is_no_bed_s(name: str) -> None:
    assert TOPICS.parse_program(TOPICS.monitor(name)) == ("monitor", name)
    assert TOPICS.parse_program(TOPICS.producer(name)) == ("producer", name)
    assert TOPICS.parse(TOPICS.monitor(name)) is None is TOPICS.parse(TOPICS.producer(name))


@pytest.mark.parametrize(
    "topic",
    [
        *("", "/", "ecg/v1", "ecg/v1/", "ecg/v1//wave", "ecg/v2/b/wave", "ecg/v1/b/c/wave", "ecg/v1/[red]/wave"),
        *("ecg/v1/b\n/wave", "ecg/v1/" + "b" * 65 + "/wave", "ecg/v1/ä/wave", "ecg/v1/_monitor//status"),
        *("ecg/v1/_monitor/status", "ecg/v1/_monitor/a/b/status", "(a topic that is not UTF-8)"),
    ],
)
def test_an_odd_topic_names_no_program_and_no_odd_bed(topic: str) -> None:
    assert TOPICS.parse_program(topic) is None
    assert TOPICS.parse(topic) in (None, ("_monitor", "status"))


@given(st.text(), st.text())
def test_any_topic_is_parsed_without_an_error(root: str, topic: str) -> None:
    for name in (topic, f"{root}/{topic}", f"{root}/_monitor/{topic}/status"):
        found = Topics(root).parse(name)
        assert found is None or BED_PATTERN.fullmatch(found[0])
        program = Topics(root).parse_program(name)
        assert program is None or BED_PATTERN.fullmatch(program[1])


@given(st.text(max_size=500))
def test_what_is_shown_of_a_stranger_s_text_is_printable_and_short(text: str) -> None:
    shown = readable(text, 50)
    assert shown.isprintable()
    assert len(shown) <= 50 * len("\\U00010000")
    assert shown == text or len(text) > 50 or not text.isprintable()


def test_a_terminal_s_escape_sequence_is_shown_and_not_sent() -> None:
    assert readable("ecg/v1/\x1b[2J/wave") == "ecg/v1/\\x1b[2J/wave"
