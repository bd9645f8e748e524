"""The episodes that the cardiologists' annotations hold, by the alarms' own definitions (docs/alarms.md).

Written over whole arrays of beats, with nothing of the state machine in it, so that the two check one another.
Beats in ventricular flutter are not told apart there, nor heard by the alarms until its end is known: that time is
left out of everything that is counted by beats, as ANSI/AAMI EC57 leaves it out of beat scores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASS_OF
from ecg.records.record import ATRIAL_FIBRILLATION, Annotations
from ecg.settings import AlarmSettings
from monitor.alarms.limits import FAST_RR, SLOW_RR

FLUTTER = ("(VFL", "(VFIB", "(VF")
"""The labels of flutter and fibrillation; databases differ."""
AFTER_FLUTTER_SECONDS = 5.0
"""After flutter no beat is counted for so long: its end cannot be known sooner."""
RUNS = ("ventricular_run", "nonsustained_vt", "ventricular_rhythm", "ventricular_tachycardia")
"""The alarms that a run of V can make, whatever its rate."""


@dataclass(frozen=True, slots=True)
class Span:
    """From sample `onset` to sample `over`, both in it."""

    onset: int
    over: int

    def near(self, other: Span, window: int = 0) -> bool:
        """Whether the two have a sample in common, or come within `window` samples of it."""
        return self.onset <= other.over + window and other.onset <= self.over + window


@dataclass(frozen=True, slots=True)
class Reference:
    """What one record's annotations say.

    beats: int64 [m], R-peaks; classes: str [m], AAMI classes. episodes: by kind of alarm, "run" for runs of V at any
    rate. rhythms: spans by rhythm label ("(AFIB", ...). excluded: time that says nothing about beats.
    """

    beats: NDArray[np.int64]
    classes: NDArray[np.str_]
    episodes: dict[str, list[Span]]
    rhythms: dict[str, list[Span]]
    excluded: list[Span]


def reference(annotations: Annotations, settings: AlarmSettings, rate: float, length: int) -> Reference:
    """All episodes of one record. rate: Hz. length: samples."""
    classes = np.array([CLASS_OF.get(symbol, "") for symbol in annotations.symbol], np.str_)
    beats, classes = annotations.index[classes != ""], classes[classes != ""]
    rhythms = rhythm_spans(annotations, length)
    flutter = sorted((span for label in FLUTTER for span in rhythms.get(label, [])), key=lambda span: span.onset)
    after = round(AFTER_FLUTTER_SECONDS * rate)
    excluded = [Span(span.onset, min(span.over + after, length - 1)) for span in flutter]
    episodes: dict[str, list[Span]] = {"fibrillation": flutter}
    for at, what in _pieces(beats, classes, excluded):
        for kind, found in _of_piece(at, what, settings, rate).items():
            episodes.setdefault(kind, []).extend(found)
    episodes["atrial_fibrillation"] = rhythms.get(ATRIAL_FIBRILLATION, [])
    return Reference(beats, classes, episodes, rhythms, excluded)


def rhythm_spans(annotations: Annotations, length: int) -> dict[str, list[Span]]:
    """Spans by rhythm label. A label holds until the next one, or the end of the record."""
    changes = [
        (int(index), str(rhythm))
        for index, symbol, rhythm in zip(annotations.index, annotations.symbol, annotations.rhythm, strict=True)
        if symbol == "+" and rhythm
    ]
    spans: dict[str, list[Span]] = {}
    for (index, rhythm), (after, _) in zip(changes, [*changes, (length, "")][1:], strict=True):
        before = spans.setdefault(rhythm, [])
        if before and before[-1].over >= index - 1:
            before[-1] = Span(before[-1].onset, after - 1)
        else:
            before.append(Span(index, after - 1))
    return spans


def _pieces(
    beats: NDArray[np.int64], classes: NDArray[np.str_], excluded: list[Span]
) -> list[tuple[NDArray[np.int64], NDArray[np.str_]]]:
    """The beats between excluded spans."""
    number = np.zeros(len(beats), np.int64)
    inside = np.zeros(len(beats), bool)
    for span in excluded:
        number += beats > span.over
        inside |= (beats >= span.onset) & (beats <= span.over)
    return [
        (beats[chosen], classes[chosen])
        for chosen in (~inside & (number == piece) for piece in range(len(excluded) + 1))
        if chosen.any()
    ]


def _of_piece(
    beats: NDArray[np.int64], classes: NDArray[np.str_], settings: AlarmSettings, rate: float
) -> dict[str, list[Span]]:
    """Episodes in a stretch of beats without interruption."""
    is_v = classes == "V"
    gaps = np.diff(beats)
    text = "V" if is_v[0] else "o"
    places = [0]
    for number, ventricular in enumerate(is_v[1:], start=1):
        if gaps[number - 1] >= settings.pause_seconds * rate:
            text += "|"
            places.append(-1)
        text += "V" if ventricular else "o"
        places.append(number)

    def matches(pattern: str) -> list[NDArray[np.int64]]:
        """Positions of the beats of each match."""
        return [
            np.array([places[at] for at in range(*found.span()) if places[at] >= 0])
            for found in re.finditer(pattern, text)
        ]

    def spans(groups: list[NDArray[np.int64]]) -> list[Span]:
        return [Span(int(beats[group[0]]), int(beats[group[-1]])) for group in groups]

    def windows(group: NDArray[np.int64], size: int, longest: float, shortest: float = 0.0) -> list[Span]:
        """Runs of `size` V whose mean RR interval is above `shortest` and at most `longest`, joined."""
        if len(group) < size:
            return []
        at = beats[group]
        mean = (at[size - 1 :] - at[: 1 - size]) / (size - 1)
        return _joined(at, (mean > shortest) & (mean <= longest), size - 1)

    minute = 60 * rate
    fast, slow = minute / settings.vt_rate, minute / settings.ventricular_rhythm_rate
    runs = [group for group in matches("V+") if len(group) >= settings.run_beats]
    cycles = "o" + "V" + "(oV)" + f"{{{settings.bigeminy_cycles - 1},}}"
    triple = "ooV" + "(ooV)" + f"{{{settings.trigeminy_cycles - 1},}}"
    return {
        "couplet": spans([group for group in matches("V+") if len(group) == 2]),
        "run": spans(runs),
        "nonsustained_vt": [span for run in runs for span in windows(run, settings.run_beats, fast)],
        "ventricular_tachycardia": [span for run in runs for span in windows(run, settings.vt_beats, fast)],
        "ventricular_rhythm": [
            span for run in runs for span in windows(run, settings.ventricular_rhythm_beats, slow, fast)
        ],
        "bigeminy": spans(matches(cycles)),
        "trigeminy": spans(matches(triple)),
        "pause": _long(beats, settings.pause_seconds * rate),
        "asystole": _long(beats, settings.asystole_seconds * rate),
        "bradycardia": _rate(beats, SLOW_RR, minute / settings.bradycardia_rate, slow=True),
        "extreme_bradycardia": _rate(
            beats, settings.extreme_bradycardia_beats - 1, minute / settings.extreme_bradycardia_rate, slow=True
        ),
        "tachycardia": _rate(beats, FAST_RR, minute / settings.tachycardia_rate, slow=False),
        "extreme_tachycardia": _rate(
            beats, settings.extreme_tachycardia_beats - 1, minute / settings.extreme_tachycardia_rate, slow=False
        ),
        "frequent_v": _frequent(beats[is_v], settings.frequent_v_per_minute, minute),
        "r_on_t": _r_on_t(beats, is_v, gaps, settings, rate),
    }


def _joined(at: NDArray[np.int64], chosen: NDArray[np.bool_], reach: int) -> list[Span]:
    """Spans from at[i] to at[i + reach] for each chosen i, those that overlap joined."""
    spans: list[Span] = []
    for i in np.flatnonzero(chosen):
        onset, over = int(at[i]), int(at[i + reach])
        if spans and onset <= spans[-1].over:
            spans[-1] = Span(spans[-1].onset, over)
        else:
            spans.append(Span(onset, over))
    return spans


def _long(beats: NDArray[np.int64], least: float) -> list[Span]:
    """RR intervals of at least `least` samples."""
    return [Span(int(beats[i]), int(beats[i + 1])) for i in np.flatnonzero(np.diff(beats) >= least)]


def _rate(beats: NDArray[np.int64], count: int, mean_rr: float, *, slow: bool) -> list[Span]:
    """Where the mean of `count` RR intervals is longer (slow) or shorter than `mean_rr` samples."""
    if len(beats) <= count:
        return []
    mean = (beats[count:] - beats[:-count]) / count
    return _joined(beats, mean > mean_rr if slow else mean < mean_rr, count)


def _frequent(ventricular: NDArray[np.int64], most: int, minute: float) -> list[Span]:
    """More than `most` V in a minute."""
    if len(ventricular) <= most:
        return []
    return _joined(ventricular, ventricular[most:] - ventricular[:-most] < minute, most)


def _r_on_t(
    beats: NDArray[np.int64], is_v: NDArray[np.bool_], gaps: NDArray[np.int64], settings: AlarmSettings, rate: float
) -> list[Span]:
    """V within the QT interval (Bazett, from the mean of the RR intervals before) of a beat that is not V."""
    found = []
    for i in range(FAST_RR + 1, len(beats)):
        mean = float(gaps[i - 1 - FAST_RR : i - 1].mean())
        after_other = not is_v[i - 1] and gaps[i - 1] < settings.pause_seconds * rate
        if is_v[i] and after_other and gaps[i - 1] / rate < settings.r_on_t_qt_seconds * (mean / rate) ** 0.5:
            found.append(Span(int(beats[i]), int(beats[i])))
    return found
