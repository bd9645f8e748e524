"""Carry out a plan (ecg.rhythms.plan): the beats of a lead at other times, some of them with other shapes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.donors import BEFORE, Floats
from ecg.rhythms.plan import Noise, Plan, PWave, Wave

BEFORE_P: Final = 0.22
"""s before the R-peak: the beginning of a beat."""
AFTER_T: Final = 0.40
"""s after the R-peak: its end, at a heart rate of 60/min."""
QRS: Final = 0.07
"""s before the R-peak: the beginning of a donor's beat after another conduction."""
P_TO_QRS: Final = 0.06
"""s before the R-peak: the latest beginning of the QRS complex."""


def move(
    signal: Floats, marks: NDArray[np.int64], peaks: NDArray[np.int64], made: Plan, rate: float, size: float = 1.0
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Carry out a plan on a lead whose normal QRS has this size.

    The span between the T wave of one beat and the P wave of the next is stretched or shortened. If a beat is so early
    that its P wave falls on the T wave before it, the two are added. Returns the new signal, and the new places of
    `marks` and `peaks` (samples).
    """
    rr = np.diff(peaks, prepend=0)
    begin = peaks - np.minimum(BEFORE_P * rate, 0.4 * rr).astype(np.int64)
    end = peaks[:-1] + np.minimum(AFTER_T * rate * np.sqrt(np.clip(rr[1:] / rate, 0.3, 1.5)), 0.55 * rr[1:]).astype(
        np.int64
    )
    end = np.minimum(end, begin[1:])
    parts: list[Floats] = [signal[: begin[0]]]
    old, new = [0, int(begin[0])], [0, int(begin[0])]
    length = int(begin[0])
    longer = 0
    for k, start in enumerate(begin):
        last = int(end[k]) if k < len(end) else len(signal)
        to_peak = int(peaks[k] - start)
        to_qrs = int(to_peak - P_TO_QRS * rate)
        body = signal[start:last].copy()
        _change_p(body, PWave(made.p_wave[k], made.p_turn[k], made.p_shift[k]), to_qrs, rate)
        if k in made.bodies:
            weight, begins = (1.0, QRS) if made.conducted[k] else (made.weight[k], BEFORE)
            body = _ventricular(body, to_peak, made.bodies[k] * size, weight, rate, begins)
        shared = 0
        if k:
            rest = signal[end[k - 1] : start]
            wanted = len(rest) + round((made.interval[k] - 1) * int(rr[k])) - longer
            if wanted >= 0:
                between = _stretch(rest, wanted) if wanted != len(rest) else rest
                parts.append(between)
                length += len(between)
            else:
                tail = parts[-1]
                shared = max(min(-wanted, to_qrs, len(tail) - int(0.3 * rate)), 0)
                if shared:
                    body[:shared] = _add(tail[-shared:], body[:shared])
                    parts[-1] = tail[:-shared]
                    length -= shared
        longer = len(body) - (last - int(start))
        if shared < to_peak < last - start:
            old += [int(start) + shared, int(peaks[k]), last]
            new += [length + shared, length + to_peak, length + len(body)]
        else:
            old += [int(start) + shared, last]
            new += [length + shared, length + len(body)]
        parts.append(body)
        length += len(body)

    def moved(where: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.clip(np.rint(np.interp(where, old, new)), 0, length - 1).astype(np.int64)

    return np.concatenate(parts), moved(marks), moved(peaks)


def fibrillate(
    signal: Floats, peaks: NDArray[np.int64], wave: Wave, size: float, rate: float, rng: np.random.Generator
) -> None:
    """Add the waves of fibrillating atria between two beats, in place.

    A sawtooth of three harmonics whose frequency and size wander, after Stridh & Sornmo (IEEE Trans Biomed Eng
    48(1):105-111, 2001).
    """
    here = _between(peaks, wave, rate)
    if here is None:
        return
    time = np.arange(here.stop - here.start) / rate
    hertz = wave.hertz + _wander(time, 0.5, rng)
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    swell = 1 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * time + rng.uniform(0, 6))
    teeth = sum((np.sin(k * phase) / k for k in (1, 2, 3)), np.zeros(len(time)))
    signal[here] += 0.5 * wave.size * size * swell * teeth * _edge(time)


def flutter(signal: Floats, peaks: NDArray[np.int64], size: float, ratios: tuple[int, ...], rate: float) -> None:
    """Add the waves of fluttering atria from the first to the last beat, in place: a sawtooth, whole waves a beat.

    size: peak to peak. ratios: waves a beat may have; each interval has the number that fits the others best.
    """
    rr = np.diff(peaks)
    wave = float(np.median(rr)) / float(np.median(ratios))
    counts = np.maximum(np.rint(rr / max(wave, 1.0)), 1)
    phase = 2 * np.pi * np.interp(np.arange(peaks[0], peaks[-1]), peaks, np.concatenate(([0], np.cumsum(counts))))
    teeth = sum((np.sin(k * phase) / k for k in (1, 2, 3)), np.zeros(len(phase)))
    signal[peaks[0] : peaks[-1]] += size / np.ptp(teeth) * teeth * _edge(np.arange(len(phase)) / rate)


def disturb(
    signal: Floats, peaks: NDArray[np.int64], noise: Noise, size: float, rate: float, rng: np.random.Generator
) -> None:
    """Add noise between two beats, in place: random, its power falling as 1/f within its band."""
    here = _between(peaks, noise, rate)
    if here is None:
        return
    length = here.stop - here.start
    hertz = np.fft.rfftfreq(length, 1 / rate)
    inside = (hertz >= noise.low) & (hertz <= noise.high)
    spectrum = np.zeros(len(hertz), complex)
    spectrum[inside] = (rng.normal(size=inside.sum()) + 1j * rng.normal(size=inside.sum())) / np.sqrt(hertz[inside])
    added = np.fft.irfft(spectrum, length)
    added /= max(float(added.std()), 1e-9)
    time = np.arange(length) / rate
    swell = np.exp(_wander(time, noise.bursts, rng))
    signal[here] += noise.size * size * swell * _edge(time) * added


def _between(peaks: NDArray[np.int64], added: Wave | Noise, rate: float) -> slice | None:
    """The samples from the first to the last beat of a wave or noise; None for less than a second."""
    first, last = int(peaks[added.first]), int(peaks[min(added.last, len(peaks) - 1)])
    return slice(first, last) if last - first >= rate else None


def _wander(time: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """A value at each time (s): drawn every second with this spread, and linear in between."""
    seconds = np.arange(0, time[-1] + 2)
    return np.interp(time, seconds, rng.normal(0, spread, len(seconds)))


def _edge(time: Floats) -> Floats:
    """A share at each time (s): it rises from 0 in the first half second and falls back to 0 in the last."""
    return np.minimum(1, np.minimum(time, time[::-1]) / 0.5)


def _ventricular(
    body: Floats, to_peak: int, donated: Floats, weight: float, rate: float, begins: float = BEFORE
) -> Floats:
    """A beat with `weight` of a donor's beat in it; at weight 1 the own P wave alone remains.

    begins: s before the R-peak, the beginning of the donor's beat.
    """
    before = int(begins * rate)
    donated = donated[int(BEFORE * rate) - before :]
    length = max(len(body), to_peak + len(donated) - before)
    line = np.linspace(body[:3].mean(), body[-3:].mean(), length)
    own = np.concatenate((body, np.full(length - len(body), body[-1]))) - line
    begin = to_peak - before
    put = np.zeros(length)
    put[max(begin, 0) : begin + len(donated)] = donated[max(-begin, 0) :]
    if begins < BEFORE:
        put[max(begin, 0) :] *= np.clip(np.arange(length - max(begin, 0)) / (0.03 * rate), 0, 1)
    if weight < 1:
        return np.asarray(line + (1 - weight) * own + weight * put)
    fading = np.clip((max(begin, 0) - np.arange(length)) / (0.03 * rate), 0, 1)
    return np.asarray(line + fading * own + put)


def _stretch(rest: Floats, wanted: int) -> Floats:
    if not len(rest) or not wanted:
        return np.zeros(wanted)
    return np.interp(np.linspace(0, len(rest) - 1, wanted), np.arange(len(rest)), rest)


def _change_p(body: Floats, wave: PWave, length: int, rate: float) -> None:
    """Replace the P wave in a beat's first `length` samples, in place: the part above the line between their ends."""
    if wave == (1, 0, 0) or length <= 8:
        return
    places = np.arange(length)
    line = np.linspace(body[0], body[length - 1], length)
    fade = np.clip(np.minimum(places, places[::-1]) / (0.02 * rate), 0, 1)
    own = body[:length] - line
    new = wave.size * own
    if wave.turn:
        slope = np.gradient(np.convolve(np.pad(own, 3, "edge"), np.full(7, 1 / 7), "valid"))
        slope *= np.ptp(own) / max(np.ptp(slope), 1e-9)
        new += wave.turn * slope * fade
    if wave.later:
        new = np.interp(places - wave.later * rate, places, new) * fade
    body[:length] = line + new


def _add(tail: Floats, head: Floats) -> Floats:
    """A T wave's end and a P wave's beginning at the same time, joined without a step."""
    ramp = np.linspace(0, 1, len(tail))
    added: Floats = tail + head - head[0] - ramp * (tail[-1] - head[0])
    return added
