"""A client of the broker that publishes what it likes, and hears what the monitor says of all beds."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import numpy as np

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.client import Line
from ecg.wire.messages import SCHEMA, Alarms, Wave, decode_json, encode_wave
from ecg.wire.outbox import Outgoing
from ecg.wire.packets import Arrival
from ecg.wire.topics import Topics

RATE: Final = 360.0
TOPICS: Final = Topics("ecg/v1")


def wave(stream: str, index: int = 0, samples: int = 90, seq: int = 0) -> bytes:
    """A wave message of a flat line that is not quite flat."""
    line = (np.arange(samples) % (7 + seq)).astype("<i2").tobytes()
    fields: dict[str, Any] = {"stream": stream, "record": "x", "seq": seq, "index": index, "rate": RATE}
    scale: dict[str, Any] = {"leads": ["MLII"], "gain": [200.0], "baseline": [0.0], "units": ["mV"]}
    return encode_wave(Wave(v=SCHEMA, sent_ns=time.time_ns(), samples=line, **fields, **scale))


class Stranger:
    """Publishes what it likes, and hears the beats and alarms of all beds. Of a thread of its own."""

    def __init__(self, port: int) -> None:
        self._broker = Broker("127.0.0.1", port, "")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stranger", daemon=True)
        self._line: Line | None = None
        self.last_s: dict[str, float] = {}
        self.longest_s: dict[str, float] = {}
        self.alarms: dict[str, list[str]] = {}
        self.streams: dict[str, tuple[str, int]] = {}

    def _heard(self, arrivals: list[Arrival]) -> None:
        now_s = time.monotonic()
        for one in arrivals:
            bed, kind = TOPICS.parse(one.topic) or ("", "")
            if kind == "beat":
                self.longest_s[bed] = max(self.longest_s.get(bed, 0.0), now_s - self.last_s.get(bed, now_s))
                self.last_s[bed] = now_s
                beat = msgspec.json.decode(one.payload)
                self.streams[bed] = (beat["stream"], beat["index"])
            elif kind == "alarm" and one.payload:
                self.alarms[bed] = [alarm.kind for alarm in decode_json(one.payload, Alarms).active]

    async def _open(self) -> None:
        line = Line(MqttSettings(), self._broker, "bench-stranger", None, None, self._heard)
        self._line = await line.__aenter__()
        await line.subscribe([TOPICS.every("beat"), TOPICS.every("alarm")])

    async def _send(self, items: list[Outgoing]) -> None:
        assert self._line is not None
        for at in range(0, len(items), 256):
            self._line.flow.publish(items[at : at + 256], 0)
            while not self._line.flow.flush():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def send(self, *items: tuple[str, bytes], retain: bool = False) -> None:
        """Publish these, of QoS 0, as fast as the broker takes them."""
        out = [Outgoing(topic, payload, retain) for topic, payload in items]
        asyncio.run_coroutine_threadsafe(self._send(out), self._loop).result(120)

    def quietest(self, beds: list[str], since_s: float) -> float:
        """The longest time without a beat of one of these beds; later silences are counted anew."""
        now_s = time.monotonic()
        waits = [max(self.longest_s.get(bed, 0.0), now_s - self.last_s.get(bed, since_s)) for bed in beds]
        self.longest_s.clear()
        return max(waits)

    @contextmanager
    def running(self) -> Iterator[Stranger]:
        """Connected until this ends."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(30)
        try:
            yield self
        finally:
            assert self._line is not None
            asyncio.run_coroutine_threadsafe(self._line.__aexit__(None, None, None), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
