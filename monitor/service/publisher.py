"""Events as messages: what goes out over MQTT."""

from __future__ import annotations

from ecg.records.aami import CLASSES
from ecg.wire.messages import SCHEMA, Alarms, Beat
from monitor.ward.events import AlarmChanged, BeatRead


def beat_message(beat: BeatRead, model: str) -> Beat:
    """A beat as the wire has it. model: name of the weights that read it."""
    return Beat(
        v=SCHEMA,
        bed=beat.bed,
        stream=beat.stream,
        index=beat.index,
        class_=beat.cls,
        probabilities=dict(zip(CLASSES, (round(share, 6) for share in beat.probabilities), strict=True)),
        rr_ms=None if beat.rr_ms is None else round(beat.rr_ms, 2),
        heart_rate=None if beat.heart_rate is None else round(beat.heart_rate, 2),
        latency_ms=round(beat.latency_ms, 3),
        lookahead_ms=round(beat.lookahead_ms, 1),
        model=model,
    )


def alarms_message(event: AlarmChanged) -> Alarms:
    """All alarms of a bed as the wire has them."""
    return Alarms(SCHEMA, event.bed, event.stream, event.index, list(event.active))
