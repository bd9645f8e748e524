"""One message of every kind."""

from __future__ import annotations

from msgspec import structs

from ecg.wire.messages import (
    SCHEMA,
    Ack,
    ActiveAlarm,
    Alarms,
    Beat,
    BedState,
    BedStatus,
    Command,
    LeadState,
    Limits,
    Message,
    MonitorStatus,
    ProducerStatus,
    Truth,
    TruthMark,
    Wave,
)

WAVE = Wave(
    v=SCHEMA,
    stream="208-1-0",
    record="208",
    seq=3,
    index=270,
    rate=360.0,
    leads=["MLII", "V1"],
    gain=[200.0, 200.0],
    baseline=[1024.0, 1024.0],
    sent_ns=1_700_000_000_000_000_000,
    samples=bytes(360),
)
PULSED = structs.replace(WAVE, leads=["II", "ABP"], gain=[200.0, 5.5], units=["mV", "mmHg"])
STATUS = BedStatus(
    v=SCHEMA,
    state="online",
    record="208",
    source="MIT-BIH",
    speed=1.0,
    rate=360.0,
    leads=["MLII"],
    stream="208-1-0",
    published=7,
)
BEAT = Beat(
    v=SCHEMA,
    bed="b",
    stream="s",
    index=9,
    class_="N",
    probabilities={"N": 0.9, "V": 0.1},
    rr_ms=800.0,
    heart_rate=75.0,
    latency_ms=3.5,
    lookahead_ms=470.0,
    model="memory-gru",
    monitor="1f03ab",
)
MONITOR = MonitorStatus(
    v=SCHEMA,
    state="online",
    version="0.1.0",
    device="cpu",
    beds=2,
    beats_per_s=2.5,
    latency_p50_ms=None,
    latency_p99_ms=31.0,
    dropped=0,
)
EXAMPLES: list[Message] = [
    WAVE,
    PULSED,
    Truth(SCHEMA, "208-1-0", [TruthMark(18, "+", "(N"), TruthMark(77, "N")]),
    STATUS,
    ProducerStatus(SCHEMA, "offline", ["b1", "b2"]),
    BEAT,
    Alarms(SCHEMA, "b", "s", 9, [ActiveAlarm("asystole", "high", 4, "Asystole")], "1f03ab"),
    BedState(
        v=SCHEMA,
        bed="b",
        stream="s",
        index=9,
        signal="good",
        leads=[LeadState("II", "good"), LeadState("V1", "noisy", "muscle wander")],
        held=2,
        limits={"tachycardia_rate": 130.0},
        own=["tachycardia_rate"],
        last_hour={"high": 0, "medium": 1, "low": 4},
        monitor="1f03ab",
    ),
    MONITOR,
    Limits(v=SCHEMA, tachycardia_rate=130.0, frequent_v_per_minute=6),
    Command(v=SCHEMA, do="set", id="7", rhythm="vt", rate=180.0, artefacts={"muscle": 1.0}, off=["II"], seconds=20.0),
    Ack(v=SCHEMA, ok=True, do="set", id="7", stream="sim-a-1-0", index=1250),
]
