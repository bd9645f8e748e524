"""Records spread over processes: patients are independent, so each process plays some through a ward of its own.

What comes back is what one ward gives, to the same bits: a bed's numbers do not depend on those beside it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from threading import Barrier
from typing import Final, TypeVar

from ecg import beside
from ecg.model.doubt import NONE as NO_DOUBT
from ecg.model.doubt import Doubt
from ecg.model.weights import Weights
from ecg.records.record import Record
from ecg.settings import Config
from monitor.evaluation.replay import Heard
from monitor.evaluation.replay import listen as listen_here

FEWEST_SECONDS: Final = 3600.0
"""Signal from which on another process pays: it takes a second to start."""
PATIENCE_S: Final = 300.0
"""How long a process waits for the others to be ready."""

Part = TypeVar("Part")
Made = TypeVar("Made")


class _Gate:
    """Where the processes of this one's pool wait for each other; None in a process of no pool."""

    barrier: Barrier | None = None


def shares(sizes: Sequence[float], count: int) -> list[list[int]]:
    """Places of these sizes in up to so many parts of about one size, each in order: the largest first, each to the
    part that has least.
    """
    parts: list[list[int]] = [[] for _ in range(min(count, len(sizes)))]
    filled = [0.0] * len(parts)
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        least = filled.index(min(filled))
        parts[least].append(place)
        filled[least] += sizes[place]
    return [sorted(part) for part in parts]


def each(work: Callable[[Part], Made], parts: Sequence[Part]) -> Iterator[tuple[int, Made]]:
    """Each part in a process of its own, all at once: its place and what `work` makes of it, as they are done.

    work, parts and what is made of them go from process to process, so they must be picklable.
    """
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(len(parts))
    with ProcessPoolExecutor(len(parts), context, _begin, (gate, max(beside.cores() // len(parts), 1))) as pool:
        places = {pool.submit(work, part): place for place, part in enumerate(parts)}
        for done in as_completed(places):
            yield places[done], done.result()


def together() -> None:
    """Wait until all processes of `each` have come here; called once by each."""
    if _Gate.barrier is not None:
        _Gate.barrier.wait(PATIENCE_S)


def _begin(gate: Barrier, cores: int) -> None:
    """First of all in each process."""
    _Gate.barrier = gate
    beside.keep_to(cores)


def listen(
    records: Sequence[Record],
    config: Config,
    weights: Weights,
    device: str,
    progress: Callable[[float], None] | None = None,
    doubt: Doubt = NO_DOUBT,
    processes: int | None = None,
) -> list[Heard]:
    """`replay.listen` in so many processes; by default as many as there are cores and signal for, on a CPU.

    progress: then called when a process is done.
    """
    sizes = [record.seconds for record in records]
    if processes is None:
        processes = min(beside.cores(), int(sum(sizes) // FEWEST_SECONDS)) if device == "cpu" else 1
    parts = shares(sizes, max(processes, 1))
    if len(parts) <= 1:
        return listen_here(records, config, weights, device, progress, doubt)
    work = partial(_heard, config=config, weights=weights, device=device, doubt=doubt)
    heard: dict[int, Heard] = {}
    for place, found in each(work, [[records[one] for one in part] for part in parts]):
        heard.update(zip(parts[place], found, strict=True))
        if progress:
            progress(sum(sizes[one] for one in heard) / sum(sizes))
    return [heard[place] for place in range(len(records))]


def _heard(records: list[Record], config: Config, weights: Weights, device: str, doubt: Doubt) -> list[Heard]:
    return listen_here(records, config, weights, device, None, doubt)
