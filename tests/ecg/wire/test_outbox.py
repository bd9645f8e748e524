"""The outbox keeps its order whatever happens to the connection, and gives up the right messages where it is full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecg.wire.outbox import Outbox, Outgoing


def items(*names: str, retain: bool = False) -> list[Outgoing]:
    return [Outgoing("beat", name.encode(), retain) for name in names]


def send_all(box: Outbox, numbers: int = 100) -> list[str]:
    """What goes out next, as far as the window allows."""
    sent = []
    while items := box.take():
        box.sent(range(numbers + 1, numbers + len(items) + 1), items)
        numbers += len(items)
        sent += [item.payload.decode() for item in items]
    return sent


def test_what_was_in_flight_goes_out_again_first_and_in_its_order() -> None:
    box = Outbox(window=5)
    box.put(items(*"12345678"))
    assert send_all(box) == list("12345")
    box.lost()
    assert send_all(box) == list("12345")
    box.confirm([101, 102])
    box.lost()
    assert send_all(box) == list("34567")


def test_no_more_than_the_window_is_in_flight_and_a_confirmation_makes_room() -> None:
    box = Outbox(window=2)
    box.put(items(*"123"))
    assert send_all(box) == ["1", "2"] and box.in_flight == 2 and len(box) == 3
    assert box.confirm([101]) and not box.confirm([101])
    assert send_all(box) == ["3"] and (box.confirmed, len(box)) == (1, 2)


def test_a_message_that_was_sent_twice_is_confirmed_once() -> None:
    box = Outbox()
    box.put([Outgoing("beat", b"1", False, 7)])
    send_all(box, 0)
    box.lost()
    send_all(box, 50)
    assert [item.mark for item in box.confirm([51, 51, 1])] == [7]
    assert box.confirm([51]) == [] and box.confirmed == 1


def test_what_could_not_be_sent_is_next_again_in_its_order() -> None:
    box = Outbox(window=3)
    box.put(items(*"12345"))
    box.not_sent(box.take())
    assert send_all(box) == list("123")


def test_where_it_is_full_the_oldest_go_and_are_counted() -> None:
    box = Outbox(most=10, window=4)
    box.put(items(*"0123456789"))
    send_all(box)
    box.put(items("a"))
    assert len(box) <= 10 and box.dropped == 11 - len(box)
    box.lost()
    box.window = 100
    assert send_all(box) == list("01236789a")


def test_the_newest_of_a_retained_topic_is_never_given_up_for_others() -> None:
    box = Outbox(most=10, window=1)
    box.put([Outgoing("alarm/a", b"old", True), Outgoing("alarm/a", b"new", True), Outgoing("alarm/b", b"only", True)])
    for number in range(100):
        box.put(items(str(number)))
    assert len(box) <= 10
    box.window = 100
    sent = send_all(box)
    assert sent[:2] == ["new", "only"]
    assert sent[-1] == "99"
    assert box.dropped == 103 - len(sent)


def test_more_retained_topics_than_there_is_room_for_are_bounded_too() -> None:
    box = Outbox(most=10)
    box.put([Outgoing(f"alarm/{number}", b"", True) for number in range(50)])
    assert len(box) == 10 and box.dropped == 40


def test_what_is_left_at_the_end_is_counted_as_given_up() -> None:
    box = Outbox(window=2)
    box.put(items(*"12345"))
    send_all(box)
    box.clear()
    assert (len(box), box.dropped) == (0, 5)


@given(st.lists(st.sampled_from(["put", "send", "confirm", "lose"]), max_size=60), st.integers(1, 5))
def test_nothing_overtakes_and_nothing_is_missing(steps: list[str], window: int) -> None:
    box = Outbox(window=window)
    made, number = 0, 0
    flight: list[tuple[int, int]] = []
    confirmed: list[int] = []
    for step in steps:
        if step == "put":
            box.put([Outgoing("t", str(made).encode(), True)])
            made += 1
        elif step == "send":
            taken = box.take()
            numbers = range(number + 1, number + len(taken) + 1)
            box.sent(numbers, taken)
            number += len(taken)
            flight += zip(numbers, (int(item.payload) for item in taken), strict=True)
        elif step == "confirm" and flight:
            first, which = flight.pop(0)
            assert len(box.confirm([first])) == 1
            confirmed.append(which)
        elif step == "lose":
            flight.clear()
            box.lost()
        order = confirmed + [which for _, which in flight]
        assert order == list(range(len(order)))
    assert len(box) == made - len(confirmed)
