"""Which chunk brought a sample."""

from __future__ import annotations

import numpy as np

from monitor.ward.arrivals import KEPT, Arrivals
from monitor.ward.pieces import Block


def block(index: int, count: int, sent_ns: int) -> Block:
    return Block(index, bytes(2 * count), [1.0], [0.0], sent_ns, sent_ns + 5)


def of(arrivals: Arrivals, slot: int, ready: int) -> tuple[int, int]:
    sent, received = arrivals.of(np.array([slot]), np.array([ready]))
    return int(sent[0]), int(received[0])


def test_a_sample_has_the_times_of_its_chunk_and_what_is_not_here_those_of_the_nearest() -> None:
    arrivals = Arrivals(1)
    arrivals.grow(3)
    assert of(arrivals, 2, 7) == (0, 0)
    chunks = [block(90 * number, 90, 1000 + number) for number in range(KEPT + 10)]
    for one in chunks:
        arrivals.add(2, one)
    for one in chunks[10:]:
        assert of(arrivals, 2, one.index) == of(arrivals, 2, one.index + 89) == (one.sent_ns, one.received_ns)
    assert of(arrivals, 2, 5)[0] == chunks[10].sent_ns
    assert of(arrivals, 2, 90 * (KEPT + 11))[0] == chunks[-1].sent_ns
    sent, _ = arrivals.of(np.array([2, 1, 2]), np.array([950, 950, 9000]))
    assert sent.tolist() == [1010, 0, chunks[-1].sent_ns]
    arrivals.clear(2)
    assert of(arrivals, 2, 950) == (0, 0)
