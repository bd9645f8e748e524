"""Memory on disk: saved and restored anywhere, a monitor goes on as if nothing had happened."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.errors import UserError
from ecg.model.weights import Weights
from ecg.settings import Config
from monitor.service import checkpoint as memory
from monitor.ward.ward import Ward
from tests.support.wards import ALONE, CARD, EXCERPT, MINUTE, WEIGHTS, Run, alarm_story, messages, part, same


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


def saved_minute() -> bytes:
    """A minute of one bed, another's first chunks, one of which waits for an earlier one."""
    run = Run()
    first, _, third = messages(MINUTE, [7000, 7300])
    run.ward.wave("a", messages(MINUTE, [])[0], 0)
    run.ward.wave("b", first, 0)
    run.ward.wave("b", third, 0)
    run.step()
    return memory.pack(run.ward)


SAVED = saved_minute()
PAYLOAD = SAVED[len(memory.HEAD) + 32 :]


def test_what_is_missing_or_damaged_is_one_sentence_and_a_fresh_start(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    assert memory.load(Run().ward, path) == f"there is no saved memory in {path} yet: all beds start fresh"
    run = Run()
    run.ward.wave("a", messages(MINUTE, [])[0], 0)
    run.step()
    memory.save(run.ward, path)
    content = path.read_bytes()
    assert memory.load(Run().ward, path) == f"memory of 1 beds taken from {path}"
    broken = (b"", content[:-50], content + b"x", content.replace(b"wait_part", b"wait_fart"), b"\x00" * 100)
    for number, damaged in enumerate(broken, 1):
        path.write_bytes(damaged)
        fresh = Run()
        said = memory.load(fresh.ward, path)
        kept = f"memory.refused{f'-{number}' if number > 1 else ''}"
        assert said.endswith(f"all beds start fresh, and it is kept as {kept}")
        assert "\n" not in said
        assert not path.exists()  # so that the next saving overwrites nothing
        assert (tmp_path / kept).read_bytes() == damaged
        assert fresh.ward.beds == {}
        assert fresh.ward.ledger.runs == {}
        fresh.ward.wave("a", messages(MINUTE, [])[0], 0)
        same(fresh.finish().of("a"), ALONE.of("a"))


@given(st.integers(0, 8 * len(SAVED) - 1))
@settings(max_examples=120, deadline=None)
def test_a_file_changed_by_one_bit_is_refused(bit: int) -> None:
    changed = bytearray(SAVED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(UserError):
        memory.unpack(FRESH.ward, bytes(changed))
    assert FRESH.ward.beds == {}


FRESH = Run()


def sealed(change: Callable[[memory.SavedWard], None]) -> bytes:
    """The saved minute with a change, and a checksum that fits it."""
    saved = msgspec.msgpack.decode(PAYLOAD, type=memory.SavedWard)
    change(saved)
    return memory.seal(msgspec.msgpack.encode(saved))


def test_memory_of_other_weights_under_the_same_name_is_not_used() -> None:
    other = Weights(WEIGHTS.shape, {name: values + 1e-3 for name, values in WEIGHTS.arrays.items()})
    ward = Ward(Config(), other, CARD.name, "cpu")
    with pytest.raises(UserError, match=f"of the weights {CARD.name}, SHA-256 {CARD.sha256[:12]}, not of {CARD.name}"):
        memory.unpack(ward, SAVED)
    assert ward.beds == {}


def test_the_weights_name_does_not_matter() -> None:
    ward = Ward(Config(), WEIGHTS, "renamed", "cpu")
    assert memory.unpack(ward, SAVED) == 2


@pytest.mark.parametrize("name", ["path templates", "path seen", "sign hits", "memory", "alarms run", "intake next"])
def test_a_memory_of_other_parts_is_not_used_and_names_the_first_that_differs(name: str) -> None:
    name = next(key for key in memory.layout(FRESH.ward) if key.startswith(name.split()[0]))

    def without(saved: memory.SavedWard) -> None:
        del saved.layout[name]

    def wider(saved: memory.SavedWard) -> None:
        saved.layout[name] = "float64 (999,)"

    for change, there in ((without, "nothing"), (wider, r"float64 \(999,\)")):
        with pytest.raises(UserError, match=rf"remembers other things than this version \({re.escape(name)}: {there}"):
            memory.unpack(FRESH.ward, sealed(change))


def test_a_file_of_an_older_version_says_so() -> None:
    with pytest.raises(UserError, match="not a saved memory, or one of an older version"):
        memory.unpack(FRESH.ward, PAYLOAD)
    with pytest.raises(UserError, match="of version 02, not 04"):
        memory.unpack(FRESH.ward, SAVED[:7] + b"\x02" + SAVED[8:])


JUNK = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=40)
    | st.lists(st.integers(-3, 300), max_size=4)
    | st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2)
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in plain values."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in items:
        yield from places(inside, (*path, key))


PLAIN = msgspec.msgpack.decode(PAYLOAD)
PLACES = [path for path in places(PLAIN) if path and path[0] not in ("layout", "weights", "model")]


@given(st.sampled_from(PLACES), JUNK)
@settings(max_examples=100, deadline=None)
def test_a_hostile_file_is_refused_or_does_no_harm(path: tuple[Any, ...], junk: Any) -> None:
    plain = copy.deepcopy(PLAIN)
    inside = plain
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = junk
    ward = Ward(Config(), WEIGHTS, CARD.name, "cpu")
    try:
        memory.unpack(ward, memory.seal(msgspec.msgpack.encode(plain)))
    except UserError:
        return
    ward.wave("b", messages(MINUTE, [7000, 7300])[1], 0)
    ward.step()
    ward.end_all()
    ward.step()


ARRAYS = [path[:5] for path in PLACES if len(path) == 6 and path[2] == "paths" and path[5] == 2]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(st.sampled_from(ARRAYS), st.integers(0, 2**32 - 1), st.sampled_from([0.02, 1.0]))
@settings(max_examples=80, deadline=None)
def test_hostile_numbers_are_refused_or_do_no_harm(path: tuple[Any, ...], seed: int, share: float) -> None:
    plain, rng = copy.deepcopy(PLAIN), np.random.default_rng(seed)
    array = reduce(lambda place, name: place[name], path, plain)
    row = np.frombuffer(array[2], np.uint8).copy()
    hit = rng.random(len(row)) < share
    row[hit] = rng.integers(0, 256, hit.sum())
    array[2] = row.tobytes()
    ward = Ward(Config(), WEIGHTS, CARD.name, "cpu")
    try:
        memory.unpack(ward, memory.seal(msgspec.msgpack.encode(plain)))
    except UserError:
        return
    ward.wave("b", messages(MINUTE, [7000, 7300])[1], 0)
    ward.step()
    ward.end_all()
    ward.step()


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_under_a_good_checksum_are_refused(payload: bytes) -> None:
    with pytest.raises(UserError):
        memory.unpack(FRESH.ward, memory.seal(payload))


def test_nothing_nested_without_end_is_read() -> None:
    with pytest.raises(UserError):
        memory.unpack(FRESH.ward, memory.seal(b"\x81\xa4beds" + b"\x91" * 100_000))


def test_beds_saved_in_turn_go_on_although_signal_comes_between() -> None:
    waves = messages(MINUTE, list(range(90, 21_600, 90)))
    run = Run()
    for wave in waves[:100]:
        run.ward.wave("a", wave, 0)
        run.ward.wave("b", wave, 0)
    run.step()
    making = memory.packing(run.ward)
    next(making)  # "a" as it is now
    for wave in waves[100:120]:
        run.ward.wave("a", wave, 0)
        run.ward.wave("b", wave, 0)
    run.step()
    next(making)  # "b" has heard five seconds more
    with pytest.raises(StopIteration) as done:
        next(making)
    fresh = Run()
    assert memory.unpack(fresh.ward, done.value.value) == 2
    for name, begin in (("a", 100), ("b", 120)):
        for wave in waves[begin:]:
            fresh.ward.wave(name, wave, 0)
        fresh.step()
    fresh.finish()
    for name, begin in (("a", 100), ("b", 120)):
        known = [beat for beat in run.of(name) if beat.index in {b.index for b in ALONE.beats}]
        after = fresh.of(name)
        assert [beat.index for beat in after] == [beat.index for beat in ALONE.beats][-len(after) :]
        assert len(after) >= len([beat for beat in ALONE.beats if beat.index >= begin * 90])
        assert len(known) + len(after) >= len(ALONE.beats)
        fresh.ward.ledger.run(name, waves[0].stream).published = 21_600
    assert fresh.ward.ledger.balances()
    assert (fresh.ward.ledger.received, fresh.ward.ledger.lost) == (2 * 21_600, 0)


def test_a_disk_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write"):
        memory.save(Run().ward, Path("/proc/memory"))
