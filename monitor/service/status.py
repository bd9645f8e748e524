"""How the service is: for its screens, and as its retained message on the broker."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Final, Literal

import monitor
from ecg.records import aami
from ecg.settings import Config
from ecg.signal.path import lookahead_seconds
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, MonitorStatus
from monitor.link.protocol import ServiceStatus
from monitor.service.alarm_book import AlarmBook
from monitor.service.connection import Connection
from monitor.service.latency import Latencies
from monitor.ward.ward import Ward

TURN_SECONDS: Final = 30.0
"""The status line shows latencies of the last one to two turns."""
FEW: Final = 5
"""Records that are named one by one."""
BEHIND_SECONDS: Final = 1.0
"""A lag of more than that is a problem worth a word, for as long as LAG_SECONDS."""
LAG_SECONDS: Final = 5.0


class Health:
    """Figures of one service. about: the records that its network was fitted on. book: the alarm logs of its beds."""

    def __init__(
        self,
        config: Config,
        broker: Broker,
        ward: Ward,
        connection: Connection,
        latencies: Latencies,
        about: str = "",
        book: AlarmBook | None = None,
    ) -> None:
        self._book = book or AlarmBook()
        self._about = about
        self._config, self._broker, self._ward, self._connection = config, broker, ward, connection
        self._latencies = latencies
        self._lag_s, self._lagged_at = 0.0, float("-inf")
        self._beats_per_s = 0.0
        self._beats, self._at = ward.ledger.beats, time.monotonic()
        self._turned = self._at

    def took(self, waited_s: float) -> None:
        """The oldest message of a step had waited for so long."""
        self._lag_s, self._lagged_at = waited_s, time.monotonic()

    def measure(self) -> None:
        """Count the beats since the last call, and move the window over which latency is shown."""
        now, beats = time.monotonic(), self._ward.ledger.beats
        if now > self._at:
            self._beats_per_s = (beats - self._beats) / (now - self._at)
        self._beats, self._at = beats, now
        if now - self._turned > TURN_SECONDS:
            self._latencies.turn()
            self._turned = now

    def status(self, problems: list[str]) -> ServiceStatus:
        """The status line. problems: what others know of, gravest first."""
        ward, ledger, connection = self._ward, self._ward.ledger, self._connection
        rates = [bed.rate for bed in ward.beds.values() if bed.rate]
        own = [connection.problem, *problems]
        if self._lag_s > BEHIND_SECONDS and time.monotonic() - self._lagged_at < LAG_SECONDS:
            own.append(f"{self._lag_s:.1f} s behind")
        if lost := connection.inbox.overflowed:
            own.append(f"{lost} messages lost for want of memory, the last one of {whose(connection.inbox.crowded)}")
        if ward.engine.batch_size < self._config.monitor.batch_size:
            own.append(f"short of memory: {ward.engine.batch_size} beats a pass")
        return ServiceStatus(
            broker=str(self._broker),
            device=ward.engine.device,
            model=ward.model,
            beds=len(ward.beds),
            beats_per_s=self._beats_per_s,
            latency_p50_ms=self._latencies.shown(0.5),
            latency_p99_ms=self._latencies.shown(0.99),
            lookahead_ms=lookahead_seconds(rates[0] if rates else 360.0) * 1000,
            received=ledger.received,
            lost=ledger.lost,
            repeated=ledger.repeated,
            junk=ledger.junk,
            connected=connection.connected,
            problem="; ".join(problem for problem in own if problem),
            about=self._about,
        )

    def burden(self) -> tuple[dict[str, int], int]:
        """Alarms of all beds in their last hour of signal, by priority; and those held back in their streams."""
        total: Counter[str] = Counter()
        for bed in self._ward.beds.values():
            total.update(self._book.last_hour(bed))
        held = sum(self._ward.alarms.held(bed.slot) for bed in self._ward.beds.values())
        return {priority: total[priority] for priority in ("high", "medium", "low")}, held


def fitted_on(metrics: dict[str, Any]) -> str:
    """The records that a network was fitted on, in a few words; "" where the card does not say. metrics: the card's."""
    fit = metrics.get("fitted_on")
    records = [str(name) for name in fit.get("records", [])] if isinstance(fit, dict) else []
    if not records:
        return ""
    known = {"MIT-BIH DS1": aami.DS1, "MIT-BIH DS2": aami.DS2, "MIT-BIH": aami.ALL}
    whole = next((name for name, names in known.items() if set(records) == set(names)), "")
    few = ", ".join(records) if len(records) <= FEW else f"{', '.join(records[: FEW - 2])}, …, {records[-1]}"
    return f"{whole + ': ' if whole else ''}{len(records)} records ({few})"


def message(
    state: Literal["online", "offline"],
    status: ServiceStatus,
    last_hour: dict[str, int] | None = None,
    held: int = 0,
    behind_s: float = 0.0,
) -> MonitorStatus:
    """The status as the wire has it. last_hour, held: see `Health.burden`. behind_s: as signal waits unread, s."""
    return MonitorStatus(
        v=SCHEMA,
        state=state,
        version=monitor.__version__,
        device=status.device,
        beds=status.beds,
        beats_per_s=round(status.beats_per_s, 1),
        latency_p50_ms=status.latency_p50_ms,
        latency_p99_ms=status.latency_p99_ms,
        dropped=status.junk,
        last_hour=last_hour or {},
        held=held,
        behind_s=round(max(behind_s, 0.0), 2),
    )


def whose(lane: str) -> str:
    """Of whom a lane of the inbox is, in words."""
    return f"bed {lane}" if lane[:1] != "/" else "no bed"


def misunderstood(beds: list[str]) -> str:
    """That beds send and are not understood, in words; "" for none."""
    more = f" and {len(beds) - 1} more" if len(beds) > 1 else ""
    return f"bed {beds[0]}{more} sends, and is not understood" if beds else ""
