"""The limits of the settings, counted in samples at one bed's rate."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor

import msgspec

from ecg.settings import AlarmSettings
from ecg.wire.limits import BOUNDS, contradiction
from ecg.wire.limits import Limits as Message
from monitor.alarms.kinds import KINDS

SLOW_RR = 4
"""RR intervals averaged for bradycardia; the extreme one has a number of its own in the settings."""
FAST_RR = 8
"""RR intervals averaged for tachycardia, as bedside monitors do, and for QT."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits in samples. A span is that of several RR intervals together.

    enabled: kinds switched on. texts: what the alarm list says of each kind.
    """

    rate: float
    enabled: frozenset[str]
    texts: dict[str, str]
    pause: int
    asystole: int
    minute: int
    minimum: int
    unreadable: int
    fast_rr: dict[str, int]
    beats_kept: int
    slow: tuple[tuple[str, int, int], ...]
    slow_end: tuple[tuple[str, int, float], ...]
    fast: tuple[tuple[str, int, float], ...]
    fast_end: dict[str, int]
    vt_rr: float
    rhythm_rr: float
    qt: float
    vt_beats: int
    rhythm_beats: int
    run_beats: int
    cycles: dict[str, int]
    frequent: int
    af_beats: int
    af_irregularity: float


def of_bed(settings: AlarmSettings, own: Message | None) -> AlarmSettings:
    """The settings with a bed's own limits. Raises ValueError, one sentence, where these contradict one another."""
    if own is None:
        return settings
    made = msgspec.structs.replace(settings, **own.values())
    wrong = contradiction({name: getattr(made, name) for name in BOUNDS})
    if wrong:
        raise ValueError(wrong)
    return made


@lru_cache(maxsize=1024)
def limits(settings: AlarmSettings, rate: float) -> Limits:
    """The settings in samples at `rate` Hz.

    fast_rr: RR intervals averaged by kind. beats_kept: R-peaks that all of it needs. slow, slow_end, fast: kind, RR
    intervals and their span.
    slow: a span at least so long is a bradycardia; slow_end: one shorter than that ends it.
    fast: one shorter than that is a tachycardia; fast_end: at least so long ends it.
    vt_rr, rhythm_rr: longest mean RR interval of a fast run and of a ventricular rhythm.
    qt: QT at an RR interval of one sample, so that times the root of a mean RR it is that RR's QT (Bazett).
    """
    minute = 60 * rate
    back = settings.rate_hysteresis
    slow = {"bradycardia": settings.bradycardia_rate, "extreme_bradycardia": settings.extreme_bradycardia_rate}
    fast = {"tachycardia": settings.tachycardia_rate, "extreme_tachycardia": settings.extreme_tachycardia_rate}
    slow_rr = {"bradycardia": SLOW_RR, "extreme_bradycardia": settings.extreme_bradycardia_beats - 1}
    fast_rr = {"tachycardia": FAST_RR, "extreme_tachycardia": settings.extreme_tachycardia_beats - 1}
    return Limits(
        rate=rate,
        enabled=frozenset(kind for kind in KINDS if getattr(settings, kind)),
        texts=_texts(settings),
        pause=ceil(settings.pause_seconds * rate),
        asystole=ceil(settings.asystole_seconds * rate),
        minute=ceil(minute),
        minimum=ceil(settings.minimum_seconds * rate),
        unreadable=ceil(settings.cannot_analyse_seconds * rate),
        fast_rr=fast_rr,
        beats_kept=max(FAST_RR, *slow_rr.values(), *fast_rr.values()) + 1,
        slow=tuple((kind, slow_rr[kind], floor(slow_rr[kind] * minute / value) + 1) for kind, value in slow.items()),
        slow_end=tuple(
            (kind, slow_rr[kind], slow_rr[kind] * minute / (value * (1 + back))) for kind, value in slow.items()
        ),
        fast=tuple((kind, fast_rr[kind], fast_rr[kind] * minute / value) for kind, value in fast.items()),
        fast_end={kind: ceil(fast_rr[kind] * minute / (value * (1 - back))) for kind, value in fast.items()},
        vt_rr=minute / settings.vt_rate,
        rhythm_rr=minute / settings.ventricular_rhythm_rate,
        qt=settings.r_on_t_qt_seconds * rate**0.5,
        vt_beats=settings.vt_beats,
        rhythm_beats=settings.ventricular_rhythm_beats,
        run_beats=settings.run_beats,
        cycles={"bigeminy": settings.bigeminy_cycles, "trigeminy": settings.trigeminy_cycles},
        frequent=settings.frequent_v_per_minute,
        af_beats=settings.af_beats,
        af_irregularity=settings.af_irregularity,
    )


def _texts(settings: AlarmSettings) -> dict[str, str]:
    """What the alarm list says, limits included."""
    return {
        "asystole": f"Asystole: no beat for {settings.asystole_seconds:g} s",
        "fibrillation": "Ventricular fibrillation or flutter",
        "ventricular_tachycardia": "Ventricular tachycardia",
        "extreme_tachycardia": f"Extreme tachycardia: rate above {settings.extreme_tachycardia_rate:g}/min",
        "extreme_bradycardia": f"Extreme bradycardia: rate below {settings.extreme_bradycardia_rate:g}/min",
        "nonsustained_vt": "Non-sustained ventricular tachycardia",
        "ventricular_rhythm": "Ventricular rhythm",
        "ventricular_run": "Run of V",
        "pause": f"Pause: no beat for {settings.pause_seconds:g} s",
        "tachycardia": f"Rate above {settings.tachycardia_rate:g}/min",
        "bradycardia": f"Rate below {settings.bradycardia_rate:g}/min",
        "atrial_fibrillation": "Irregular rhythm (atrial fibrillation)",
        "r_on_t": "R on T",
        "couplet": "Couplet of V",
        "bigeminy": "Ventricular bigeminy",
        "trigeminy": "Ventricular trigeminy",
        "frequent_v": f"More than {settings.frequent_v_per_minute} V per minute",
        "cannot_analyse": "ECG cannot be analysed",
        "lead_off": "Lead off",
    }
