"""What a producer keeps while the broker is away: in order, bounded, the last moments again."""

from __future__ import annotations

from ecg.wire.outbox import Outgoing
from producer import kept
from producer.kept import AGAIN_SECONDS, Item, Kept


def wave(number: int, seconds: float = 1.0, qos: int = 0) -> Item:
    return Item(Outgoing("t", bytes([number]), False), qos, seconds)


def taken(of: Kept) -> list[int]:
    found = []
    while items := of.take():
        found += [item.message.payload[0] for item in items]
    return found


def test_messages_wait_in_order_and_the_oldest_go() -> None:
    waiting = Kept(3.0)
    for number in range(6):
        waiting.keep([wave(number)])
    waiting.keep([wave(6, 0.0)])  # annotations are no signal
    waiting.trim()
    assert waiting.dropped == 3
    waiting.put_back(waiting.take())
    assert taken(waiting) == [3, 4, 5, 6]


def test_what_was_sent_shortly_before_a_loss_goes_first_and_no_other() -> None:
    waiting = Kept(60.0)
    for number in range(9):
        waiting.handed([wave(number)], number / 2)
    waiting.keep([wave(9)])
    waiting.lost(4.25)
    assert taken(waiting) == [number for number in range(9) if 4.25 - number / 2 <= AGAIN_SECONDS] + [9]
    waiting.lost(4.25)
    assert taken(waiting) == []


def test_what_was_sent_since_a_silent_broker_was_heard_goes_again() -> None:
    waiting = Kept(60.0)
    for number in range(20):
        waiting.handed([wave(number)], float(number), min(float(number), 5.0))
    waiting.lost(5.0)  # the connection was given up at 20 s, and its broker last heard at 5
    assert taken(waiting) == [number for number in range(20) if number >= 5.0 - AGAIN_SECONDS]


def test_nothing_is_kept_where_nothing_shall_be() -> None:
    waiting = Kept(0.0)
    waiting.handed([wave(0)], 0.0)
    waiting.keep([wave(1)])
    waiting.lost(0.1)
    assert taken(waiting) == [1]  # it could be sent at once
    waiting.keep([wave(2)])
    waiting.trim()
    assert (len(waiting), waiting.dropped) == (0, 1)


def test_messages_without_signal_are_bounded_too() -> None:
    waiting = Kept(60.0)
    for _ in range(kept.MOST_MESSAGES + 5):
        waiting.keep([wave(1, 0.0)])
    waiting.trim()
    assert (len(waiting), waiting.dropped) == (kept.MOST_MESSAGES, 5)


def test_what_is_lost_again_and_again_does_not_pile_up() -> None:
    waiting, sent = Kept(60.0), 0
    for second in range(20):  # a broker that is killed each second
        waiting.keep([wave(second)])
        while items := waiting.take():
            waiting.handed(items, float(second))
            sent += len(items)
        waiting.lost(second + 0.5)
    assert 40 <= sent <= 20 * (1 + kept.MOST_TIMES)


def test_messages_are_taken_many_at_a_time_and_of_one_quality() -> None:
    waiting = Kept(1e9)
    waiting.keep([wave(number, qos=number // 3 % 2) for number in range(9)])
    assert [len(waiting.take()) for _ in range(4)] == [3, 3, 3, 0]
    waiting.keep([wave(0) for _ in range(kept.AT_ONCE + 1)])
    assert [len(waiting.take()) for _ in range(2)] == [kept.AT_ONCE, 1]
