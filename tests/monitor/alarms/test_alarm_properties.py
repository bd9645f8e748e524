from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.records.record import Annotations
from ecg.settings import AlarmSettings
from monitor.alarms import GRAVER, PRIORITY, BedAlarms, BedState, Change, Sign
from monitor.evaluation.reference import reference
from monitor.evaluation.replay import replay

RATE = 100.0
SETTINGS = AlarmSettings(af_beats=16)
ORDER = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True)
class Stream:
    beats: list[tuple[int, str]]
    signs: list[Sign]
    end: int


@st.composite
def streams(draw: st.DrawFn, signs: bool = True) -> Stream:
    """A bed that changes from rhythm to rhythm, with signs of the signal now and then."""
    beats: list[tuple[int, str]] = []
    now = 50
    for _ in range(draw(st.integers(1, 8))):
        pattern = draw(st.sampled_from(["N", "V", "NV", "NNV", "NNNVV", "NS", "NF", "NNNNV", "VVVN", "Q"]))
        interval = draw(st.sampled_from([25, 36, 45, 47, 60, 80, 110, 125, 180, 260, 420]))
        jitter = draw(st.sampled_from([0, 0, 5, 40]))
        rng = np.random.default_rng(draw(st.integers(0, 2**16)))
        for k in range(draw(st.integers(1, 30))):
            now += max(20, interval + int(rng.integers(-jitter, jitter + 1)))
            beats.append((now, pattern[k % len(pattern)]))
    end = now + draw(st.integers(0, 1500))
    found = []
    if signs:
        for index in sorted(draw(st.sets(st.integers(0, end), max_size=5))):
            flags = draw(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()))
            onset = max(index - 300, 0) if flags[0] else -1
            found.append(Sign(index, *flags[:3], onset=onset, noisy=flags[3], faults=int(flags[3])))
    return Stream(beats, found, end)


def whole(stream: Stream) -> list[Change]:
    """All signs at once, then all beats, then the clock: what a replay does."""
    bed = BedAlarms(SETTINGS, RATE)
    changes = [change for sign in stream.signs for change in bed.sign(sign)]
    changes += [change for index, cls in stream.beats for change in bed.beat(index, cls)]
    return changes + bed.clock(stream.end)


def steps(stream: Stream, cuts: list[int]) -> list[tuple[str, int, object]]:
    """What a live bed is told, in order, its clock told at `cuts` only."""
    told: list[tuple[int, int, str, int, object]] = []
    told += [(sign.index, 0, "sign", sign.index, sign) for sign in stream.signs]
    told += [(index, 1, "beat", index, cls) for index, cls in stream.beats]
    told += [(cut, 2, "clock", cut, None) for cut in [*cuts, stream.end]]
    return [(what, index, thing) for _, _, what, index, thing in sorted(told, key=lambda one: one[:2])]


def tell(bed: BedAlarms, what: str, index: int, thing: object) -> list[Change]:
    if what == "sign":
        return bed.sign(thing)  # type: ignore[arg-type]
    return bed.beat(index, str(thing)) if what == "beat" else bed.clock(index)


@settings(max_examples=80, deadline=None)
@given(stream=streams(), data=st.data())
def test_alarms_do_not_depend_on_when_and_how_often_the_clock_is_told(stream: Stream, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, stream.end), max_size=60))
    bed = BedAlarms(SETTINGS, RATE)
    changes = [change for step in steps(stream, cuts) for change in tell(bed, *step)]
    assert changes == whole(stream)


@settings(max_examples=60, deadline=None)
@given(stream=streams(), data=st.data())
def test_a_bed_saved_and_put_back_anywhere_goes_on_as_if_nothing_had_happened(
    stream: Stream, data: st.DataObject
) -> None:
    told = steps(stream, list(range(0, stream.end, 97)))
    cut = data.draw(st.integers(0, len(told)))
    bed = BedAlarms(SETTINGS, RATE)
    changes = [change for step in told[:cut] for change in tell(bed, *step)]
    carried = msgspec.msgpack.decode(msgspec.msgpack.encode(bed.save()), type=BedState)
    other = BedAlarms(SETTINGS, RATE, state=carried)
    assert other.active() == bed.active()
    changes += [change for step in told[cut:] for change in tell(other, *step)]
    assert changes == whole(stream)


@settings(max_examples=80, deadline=None)
@given(stream=streams(), data=st.data())
def test_no_alarm_is_shown_beside_a_graver_one_of_its_chain_and_the_gravest_comes_first(
    stream: Stream, data: st.DataObject
) -> None:
    bed = BedAlarms(SETTINGS, RATE)
    for step in steps(stream, list(range(0, stream.end, 50))):
        tell(bed, *step)
        if data.draw(st.booleans()) and bed.active():
            bed.acknowledge(data.draw(st.sampled_from([alarm.kind for alarm in bed.active()])))
        kinds = [alarm.kind for alarm in bed.active()]
        assert all(not GRAVER[kind] & set(kinds) for kind in kinds)
        priorities = [ORDER[alarm.priority] for alarm in bed.active()]
        assert priorities == sorted(priorities)
        assert all(alarm.onset <= bed.state.now for alarm in bed.active())


@settings(max_examples=80, deadline=None)
@given(stream=streams(), data=st.data())
def test_an_acknowledged_alarm_is_not_shown_anew_without_a_new_onset(stream: Stream, data: st.DataObject) -> None:
    bed = BedAlarms(SETTINGS, RATE)
    acknowledged: dict[str, int] = {}
    for step in steps(stream, list(range(0, stream.end, 50))):
        changes = tell(bed, *step)
        for change in changes:
            if change.what == "onset":
                acknowledged.pop(change.kind, None)
        for alarm in bed.active():
            if alarm.kind in acknowledged:
                assert alarm.acknowledged
                assert alarm.onset == acknowledged[alarm.kind]
        if data.draw(st.integers(0, 3)) == 0:
            acknowledged |= {alarm.kind: alarm.onset for alarm in bed.active()}
            bed.acknowledge()
            assert not [a for a in bed.active() if a.latched]


@settings(max_examples=80, deadline=None)
@given(stream=streams())
def test_each_episode_begins_ends_and_clears_once_and_in_that_order(stream: Stream) -> None:
    state: dict[str, str] = {}
    index = 0
    follows = {
        "onset": (None, "clear"),
        "end": ("onset", "again"),
        "again": ("end",),
        "clear": ("onset", "again", "end"),
    }
    for change in whole(stream):
        assert change.index >= index
        index = change.index
        if change.what == "held":
            continue
        assert state.get(change.kind) in follows[change.what]
        assert change.onset <= change.index
        if change.what == "clear":
            assert PRIORITY[change.kind] != "high" or state[change.kind] == "end"
        state[change.kind] = change.what


@settings(max_examples=200, deadline=None)
@given(stream=streams(signs=False))
def test_the_rules_find_every_episode_that_whole_array_code_finds_and_hardly_any_other(stream: Stream) -> None:
    index = np.array([at for at, _ in stream.beats])
    classes = np.array([cls for _, cls in stream.beats])
    symbols = np.array([{"S": "A"}.get(cls, cls) for cls in classes])
    annotations = Annotations(index, symbols, np.full(len(index), ""))
    length = stream.end + 300  # a couplet at the end is known to be one when no third V comes
    expected = reference(annotations, SETTINGS, RATE, length).episodes
    raised = replay(SETTINGS, RATE, length, [], index, classes)
    for kind, spans in expected.items():
        if kind in ("run", "atrial_fibrillation", "fibrillation"):
            continue
        own = [one for one in raised if one.kind == kind]
        for span in spans:
            assert any(one.onset <= span.over and span.onset <= one.over for one in own), (kind, span)
        for one in own:
            open_end = one.raised >= index[-1] or one.onset < index[0]  # time alone, before or after all beats
            assert open_end or any(one.onset <= s.over and s.onset <= one.over for s in spans), one
