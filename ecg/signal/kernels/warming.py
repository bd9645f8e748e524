"""Every kernel called once, with arguments of the types that it will get, so that it is loaded or compiled."""

from __future__ import annotations

from typing import Any, Final, TypeVar, get_type_hints

import numpy as np

from ecg.signal import features, lane, rule_numbers
from ecg.signal.compiled import Kernels, RuleKernels, Rules, Terms
from ecg.signal.detector import SHAPE
from ecg.signal.filters import DESIGNS
from ecg.signal.kernels.judging import Own
from ecg.signal.path import SignalPath
from ecg.signal.recent import HISTORY
from ecg.signal.resampler import MODEL_RATE, kernel
from ecg.signal.slots import State
from ecg.signal.windows import WINDOW

RATE: Final = 360.0
Constants = TypeVar("Constants", Terms, Rules)


def warm_up(kernels: Kernels) -> None:
    """Call every kernel once, so that it is loaded, or compiled where it is not yet."""
    state, slots = SignalPath(1).state, np.zeros(1, np.int64)
    chunk = np.zeros(64, np.float32)
    kernels.step(state, DESIGNS, kernel(RATE), slots, slots, [chunk], RATE)
    kernels.advance(state, DESIGNS, kernel(RATE), slots, chunk[None], 1)
    flat = np.zeros((1, HISTORY + 1))
    kernels.find(state, slots, flat, flat, flat, slots, 1)
    cuts = np.sin(np.arange(WINDOW))[None]
    kernels.describe(state, slots, np.full(1, float(MODEL_RATE)), cuts, len(features.FEATURES))
    assert state["shape"].shape[1] == SHAPE
    _look_once(kernels)
    kernels.irregularity(np.ones(4, np.int64), 1, 0.5, 2)
    _rule_once(kernels.rules)
    kernels.hear([(bytes(8), 2, np.ones((1, 6)), 1)], -1, 2)
    one, two = np.zeros(2, np.int64), np.full((2, 2), -1)
    kernels.split(
        bytes(2), two, one, np.zeros(1, np.uint8), (np.zeros((1, 7), np.int64), one, np.zeros(4, np.uint8), two)
    )
    _take_once(kernels)
    sizes = "14,16 16 80,16 16 2,16,48 2,48 2,16,48 2,48 32,16 16 4,48 48 16,48 48 20,16 16"
    weights = [np.zeros([int(part) for part in size.split(",")], np.float32) for size in sizes.split()]
    room = np.zeros((1, 2), np.float32)
    kernels.classify(tuple(weights), np.zeros((1, 2, WINDOW), np.float32), room, slots, room, 2)


def _take_once(kernels: Kernels) -> None:
    """The kernels of messages that are taken without an object each."""
    one, known = np.zeros(1, np.int64), lane.fresh(1, np.zeros((1, 2, 3), np.int64), np.zeros(1, np.int64))
    data, signals, table = np.frombuffer(bytes(4), np.uint8), np.zeros(4, np.float32), np.zeros((1, 4), np.int64)
    out = np.zeros(1, bool), signals, table, one, 0, 0
    kernels.take(known, data, one, one, one, one, (0.0, 0, -1, 2, 0.5), out)
    kernels.gather(known.numbers, signals, table[:0])


def _look_once(kernels: Kernels) -> None:
    """The kernels of looks."""
    one, none = np.zeros(1, np.int64), np.zeros((1, 40))
    state: State = {
        "block": np.ones(1, np.int64),
        **{name: np.zeros(1, np.int64) for name in ("begin", "seen")},
        "rest": np.zeros((1, 5), np.float32),
        **{name: np.zeros((1, 40)) for name in ("means", "spreads")},
    }
    kernels.looks(state, one, [np.zeros(4, np.float32)], 2, 40)
    kernels.show(none, none, np.ones(1), one, _any_of(Terms, 3))
    kernels.shapes(none, one, np.full(1, 9), 3, 4)
    _judge_once(kernels)


def _judge_once(kernels: Kernels) -> None:
    """The kernel that weighs looks."""
    one, real = np.zeros(1, np.int64), np.zeros(1)
    flags = {name: np.zeros(1, bool) for name in Own._fields[-10:]}
    own: State = {name: one.copy() for name in Own._fields} | flags
    looks: State = {"usual": real, "rate": real, "begin": one, "block": one}
    wide: State = {name: np.zeros((2, 6)) for name in ("template", "last", "alike", "like_last")}
    beats: State = {"count": np.zeros(2, np.int64), "height": np.zeros(2), "size": np.zeros(2), **wide}
    beats["at"] = np.zeros((2, 6), np.int64)
    seen = (one, one, one, real, one, real, real, real, real, np.zeros(1, bool), real, real, one)
    gone = np.zeros(2, bool)
    kernels.judge(own, looks, beats, gone, seen, (one, one, real, real, np.zeros((1, 3, 6))), _any_of(Rules, 2))


def _rule_once(rules: RuleKernels) -> None:
    """The kernels of the alarms' rules."""
    memory: State = {
        "numbers": np.zeros((1, rule_numbers.AT_RR + 2), np.int64),
        "reals": np.zeros((1, rule_numbers.AT_ATRIAL + 1)),
        "told": np.zeros((1, 2, rule_numbers.SIGN), np.int64),
        "coming": np.zeros((1, 2), np.int64),
    }
    none, wide = np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
    rules.sign(memory, none, np.zeros((0, rule_numbers.SIGN), np.int64))
    limits = np.zeros((1, rule_numbers.WHOLE), np.int64), np.zeros((1, rule_numbers.REAL))
    rules.tell(memory, limits, wide, (none, none, none, none, np.zeros((0, 4))), wide)


def _any_of(kind: type[Constants], whole: int) -> Constants:
    """Constants of the right types: a kernel is compiled for types."""
    values: Any = {name: 1.0 if one is float else whole for name, one in get_type_hints(kind).items()}
    return kind(**values)
