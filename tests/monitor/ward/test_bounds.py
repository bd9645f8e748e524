"""No bed keeps another waiting, and nobody fills the memory: work and memory are bounded by bed."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from ecg.settings import Config, MonitorSettings
from ecg.wire.messages import BedStatus, MessageError, Truth, TruthMark
from monitor.ward import ward as ward_module
from monitor.ward.bed import Bed
from monitor.ward.history import MOST_NOTES
from monitor.ward.ledger import MOST_OF_A_BED, Ledger
from tests.support.wards import ALONE, EXCERPT, MINUTE, Run, announced, messages, same

LONG = messages(EXCERPT, [])[0]
QUARTERS = messages(MINUTE, list(range(90, 21_600, 90)))


def test_a_long_message_is_read_in_turns_and_others_need_not_wait_for_it() -> None:
    run = Run()
    run.ward.wave("long", LONG, 0)
    for wave in QUARTERS[:40]:
        run.ward.wave("a", wave, 0)
    run.events += run.ward.step(0.0)  # one turn
    assert run.ward.waiting
    assert run.ward.beds["long"].backlog == len(EXCERPT.samples) - 10 * 360
    assert run.ward.beds["a"].backlog == 0
    assert run.of("a")
    for wave in QUARTERS[40:]:
        run.ward.wave("a", wave, 0)
        run.events += run.ward.step(0.0)
    run.finish()
    same(run.of("a"), ALONE.of("a"))
    whole = Run()
    whole.ward.wave("long", LONG, 0)
    same(run.of("long"), whole.finish().of("long"))


def test_a_bed_with_too_much_unread_signal_takes_no_more() -> None:
    run = Run()
    huge = np.tile(EXCERPT.samples, (19, 1))[: (1 << 20) + 5]
    for number in range(3):
        wave = msgspec.structs.replace(LONG, index=number * len(huge), samples=huge.astype("<i2").tobytes())
        if number < 2:
            run.ward.wave("a", wave, 0)
        else:
            with pytest.raises(MessageError, match="2097162 samples of bed a wait unread"):
                run.ward.wave("a", wave, 0)


def test_an_old_stream_with_too_much_unread_signal_is_lost_when_another_begins() -> None:
    run = Run()
    huge = np.tile(EXCERPT.samples, (19, 1))[: (1 << 19) + 5]
    run.ward.wave("a", msgspec.structs.replace(LONG, stream="r-1-0", samples=huge.astype("<i2").tobytes()), 0)
    run.ward.status("a", announced("r-1-1"), False)
    run.ward.wave("a", msgspec.structs.replace(QUARTERS[0], stream="r-1-1"), 0)
    assert (run.ward.ledger.received, run.ward.ledger.lost) == (90, len(huge))
    assert run.ward.ledger.balances()


def test_any_number_of_stream_names_is_counted_in_a_few_places() -> None:
    ledger = Ledger()
    ledger.begin("a", "own-1-0")
    ledger.run("a", "own-1-0").received = 7
    for number in range(1000):
        run = ledger.run("a", f"forged{number}-1-0")
        run.received, run.lost = 3, 2
        run.published = 10 if number % 2 else None
    assert len(ledger.runs) <= MOST_OF_A_BED + 2
    assert ledger.run("a", "own-1-0").received == 7
    assert (ledger.received, ledger.published) == (3007, 7 + 500 * 10 + 500 * 5)
    assert ledger.lost == 500 * 7 + 500 * 2
    assert ledger.balances()


def test_any_number_of_beds_that_never_send_is_counted_in_a_few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.ward.ledger.MOST_RUNS", 50)
    run = Run()
    run.ward.wave("a", QUARTERS[0], 0)
    for number in range(300):
        forged = msgspec.structs.replace(announced("x-1-0"), state="offline", published=5)
        run.ward.status(f"bed{number}", forged, False)
    ledger = run.ward.ledger
    assert len(ledger.runs) <= 52
    assert (ledger.received, ledger.lost, ledger.balances()) == (90, 1500, True)


def test_annotations_are_bounded_and_those_of_the_far_future_are_left_out() -> None:
    run = Run()
    run.ward.wave("a", QUARTERS[0], 0)
    stream = QUARTERS[0].stream
    for _ in range(3):
        run.ward.truth("a", Truth(1, stream, [TruthMark(50, "N")] * 5000))
    run.ward.truth("a", Truth(1, stream, [TruthMark(1 << 50, "N")]))
    history = run.ward.beds["a"].history
    assert (len(history.notes), history.first_note) == (MOST_NOTES, 15_000 - MOST_NOTES)
    assert history.notes[-1].index == 50


def test_a_full_ward_is_searched_for_room_once_a_second_and_as_soon_as_a_bed_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, now = Run(Config(monitor=MonitorSettings(max_beds=1))), [100.0]
    looks: list[str] = []
    state = Bed.state

    def looked(self: Bed, *given: Any) -> str:
        looks.append(self.name)
        return state(self, *given)

    run.ward._now_s = lambda: now[0]
    run.ward.wave("a", QUARTERS[0], 0)
    run.step()
    monkeypatch.setattr(Bed, "state", looked)
    for _ in range(50):
        with pytest.raises(MessageError, match="max_beds"):
            run.ward.wave("b", QUARTERS[0], 0)
    assert looks == ["a"]
    now[0] += 1.1
    with pytest.raises(MessageError, match="max_beds"):
        run.ward.wave("b", QUARTERS[0], 0)
    assert looks == ["a", "a"]
    run.ward.status("a", gone(), False)
    run.ward.wave("b", QUARTERS[0], 0)
    assert set(run.ward.beds) == {"b"}


def gone() -> BedStatus:
    return msgspec.structs.replace(announced(QUARTERS[0].stream), state="offline")


def test_much_signal_of_many_beds_is_read_in_turns_and_every_bed_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ward_module, "ROUND_SECONDS", 20.0)
    run = Run()
    for name in "abcdef":
        run.ward.wave(name, messages(MINUTE, [])[0], 0)
    read = []
    while run.ward.waiting:
        run.events += run.ward.step(0.0)
        read.append([MINUTE.seconds * 360 - run.ward.beds[name].backlog for name in "abcdef"])
    assert [max(row) - min(row) for row in read] == [3600, 3600, 0] * 6
    run.finish()
    for name in "abcdef":
        same(run.of(name), ALONE.beats)
