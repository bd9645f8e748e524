"""The next second of a lead: a linear model of this patient's own last minutes, as in the lesson `forecast`.

It is solved anew every few seconds from what has come, and each forecast is judged once its second has come: so its
errors are of signal that it had not seen.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from monitor.link.protocol import Foretold

Floats = NDArray[np.float64]
RATE: Final = 50.0
"""Hz: enough for a continuation to look at."""
PAST: Final = 100
AHEAD: Final = 50
"""Values seen, and foretold: 2 s and 1 s."""
LEARNED: Final = 15_000
"""Values that the model is solved on at most: 5 min."""
LEAST: Final = 1000
SOLVE_EVERY: Final = 250
TELL_EVERY: Final = 10
RIDGE: Final = 10.0
BAND: Final = (0.7, 20.0)
JUDGED: Final = 300
"""Forecasts whose errors are told: the last minute."""
NEAR: Final = 5
"""Values in a tenth of a second."""
WAYS: Final = ("linear", "mean", "persistence")


class Foreteller:
    """Foretells one lead from the first sample it is given. rate: Hz."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._sos = butter(2, BAND, "bandpass", fs=rate, output="sos")
        self._state: Floats = np.zeros((len(self._sos), 2))
        self._first = -1
        self._next = 0
        self._last, self._level = 0.0, float("nan")
        self._values: deque[float] = deque(maxlen=LEARNED)
        self._count = 0
        self._weight: Floats | None = None
        self._waiting: deque[tuple[int, dict[str, Floats]]] = deque()
        self._squares: deque[dict[str, Floats]] = deque(maxlen=JUDGED)

    def take(self, samples: NDArray[np.float32], index: int) -> list[Foretold]:
        """New signal, mV, NaN where it is missing; what was foretold meanwhile. index: of the first sample."""
        if self._first < 0:
            self._first = self._next = index
        known = np.where(np.isnan(samples), np.float32(self._level), samples).astype(np.float64)
        if np.isnan(self._level):
            heard = samples[~np.isnan(samples)]
            if not len(heard):
                return []
            self._level = float(heard[0])
            known = np.where(np.isnan(known), self._level, known)
        smooth, self._state = sosfilt(self._sos, known - self._level, zi=self._state)
        places = np.arange(self._next - self._first - 1, self._next - self._first + len(smooth))
        at = np.arange(np.ceil((places[0] + 1e-9) * RATE / self._rate), np.floor(places[-1] * RATE / self._rate) + 1)
        self._next += len(smooth)
        told = []
        for number, value in zip(
            at, np.interp(at * self._rate / RATE, places, np.concatenate(([self._last], smooth))), strict=True
        ):
            self._values.append(float(value))
            self._count += 1
            if self._step():
                told.append(self._tell(self._first + int(number * self._rate / RATE)))
        self._last = float(smooth[-1]) if len(smooth) else self._last
        return told

    def _step(self) -> bool:
        """One value more; is there something to foretell?."""
        while self._waiting and self._waiting[0][0] <= self._count - AHEAD:
            _, given = self._waiting.popleft()
            came = self._newest(AHEAD)
            size = max(float(np.std(self._values)), 1e-6)
            self._squares.append({way: ((values - came) / size) ** 2 for way, values in given.items()})
        if len(self._values) >= LEAST and (self._weight is None or self._count % SOLVE_EVERY == 0):
            self._weight = solved(np.array(self._values))
        return self._weight is not None and self._count % TELL_EVERY == 0

    def _newest(self, count: int) -> Floats:
        values = self._values
        return np.array([values[place] for place in range(len(values) - count, len(values))])

    def _tell(self, index: int) -> Foretold:
        assert self._weight is not None
        past = self._newest(PAST)
        values = np.append(past, 1.0) @ self._weight
        given = {"linear": values, "mean": np.zeros(AHEAD), "persistence": np.full(AHEAD, past[-1])}
        self._waiting.append((self._count, given))
        return Foretold(index, RATE, [round(value, 4) for value in values.tolist()])

    def errors(self) -> dict[str, tuple[float, float, float]]:
        """Errors of the last minute's forecasts in standard deviations: first tenth of a second, last tenth, whole."""
        if not self._squares:
            return {}
        found = {}
        for way in WAYS:
            mean = np.mean([one[way] for one in self._squares], axis=0)
            near, far, whole = (float(np.sqrt(part.mean())) for part in (mean[:NEAR], mean[-NEAR:], mean))
            found[way] = (round(near, 3), round(far, 3), round(whole, 3))
        return found


def solved(signal: Floats) -> Floats:
    """The ridge regression of every future value on all past ones: float64 [PAST + 1, AHEAD]."""
    spans = np.lib.stride_tricks.sliding_window_view(signal, PAST + AHEAD)[::3]
    inputs = np.concatenate((spans[:, :PAST], np.ones((len(spans), 1))), axis=1)
    scale = max(float(signal.std()), 1e-6) ** 2  # the lesson's ridge is for a signal of variance 1
    weight = np.linalg.solve(inputs.T @ inputs + RIDGE * scale * np.eye(PAST + 1), inputs.T @ spans[:, PAST:])
    return np.asarray(weight)
