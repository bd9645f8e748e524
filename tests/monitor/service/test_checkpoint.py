"""Memory on disk: saved and restored anywhere, a monitor goes on as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_ward import ALONE, CARD, EXCERPT, MINUTE, Run, alarm_story, messages, part, same

from ecg.errors import UserError
from monitor.service import checkpoint as memory


@given(st.lists(st.integers(1, 21_599), min_size=1, max_size=12), st.data())
@settings(max_examples=25, deadline=None)
def test_restored_at_any_sample_it_goes_on_as_if_nothing_had_happened(bounds: list[int], data: st.DataObject) -> None:
    run = Run()
    other = messages(part(EXCERPT, 40_000, 61_600), bounds)
    for place, wave in enumerate(messages(MINUTE, bounds)):
        run.ward.wave("b", other[place], 0)
        run.ward.wave("a", wave, 0)
        run.step()
        if data.draw(st.booleans()):
            content = memory.pack(run.ward)
            fresh = Run()
            if data.draw(st.booleans()):  # another slot than before
                fresh.ward.admit("in the way")
            assert memory.unpack(fresh.ward, content) == 2
            fresh.events = run.events
            run = fresh
    run.finish()
    same(run.of("a"), ALONE.of("a"))
    assert alarm_story(run, "a") == alarm_story(ALONE, "a")
    assert run.ward.ledger.as_dict()["received"] == 2 * 21_600


def test_a_chunk_that_waits_for_an_earlier_one_is_remembered() -> None:
    first, second, third = messages(MINUTE, [7000, 7300])
    run = Run()
    for wave in (first, third):
        run.ward.wave("a", wave, 0)
    run.step()
    fresh = Run()
    memory.unpack(fresh.ward, memory.pack(run.ward))
    fresh.events = run.events
    fresh.ward.wave("a", second, 0)
    same(fresh.finish().of("a"), ALONE.of("a"))


def test_what_is_missing_or_damaged_is_one_sentence_and_a_fresh_start(tmp_path: Path) -> None:
    run, path = Run(), tmp_path / "memory"
    assert memory.load(run.ward, path) == f"there is no saved memory in {path} yet: all beds start fresh"
    run.ward.wave("a", messages(MINUTE, [])[0], 0)
    run.step()
    memory.save(run.ward, path)
    content = path.read_bytes()
    assert memory.load(Run().ward, path) == f"memory of 1 beds taken from {path}"
    for damaged in (b"", content[:-50], content.replace(b"wait_part", b"wait_fart"), b"\x00" * 100):
        path.write_bytes(damaged)
        fresh = Run()
        said = memory.load(fresh.ward, path)
        assert said.endswith("all beds start fresh")
        assert "\n" not in said
        assert fresh.ward.beds == {}
        fresh.ward.wave("a", messages(MINUTE, [])[0], 0)
        same(fresh.finish().of("a"), ALONE.of("a"))


def test_memory_of_other_weights_is_not_used() -> None:
    run = Run()
    saved = msgspec.msgpack.decode(memory.pack(run.ward), type=memory.SavedWard)
    saved.model = "another"
    with pytest.raises(UserError, match=f"weights another, not {memory.VERSION} and {CARD.name}"):
        memory.unpack(run.ward, msgspec.msgpack.encode(saved))


def test_a_disk_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write"):
        memory.save(Run().ward, Path("/proc/memory"))
