"""What the service tells the screen and the screen asks of the service.

The screen only renders snapshots and sends intents. Both cross a process boundary as MessagePack, so that
drawing never slows inference. Sample indices count at the bed's own rate within `stream`.
"""

from __future__ import annotations

import msgspec

from ecg.wire.messages import ActiveAlarm


class BeatMark(msgspec.Struct, frozen=True, array_like=True):
    """One classified beat. probabilities: N, S, V, F, Q. moved: L2 change of the memory by this beat."""

    index: int
    cls: str
    probabilities: list[float]
    rr_ms: float | None
    latency_ms: float
    moved: float = 0.0


class TruthNote(msgspec.Struct, frozen=True, array_like=True):
    """One reference annotation."""

    index: int
    symbol: str
    rhythm: str = ""


class Strip(msgspec.Struct, frozen=True, array_like=True):
    """New signal: float32 little-endian mV, [samples, leads] row by row; NaN where samples are missing."""

    index: int
    samples: bytes


class BedSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One bed in a word. state: "ok", "silent", "offline", "gapped", "lead off", "learning"."""

    bed: str
    record: str
    state: str
    rate: float
    leads: list[str]
    stream: str
    last_index: int
    heart_rate: float | None
    pvc_per_minute: int
    lost: int
    alarms: list[ActiveAlarm]
    silenced_s: float = 0.0


class BedDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What is new on one shown bed since the snapshot before (all of the history asked for, in the first)."""

    bed: str
    stream: str
    fresh: bool
    strips: list[Strip]
    beats: list[BeatMark]
    truth: list[TruthNote]
    memory: list[float] | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the alert list or the event log. wall_s: seconds since the epoch.

    kind: "beat" (an abnormal beat), "alarm" (onset), "end" (of an alarm), "reset" (of a memory), "status".
    """

    wall_s: float
    bed: str
    stream: str
    index: int
    kind: str
    text: str
    cls: str = ""
    priority: str = ""
    probability: float = 0.0
    latency_ms: float = 0.0


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status line. lookahead_ms is the algorithmic floor; latency is what comes on top of it."""

    broker: str
    device: str
    model: str
    beds: int
    beats_per_s: float
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    lookahead_ms: float
    received: int
    lost: int
    repeated: int
    junk: int
    connected: bool = True
    problem: str = ""


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """The ward at one moment."""

    status: ServiceStatus
    beds: list[BedSummary]
    shown: list[BedDetail]
    notices: list[Notice]


class Show(msgspec.Struct, frozen=True, tag="show"):
    """Intent: send details of these beds from now on, with `history_s` seconds of what came before."""

    beds: list[str]
    history_s: float = 12.0
    frames_per_second: float = 30.0


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """Intent: a person has seen this bed's alarms (all of them where kind is "")."""

    bed: str
    kind: str = ""


class Silence(msgspec.Struct, frozen=True, tag="silence"):
    """Intent: no sound from this bed for that long; 0 ends it."""

    bed: str
    seconds: float = 120.0


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """Intent: end the service and everything it started."""


Intent = Show | Acknowledge | Silence | Quit
