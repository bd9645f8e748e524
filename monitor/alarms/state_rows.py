"""One bed's memory as numbers in rows, and back: what the compiled rules remember (`ecg.signal.rule_numbers`)."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASSES
from ecg.signal import rule_numbers as r
from monitor.alarms import unreadable
from monitor.alarms.kinds import KINDS
from monitor.alarms.remembered import sign_of
from monitor.alarms.state import UNKNOWN, BedState, Episode, Evidence, Sign

NUMBERS: Final = {
    "now": r.NOW,
    "deadline": r.DEADLINE,
    "quiet_since": r.QUIET_SINCE,
    "run_length": r.RUN_LENGTH,
    "others": r.OTHERS,
    "since_af": r.SINCE_AF,
    "silenced_until": r.SILENCED_UNTIL,
    "sure": r.SURE,
    "unlike": r.UNLIKE,
    "denied": r.DENIED,
    "doubted": r.DOUBTED,
    "doubted_until": r.DOUBTED_UNTIL,
    "held": r.HELD_BACK,
    "unread_since": r.UNREAD_SINCE,
    "read_since": r.READ_SINCE,
}
FLAGS: Final = {"stopped": r.STOPPED, "broad": r.BROAD, "founded": r.FOUNDED}
LISTS: Final = {
    "beats": (r.BEATS, r.AT_BEATS, r.MOST_BEATS),
    "second": (r.SECOND, r.AT_SECOND, r.MOST_SECOND),
    "run": (r.RUN, r.AT_RUN, r.MOST_RUN),
    "recent_v": (r.RECENT_V, r.AT_RECENT_V, r.MOST_RECENT_V),
}
"""Of the numbers: how long a list is, where it begins, and how long it may be."""
Named = Literal["", "ventricular_run", "nonsustained_vt"]
RUNS: Final[tuple[Named, ...]] = ("", "ventricular_run", "nonsustained_vt")
CYCLES: Final = ("bigeminy", "trigeminy")
REASONS: Final = {
    code: unreadable.why(Sign(0, lead_off=code == r.WHY_OFF, faults=code)) for code in (*range(16), r.WHY_OFF)
} | {r.NOTHING: ""}
"""Why a bed cannot be analysed, in words."""
CODES: Final = {words: code for code, words in REASONS.items()}


def numbers_of(sign: Sign) -> list[int]:
    """A sign as numbers, in the order of its fields."""
    return [int(getattr(sign, field)) for field in Sign.__struct_fields__]


def sign_at(numbers: NDArray[np.int64], begin: int = 0) -> Sign:
    """A sign from its numbers."""
    index, *told = numbers[begin : begin + r.SIGN].tolist()
    return sign_of(index, told)


def stored(state: BedState, limits: int, room: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A bed's numbers and real numbers, without what the clock has not reached. limits: the row of its limits.

    room: for RR intervals. Raises ValueError where they are no memory of these rules.
    """
    numbers, reals = np.zeros(r.AT_RR + 2 * room, np.int64), np.zeros(r.AT_ATRIAL + room)
    try:
        _store(state, numbers, reals, room)
    except (OverflowError, KeyError) as error:
        raise ValueError(f"no memory of alarms: {error}") from None
    numbers[r.LIMITS] = limits
    return numbers, reals


def _store(state: BedState, numbers: NDArray[np.int64], reals: NDArray[np.float64], room: int) -> None:
    for name, column in (*NUMBERS.items(), *FLAGS.items()):
        numbers[column] = getattr(state, name)
    numbers[r.LAST_CLASS] = CLASSES.index(state.last_class) if state.last_class in CLASSES else r.NOTHING
    numbers[r.RUN_NAMED] = RUNS.index(state.run_named)
    numbers[r.CYCLES : r.CYCLES + 2] = [state.cycles[kind] for kind in CYCLES]
    numbers[r.SPELL] = sum(1 << KINDS.index(kind) for kind in set(state.spell) & set(KINDS))
    numbers[r.WHY] = CODES.get(state.why, 0)
    numbers[r.NOISE] = r.NOTHING
    numbers[r.NEXT_SIGN] = state.told[0].index if state.told else r.NEVER
    numbers[r.NEXT_PEAK] = state.coming[0] if state.coming else r.NEVER
    numbers[r.SIGNED : r.SIGNED + r.SIGN] = numbers_of(state.sign)
    for name, (length, begin, most) in LISTS.items():
        values = getattr(state, name)[-most:]
        numbers[length] = len(values)
        numbers[begin : begin + len(values)] = values
    rr, ends = state.rr[-room:], state.rr_ends[-room:]
    if len(rr) != len(ends):
        raise ValueError("RR intervals and R-peaks that end them are not as many")
    numbers[r.RR] = len(rr)
    numbers[r.AT_RR : r.AT_RR + 2 * len(rr)] = np.array([rr, ends], np.int64).T.reshape(-1)
    atrial = [UNKNOWN] * (len(rr) - len(state.atrial)) + state.atrial
    reals[r.AT_ATRIAL : r.AT_ATRIAL + len(rr)] = atrial[len(atrial) - len(rr) :]
    reals[r.DOUBTED_RR] = state.doubted_rr
    evidence = [
        value for one in state.evidence[-r.MOST_EVIDENCE :] for value in (one.v, one.alike, one.beside, one.atrial)
    ]
    numbers[r.EVIDENCE] = len(evidence) // 4
    reals[r.AT_EVIDENCE : r.AT_EVIDENCE + len(evidence)] = evidence
    episodes = numbers[r.AT_EPISODES : r.AT_BEATS].reshape(r.KINDS, r.EPISODE)
    episodes[:, r.RAISED] = -1
    for place, (kind, one) in enumerate(state.episodes.items()):
        number = KINDS.index(kind) if kind in KINDS else -1
        if number < 0:
            raise ValueError(f"an alarm that is none: {kind}")
        numbers[r.AT_SHOWN + place] = number
        episodes[number] = one.onset, one.raised, one.over, one.acknowledged, one.times
    numbers[r.EPISODES] = len(state.episodes)


def episodes(numbers: NDArray[np.int64]) -> dict[str, Episode]:
    """The episodes of a bed, in the order in which they began."""
    rows = numbers[r.AT_EPISODES : r.AT_BEATS].reshape(r.KINDS, r.EPISODE)
    found = {}
    for number in numbers[r.AT_SHOWN : r.AT_SHOWN + int(numbers[r.EPISODES])].tolist():
        onset, raised, over, acknowledged, times = rows[number].tolist()
        found[KINDS[number]] = Episode(onset, raised, over, bool(acknowledged), times)
    return found


def loaded(
    numbers: NDArray[np.int64], reals: NDArray[np.float64], told: NDArray[np.int64], coming: NDArray[np.int64]
) -> BedState:
    """The memory that these rows hold."""
    row = numbers[: r.SIGNED].tolist()
    rr = numbers[r.AT_RR : r.AT_RR + 2 * row[r.RR]].reshape(-1, 2)
    evidence = reals[r.AT_EVIDENCE : r.AT_EVIDENCE + 4 * row[r.EVIDENCE]].reshape(-1, 4)
    plain: dict[str, Any] = {name: row[column] for name, column in NUMBERS.items()}
    plain |= {name: bool(row[column]) for name, column in FLAGS.items()}
    plain |= {name: numbers[begin : begin + row[length]].tolist() for name, (length, begin, _) in LISTS.items()}
    return BedState(
        **plain,
        sign=sign_at(numbers, r.SIGNED),
        told=[sign_at(one) for one in told[: row[r.TOLD]]],
        coming=coming[: row[r.COMING]].tolist(),
        last_class=CLASSES[row[r.LAST_CLASS]] if row[r.LAST_CLASS] >= 0 else "",
        run_named=RUNS[row[r.RUN_NAMED]],
        cycles=dict(zip(CYCLES, row[r.CYCLES : r.CYCLES + 2], strict=True)),
        rr=rr[:, 0].tolist(),
        rr_ends=rr[:, 1].tolist(),
        atrial=reals[r.AT_ATRIAL : r.AT_ATRIAL + row[r.RR]].tolist(),
        episodes=episodes(numbers),
        evidence=[Evidence(*one) for one in evidence.tolist()],
        doubted_rr=float(reals[r.DOUBTED_RR]),
        spell=[kind for number, kind in enumerate(KINDS) if row[r.SPELL] >> number & 1],
        why=REASONS[row[r.WHY]],
    )
