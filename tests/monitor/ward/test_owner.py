"""A bed is its owner's: whatever others send on its topic changes nothing, until they last and the owner is silent."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.wire.messages import Wave
from monitor.ward.events import ResetReason
from tests.support.wards import ALONE, EXCERPT, MINUTE, Run, announced, messages, part, same

QUARTERS = messages(MINUTE, list(range(90, 21_600, 90)))
OTHER = messages(part(EXCERPT, 40_000, 61_600), list(range(90, 21_600, 90)))
HOUR = 3600 * 360
TRUE = QUARTERS[0].stream


def play(run: Run, waves: list[Wave], since_s: float = 1000.0) -> float:
    """Messages as they come in real time, from that time on; returns the time after the last, s."""
    for wave in waves:
        run.ward.wave("a", wave, int(since_s * 1e9))
        run.step()
        since_s += len(wave.samples) / (2 * len(wave.leads)) / wave.rate
    return since_s


def moved(waves: list[Wave], by: int, stream: str = "") -> list[Wave]:
    """The same messages at other places, maybe of another stream."""
    return [msgspec.structs.replace(one, index=one.index + by, stream=stream or one.stream) for one in waves]


FORGED = st.builds(
    lambda wave, stream, ahead, rate, behind: msgspec.structs.replace(
        wave, stream=stream, index=max(wave.index + ahead - behind, 0), rate=rate
    ),
    st.sampled_from(OTHER),
    st.sampled_from((TRUE, TRUE[:-1] + "1", "forged-1-0", "forged-2-0")),
    st.sampled_from((HOUR, 1 << 40)),
    st.sampled_from((360.0, 250.0)),
    st.just(0),
)


@given(st.lists(st.tuples(st.integers(1, len(QUARTERS) - 1), FORGED), max_size=60), st.booleans())
@settings(max_examples=25, deadline=None)
def test_no_forged_message_changes_a_beat_of_the_owner(forged: list[tuple[int, Wave]], burst: bool) -> None:
    run, now = Run(), 1000.0
    for place, wave in enumerate(QUARTERS):
        for at, other in forged:
            if (forged[0][0] if burst else at) == place:
                run.ward.wave("a", other, int(now * 1e9))
        run.ward.wave("a", wave, int(now * 1e9))
        now += 0.25
    run.finish()
    same(run.of("a"), ALONE.of("a"))
    ledger = run.ward.ledger
    ledger.run("a", TRUE).published = 21_600
    assert (ledger.received, ledger.lost, ledger.junk) == (21_600, 0, len(forged))
    assert ledger.balances()


def test_a_forged_number_of_samples_is_not_believed_while_the_stream_goes_on() -> None:  # found by bench attacks
    run = Run()
    now = play(run, QUARTERS[:20])
    for state in ("online", "offline"):
        run.ward.status("a", msgspec.structs.replace(announced(TRUE), state=state, published=1 << 53), False)
        assert (run.ward.ledger.run("a", TRUE).published is None) == (state == "online")
    play(run, QUARTERS[20:40], now)
    assert run.ward.ledger.run("a", TRUE).published is None
    run.ward.status("a", msgspec.structs.replace(announced(TRUE), state="offline", published=3600), False)
    run.finish()
    assert (run.ward.ledger.received, run.ward.ledger.lost) == (3600, 0)
    assert run.ward.ledger.balances()


def test_a_forged_message_is_said() -> None:
    run = Run()
    play(run, [*QUARTERS[:2], *moved(QUARTERS[2:3], HOUR), *moved(QUARTERS[2:3], 0, "forged")])
    ahead, other = run.ward.refused("a")
    assert ahead == f"sample {180 + HOUR} of stream {TRUE} is 3600 s ahead of its signal"
    assert other == f"stream forged on a bed of which {TRUE} is the owner"
    assert run.ward.refused("a") == []


def test_a_device_that_starts_again_is_taken_up_anew_and_nothing_of_it_is_lost() -> None:
    run = Run()
    now = play(run, QUARTERS[:120])
    again = [msgspec.structs.replace(one, index=one.index - OTHER[0].index, stream=TRUE) for one in OTHER]
    play(run, again[:40], now)  # 10 s of its signal
    assert [reset.reason for reset in run.resets] == [ResetReason.NEW_BED, ResetReason.RESTARTED]
    assert run.ward.beds["a"].intake.next == 40 * 90
    play(run, again[40:], now + 10.0)
    run.finish()
    fresh = Run()
    play(fresh, OTHER)
    same(run.of("a")[-len(fresh.finish().of("a")) :], fresh.of("a"))
    ledger = run.ward.ledger
    ledger.run("a", TRUE).published = 360 * 90
    assert (ledger.received, ledger.lost, ledger.junk, ledger.repeated) == (360 * 90, 0, 0, 0)
    assert ledger.balances()


def test_a_counter_that_wraps_is_taken_up_anew() -> None:
    run, wrap = Run(), 1 << 32
    now = play(run, moved(QUARTERS[:60], wrap - 60 * 90))
    play(run, moved(QUARTERS[60:], -60 * 90), now)
    assert [reset.reason for reset in run.resets][1:] == [ResetReason.RESTARTED]
    ledger = run.ward.ledger
    assert (ledger.received, ledger.lost, ledger.junk) == (21_600, 0, 0)


def test_another_device_takes_the_bed_once_the_first_is_silent_and_gives_it_back() -> None:
    run = Run()
    now = play(run, QUARTERS[:60])
    now = play(run, OTHER_STREAM[:60], now)
    assert run.ward.beds["a"].stream == "other-1-0"
    play(run, QUARTERS[120:], now)  # the first one again, after the 15 s that it was away
    assert [reset.reason for reset in run.resets][1:] == [ResetReason.NEW_RECORD, ResetReason.NEW_RECORD]
    ledger = run.ward.ledger
    counts = {name: (count.received, count.lost) for (_, name), count in ledger.runs.items()}
    assert counts == {TRUE[:-2]: (60 * 90 + 120 * 90, 60 * 90), "other-1": (60 * 90, 0)}
    ledger.run("a", TRUE).published = 21_600
    assert ledger.balances()


OTHER_STREAM = moved(OTHER, 0, "other-1-0")


def test_a_stream_that_goes_on_far_ahead_has_a_gap() -> None:
    run = Run()
    now = play(run, QUARTERS[:40])
    play(run, QUARTERS[160:], now + 30.0)
    assert [(reset.reason, reset.seconds) for reset in run.resets][1:] == [(ResetReason.GAP, 30.0)]
    assert (run.ward.ledger.received, run.ward.ledger.lost, run.ward.ledger.junk) == (120 * 90, 120 * 90, 0)


def test_a_leap_that_another_made_is_taken_back() -> None:
    run = Run()
    now = play(run, QUARTERS[:40])
    now = play(run, moved(OTHER[40:80], HOUR), now)  # the same name, while the true one is away
    play(run, QUARTERS[80:], now)
    ledger = run.ward.ledger
    ledger.run("a", TRUE).published = 21_600
    assert (ledger.received, ledger.lost, ledger.repeated) == (200 * 90, 40 * 90, 40 * 90)
    assert ledger.balances()


def test_an_announced_lap_begins_at_once() -> None:
    run = Run()
    play(run, QUARTERS[:40])
    run.ward.status("a", announced(TRUE[:-1] + "1"), True)
    play(run, moved(QUARTERS[:1], 0, TRUE[:-1] + "1"), 1010.0)
    assert run.ward.beds["a"].stream == TRUE[:-1] + "1"
    assert run.ward.ledger.received == 41 * 90


def test_a_lap_whose_announcement_comes_late_loses_nothing() -> None:
    run = Run()
    play(run, QUARTERS[:40])
    lap = moved(QUARTERS, 0, TRUE[:-1] + "1")
    play(run, lap[:3], 1010.0)
    assert run.ward.beds["a"].stream == TRUE
    run.ward.status("a", announced(lap[0].stream), True)
    play(run, lap[3:], 1010.75)
    run.finish()
    same([beat for beat in run.beats if beat.stream == lap[0].stream], ALONE.of("a"))
    assert (run.ward.ledger.received, run.ward.ledger.junk) == (280 * 90, 0)


def test_repeats_of_the_past_are_no_restart() -> None:
    run = Run()
    now = play(run, QUARTERS[:60])
    play(run, QUARTERS[:40], now + 20.0)
    assert run.ward.ledger.repeated == 40 * 90
    assert len(run.resets) == 1
    assert np.all([beat.stream == TRUE for beat in run.beats])


def test_what_was_held_back_of_a_stream_on_other_terms_does_not_begin_it() -> None:  # found by bench fuzz
    run = Run()
    now = play(run, QUARTERS[:20])
    two = [
        msgspec.structs.replace(
            one, stream="next-1-0", leads=["V5", "MLII"], gain=[200.0] * 2, baseline=[0.0] * 2, samples=one.samples * 2
        )
        for one in OTHER[:3]
    ]
    for wave in two:
        run.ward.wave("a", wave, int(now * 1e9))
    run.ward.status("a", announced("next-1-0"), False)
    run.ward.status("a", announced(TRUE), False)
    bed = run.ward.beds["a"]
    bed.intake.owner.announced = "next-1-0"
    play(run, moved(OTHER[:40], 0, "next-1-0"), now)
    assert (bed.stream, bed.intake.leads) == ("next-1-0", OTHER[0].leads)
    assert run.finish().ward.ledger.received == 60 * 90
