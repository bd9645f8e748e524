"""Live streams of Lab Streaming Layer, found on the network. The package `pylsl` hears them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError, needs
from producer.sources.choosing import bed_name
from producer.sources.live import LiveBed, channels_of, tall

LSL: Final = "lsl"
LISTEN_SECONDS: Final = 2.0
"""So long streams are looked for, and their first samples waited for."""
FEWEST_HERTZ: Final = 100.0
MOST_HERTZ: Final = 10_000.0
BUFFER_SECONDS: Final = 60
MOST_AT_ONCE: Final = 1 << 16
MARKERS: Final = ("markers", "events", "annotations")


def is_live(source: str) -> bool:
    """Does `--source` name live streams?."""
    return source == LSL or source.startswith(f"{LSL}:")


def make_live(source: str, *, lead: str, chunk_seconds: float, run: str, speed: float | str) -> list[LiveBed]:
    """A bed for every live stream with ECG, or for the one of "lsl:NAME". Raises UserError."""
    if speed != 1:
        raise UserError(f"--source {source} comes at its own pace: leave --speed out")
    with needs("lsl", "hearing live streams"):
        try:
            import pylsl
        except RuntimeError:
            raise UserError(
                "pylsl finds no library liblsl: install it (github.com/sccn/liblsl), or name it in PYLSL_LIB"
            ) from None
    pylsl.set_config_content("[log]\nlevel = -3\n")
    wanted = source.partition(":")[2]
    found = [one for one in pylsl.resolve_streams(LISTEN_SECONDS) if not wanted or wanted in _names(one)]
    beds: list[LiveBed] = []
    refused: list[str] = []
    taken: set[str] = set()
    for one in found:
        try:
            beds.append(_bed(pylsl, one, lead, chunk_seconds, run, taken))
        except UserError as error:
            if wanted or one.type().lower() in ("ecg", "ekg"):
                refused.append(str(error))
    if not beds and refused:
        raise UserError(refused[0])
    if not beds:
        there = ", ".join(dict.fromkeys(one.name() for one in pylsl.resolve_streams(0.1))) or "none at all"
        what = f"stream {wanted!r}" if wanted else "stream with ECG"
        raise UserError(f"no live {what} was found within {LISTEN_SECONDS:g} s; streams heard: {there}")
    return beds


def _names(info: Any) -> tuple[str, str]:
    return info.name(), info.source_id()


def _bed(pylsl: Any, found: Any, lead: str, chunk_seconds: float, run: str, taken: set[str]) -> LiveBed:
    """The bed of one stream. Raises UserError where it cannot be sent."""
    what, rate = f"stream {found.name()!r}", float(found.nominal_srate())
    if found.channel_format() == pylsl.cf_string or found.type().lower() in MARKERS:
        raise UserError(f"{what} holds words: only streams of numbers can be sent")
    if not FEWEST_HERTZ <= rate <= MOST_HERTZ:
        said = f"{rate:g} Hz" if rate else "no rate of its own"
        raise UserError(f"{what} has {said}: {FEWEST_HERTZ:g} to {MOST_HERTZ:g} Hz are needed")
    inlet = pylsl.StreamInlet(found, max_buflen=BUFFER_SECONDS)
    try:
        info = inlet.info(LISTEN_SECONDS)
        inlet.open_stream(LISTEN_SECONDS)
    except (TimeoutError, pylsl.LostError):
        raise UserError(f"{what} was found, and does not answer") from None
    count, kind = int(info.channel_count()), str(info.type())
    labels = _filled(info.get_channel_labels(), count, [f"{kind} {number + 1}".strip() for number in range(count)])
    units = _filled(info.get_channel_units(), count, [""] * count)
    channels = channels_of(labels, units, lead, what)

    def pull() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values, times = inlet.pull_chunk(timeout=0.0, max_samples=MOST_AT_ONCE)
        return np.asarray(values, np.float64).reshape(-1, count), np.asarray(times, np.float64)

    first, _ = inlet.pull_chunk(timeout=LISTEN_SECONDS, max_samples=round(rate))
    if not first:
        raise UserError(f"{what} sent nothing within {LISTEN_SECONDS:g} s")
    if said := tall(np.asarray(first, np.float64).reshape(-1, count), labels, units, channels):
        raise UserError(f"{what}: {said} and says no unit, so it is no ECG in mV; let its channels name their unit")
    return LiveBed(
        name=bed_name(found.name(), taken),
        stream_name=found.name()[:256],
        rate=rate,
        channels=channels,
        pull=pull,
        chunk_seconds=chunk_seconds,
        run=run,
    )


def _filled(given: Sequence[str | None] | None, count: int, instead: list[str]) -> list[str]:
    """What a stream says of its channels; `instead` where it says nothing."""
    said = [*(given or []), *[None] * count][:count]
    return [(one or "").strip() or other for one, other in zip(said, instead, strict=True)]
