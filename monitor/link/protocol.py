"""What the service tells its screens and a screen asks of the service.

A screen only renders snapshots and sends intents. Both cross a process boundary as MessagePack, so that
drawing never slows inference. Sample indices count at the bed's own rate within `stream`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ecg.wire.limits import BOUNDS as BOUNDS
from ecg.wire.limits import Limits as Limits
from ecg.wire.limits import contradiction as contradiction
from ecg.wire.messages import SCHEMA as SCHEMA
from ecg.wire.messages import ActiveAlarm as ActiveAlarm
from ecg.wire.messages import LeadState as LeadState

LINK: Final = 3
"""Version of these messages: a service and a screen of two versions part with a sentence."""
MOST_SHOWN: Final = 64
"""Beds whose details one screen may ask for at a time."""
BedName = Annotated[str, Meta(max_length=64)]


class BeatMark(msgspec.Struct, frozen=True, array_like=True):
    """One classified beat. probabilities: N, S, V, F, Q. moved: L2 change of the memory by this beat.

    unsure: the letter is not to be relied on.
    """

    index: int
    cls: str
    probabilities: list[float]
    rr_ms: float | None
    latency_ms: float
    moved: float = 0.0
    unsure: bool = False


class TruthNote(msgspec.Struct, frozen=True, array_like=True):
    """One reference annotation."""

    index: int
    symbol: str
    rhythm: str = ""


class MadeUp(msgspec.Struct, frozen=True, array_like=True):
    """Samples [begin, end) that are simulated in the place of the record's own, and what they show."""

    begin: int
    end: int
    what: str


STEP_SECONDS: Final = 10.0
"""Signal between two values of a course."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One value of a course: heart rate (1/min), RMSSD (ms) and mean pressure, NaN where there is none."""

    rate: float
    hrv: float
    pressure: float


class Course(msgspec.Struct, frozen=True, array_like=True):
    """New values of the course of one stream. first: number of the first, counted from the stream's beginning."""

    stream: str
    first: int
    points: list[Point]


class Strip(msgspec.Struct, frozen=True, array_like=True):
    """New signal: float32 little-endian mV, [samples, leads] row by row; NaN where samples are missing."""

    index: int
    samples: bytes


class BedSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One bed in a word. state: "ok", "silent", "offline", "gapped", "lead off", "noisy" (no lead can be analysed),
    "learning", "not understood" (it sends, and nothing of it can be used). heart_rate: None where it is not the present
    one, or unsure for noise.

    units: of the leads; [] where all are mV. lead: name of the lead whose beats are the bed's. leads_off: leads that
    give no signal while another one does.
    simulated: the bed's producer says that nobody is in it.
    alarms: as they are to be shown. raised: sample at which each alarm became known, by kind; a kind that is not among
    `alarms` still stands, hidden by a graver alarm of its chain.
    signal: whether each lead that is read can be analysed. held: alarms held back because none could be.
    limits: those in force, by name. own: of these the ones that the bed has in the place of the settings'.
    """

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
    units: list[str] = msgspec.field(default_factory=list)
    lead: str = ""
    leads_off: list[str] = msgspec.field(default_factory=list)
    raised: dict[str, int] = msgspec.field(default_factory=dict)
    simulated: bool = False
    signal: list[LeadState] = msgspec.field(default_factory=list)
    held: int = 0
    limits: dict[str, float] = msgspec.field(default_factory=dict)
    own: list[str] = msgspec.field(default_factory=list)


class AlarmEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm of a bed's log. rate: Hz, of its stream. onset, raised, over, acknowledged: samples at which its
    condition began, at which that was known, at which it ended and at which a person acknowledged it; -1 before. times:
    how often it began. raised_s, acknowledged_s: seconds since the epoch. by: the person, "" where nobody says.
    text: in English; "" where only `kind` is known.
    """

    kind: str
    priority: str
    stream: str
    rate: float
    onset: int
    raised: int
    raised_s: float
    over: int = -1
    times: int = 1
    acknowledged: int = -1
    acknowledged_s: float = 0.0
    by: str = ""
    text: str = ""


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """What a network beside the ward's says of one beat. probability: of that class."""

    index: int
    cls: str
    probability: float


class Beside(msgspec.Struct, frozen=True, array_like=True):
    """New verdicts of one network beside the ward's. Up to sample `until` nothing is missing."""

    model: str
    until: int
    verdicts: list[Verdict]


class Traced(msgspec.Struct, frozen=True, array_like=True):
    """A memory after one beat: its hidden units, and the mean of each gate while it read the beat."""

    index: int
    cls: str
    hidden: list[float]
    gates: list[float]


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """A memory looked into. gates: their names. beats: new ones. index, cls, probability: the present verdict.

    moves: past beats as (sample index, probability that the verdict loses where the memory never read that beat).
    """

    model: str
    gates: list[str]
    beats: list[Traced]
    index: int
    cls: str
    probability: float
    moves: list[tuple[int, float]]


class Foretold(msgspec.Struct, frozen=True, array_like=True):
    """The next second as it was foretold at sample `index`: mV around the baseline, `rate` values a second."""

    index: int
    rate: float
    values: list[float]


class Studied(msgspec.Struct, frozen=True, kw_only=True):
    """What is new in the study of one bed. number: of the study; another one begins anew. since: its first sample.

    missing: wanted networks that are not shipped. unread: beats that came quicker than they could be studied.
    errors: of the forecasts so far, in standard deviations of the signal, by way of foretelling: in the first tenth of
    a second, in the last, and in all. why: a sentence where nothing can be studied.
    """

    number: int
    stream: str
    since: int
    beside: list[Beside] = msgspec.field(default_factory=list)
    inside: Inside | None = None
    foretold: list[Foretold] = msgspec.field(default_factory=list)
    errors: dict[str, tuple[float, float, float]] = msgspec.field(default_factory=dict)
    missing: list[str] = msgspec.field(default_factory=list)
    unread: int = 0
    why: str = ""


class BedDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What is new on one shown bed since the snapshot before (all of the history asked for, in the first).

    made: all stretches of a record that are simulated in its place.
    course: where this bed alone is shown and a screen has asked for it.
    Where this bed alone is shown, log: its alarm log, newest first, None where it has not changed; last_hour: alarms
    raised in its last hour of signal, by priority.
    """

    bed: str
    stream: str
    fresh: bool
    strips: list[Strip]
    beats: list[BeatMark]
    truth: list[TruthNote]
    made: list[MadeUp] = msgspec.field(default_factory=list)
    memory: list[float] | None = None
    studied: Studied | None = None
    log: list[AlarmEntry] | None = None
    last_hour: dict[str, int] | None = None
    course: Course | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the alert list or the event log. wall_s: seconds since the epoch.

    kind: "beat" (an abnormal beat), "alarm" (onset), "end" (of an alarm), "reset" (of a memory), "status",
    "command" (carried out by the bed's producer).
    index: of an alarm, the sample of its onset. until: sample at which an alarm ended, -1 for all else.
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
    until: int = -1


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status line. lookahead_ms is the algorithmic floor; latency is what comes on top of it.

    screens: how many are attached. screens_failed: how many were sent away because they could not be understood.
    about: the records that the network was fitted on, in a few words.
    """

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
    screens: int = 0
    screens_failed: int = 0
    about: str = ""


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """The ward at one moment."""

    status: ServiceStatus
    beds: list[BedSummary]
    shown: list[BedDetail]
    notices: list[Notice]


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first thing a screen is told. link: version of these messages. version: the program's. pid: its process."""

    link: int
    version: str
    pid: int


class Farewell(msgspec.Struct, frozen=True, tag="farewell"):
    """The last thing a screen is told, in one sentence. status: exit status that the screen ends with."""

    why: str
    status: int = 1


Told = Hello | Snapshot | Farewell


class Show(msgspec.Struct, frozen=True, tag="show"):
    """Intent: send details of these beds from now on, with `history_s` seconds of what came before."""

    beds: Annotated[list[BedName], Meta(max_length=MOST_SHOWN)]
    history_s: Annotated[float, Meta(ge=0, le=3600)] = 12.0
    frames_per_second: Annotated[float, Meta(ge=0, le=1000)] = 30.0


class Follow(msgspec.Struct, frozen=True, tag="follow"):
    """Intent: keep the course of this bed from now on, whether it is shown or not."""

    bed: BedName


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """Intent: a person has seen this bed's alarms (all of them where kind is ""). who: the person, by the screen."""

    bed: BedName
    kind: Annotated[str, Meta(max_length=64)] = ""
    who: Annotated[str, Meta(max_length=64)] = ""


class Silence(msgspec.Struct, frozen=True, tag="silence"):
    """Intent: no sound from this bed for that long; 0 ends it."""

    bed: BedName
    seconds: Annotated[float, Meta(ge=0, le=86400)] = 120.0


class Adjust(msgspec.Struct, frozen=True, tag="adjust"):
    """Intent: limits of this bed's own; None for those of the settings."""

    bed: BedName
    limits: Limits | None = None


class Teach(msgspec.Struct, frozen=True, tag="teach"):
    """Intent: ask a bed's producer for something (`--teach`). what: "rhythm", "ectopy", "artefact" and "off" (a lead)
    change a simulated bed to `name`, "" for none; "do" is a command such as "pause". seconds: for so long, 0 for good.
    """

    bed: BedName
    what: Literal["rhythm", "ectopy", "artefact", "off", "do"]
    name: Annotated[str, Meta(max_length=64)]
    seconds: Annotated[float, Meta(ge=0, le=86400)] = 0.0


Model = Literal["own", "rnn", "lstm", "gru", "tutorial"]
"""A network that a screen may ask for: the ward's own, the shipped memories by their cell, the lecture's."""
BESIDE: Final[tuple[Model, ...]] = ("rnn", "lstm", "gru", "tutorial")


class Study(msgspec.Struct, frozen=True, tag="study"):
    """Intent: study this bed from now on, for this screen alone; without anything to study, no more.

    beside: networks that read it too. inside: the one whose memory is looked into, "" for none. forecast: foretell it.
    """

    bed: BedName
    beside: Annotated[list[Model], Meta(max_length=8)] = msgspec.field(default_factory=list)
    inside: Model | Literal[""] = ""
    forecast: bool = False


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """Intent: end the service and everything it started. A screen that only leaves hangs up."""


Intent = Show | Acknowledge | Silence | Adjust | Teach | Study | Follow | Quit
