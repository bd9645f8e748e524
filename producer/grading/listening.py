"""From messages to grades: truth and statuses of the beds being sent, answers of another program."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from ecg.errors import UserError
from ecg.wire.messages import BedStatus, MessageError, Truth, decode_json
from ecg.wire.topics import Topics, readable
from producer.grading.alarms import AlarmStream
from producer.grading.answers import Answer, Reader, UnreadableError
from producer.grading.marks import Stream
from producer.grading.report import Grades

MOST_STREAMS: Final = 100_000


class Listener:
    """Hears messages, keeps the grades. topic: the filter of the answers; its first + is the bed. alarms: that of the
    alarms, "" where these are not graded.

    patience_s: wall seconds that an answer may take before its beats are graded as they stand.
    """

    def __init__(
        self, root: str, topic: str, reader: Reader, late_ms: float, patience_s: float, alarms: str = ""
    ) -> None:
        self.grades = Grades()
        self.heard_s: float | None = None
        self._topics = Topics(root)
        self._bed_of = pattern(topic)
        self._reader, self._late_ms, self._patience_s = reader, late_ms, patience_s
        self._alarms_of = pattern(alarms) if alarms else None
        self._streams: dict[tuple[str, str], tuple[Stream, AlarmStream]] = {}
        self._status: dict[str, BedStatus] = {}
        wanted = [self._topics.every("truth"), self._topics.every("status"), topic, alarms]
        self.filters = list(dict.fromkeys(one for one in wanted if one))

    def arrived(self, topic: str, payload: bytes, now_s: float) -> None:
        """One message. now_s: the clock that latencies are measured by."""
        parsed = self._topics.parse(topic)
        if parsed and parsed[1] == "status":
            self._told(parsed[0], payload)
        elif parsed and parsed[1] == "truth":
            self._true(parsed[0], payload, now_s)
        found = self._bed_of.fullmatch(topic)
        if found:
            self._answered(found.groupdict().get("bed") or "", payload, now_s)
        alarm = self._alarms_of.fullmatch(topic) if self._alarms_of else None
        if alarm:
            self._raised(alarm.groupdict().get("bed") or "", payload, now_s)

    def settle(self, now_s: float) -> Grades:
        """The grades of all beats that have waited long enough."""
        for stream, _ in self._streams.values():
            self.grades.marks.add(stream.settle(now_s - self._patience_s))
        return self.grades

    def end(self) -> Grades:
        """The grades of everything. To be called once."""
        for stream, alarms in self._streams.values():
            self.grades.marks.add(stream.settle())
            if self._alarms_of:
                self.grades.alarms.add(alarms.settle())
        return self.grades

    def _told(self, bed: str, payload: bytes) -> None:
        with suppress(MessageError):
            self._status[bed] = decode_json(payload, BedStatus)

    def _true(self, bed: str, payload: bytes, now_s: float) -> None:
        try:
            truth = decode_json(payload, Truth)
        except MessageError:
            return
        self.heard_s = now_s
        known = self._stream(bed, truth.stream)
        if known is not None:
            self.grades.beds.add(bed)
            known[0].true(truth.annotations, now_s)
            known[1].true(truth.annotations)

    def _answered(self, bed: str, payload: bytes, now_s: float) -> None:
        try:
            answers = self._reader.read(payload)
        except UnreadableError as error:
            self._unreadable(error)
            return
        self.heard_s = now_s
        for answer in answers:
            self._grade(answer.bed or bed, answer, now_s)

    def _raised(self, bed: str, payload: bytes, now_s: float) -> None:
        try:
            alarms = self._reader.alarms(payload) if payload else []
        except UnreadableError as error:
            self._unreadable(error)
            return
        self.heard_s = now_s
        for alarm in alarms:
            known = self._stream(alarm.bed or bed, alarm.stream or self._present(alarm.bed or bed))
            if known is None:
                self.grades.strange += 1
            else:
                known[1].raised(alarm)

    def _unreadable(self, error: UnreadableError) -> None:
        self.grades.unreadable += 1
        self.grades.why = readable(str(error))

    def _present(self, bed: str) -> str:
        """Name of a bed's present stream; "" where nobody has said it."""
        status = self._status.get(bed)
        return status.stream if status else ""

    def _grade(self, bed: str, answer: Answer, now_s: float) -> None:
        known = self._stream(bed, answer.stream or self._present(bed))
        if known is None:
            self.grades.strange += 1
            return
        stream = known[0]
        index = answer.index if answer.index is not None else round((answer.seconds or 0.0) * stream.rate)
        self.grades.answers += 1
        if not stream.answered(index, answer.kind, now_s):
            self.grades.overdue += stream.begun is not None and index >= stream.begun

    def _stream(self, bed: str, name: str) -> tuple[Stream, AlarmStream] | None:
        """A stream of a bed that is being sent; None where no status has told its rate."""
        known = self._streams.get((bed, name))
        status = self._status.get(bed)
        if known is not None or status is None or len(self._streams) >= MOST_STREAMS:
            return known
        if name.rpartition("-")[0] != status.stream.rpartition("-")[0]:  # of another run
            return None
        made = self._streams[bed, name] = Stream(status.rate, self._late_ms), AlarmStream(status.rate)
        return made


def pattern(topic: str) -> re.Pattern[str]:
    """What topics a filter takes, the first + as the group "bed". Raises UserError for what is no filter."""
    parts = topic.split("/")
    odd = [part for part in parts if ("+" in part and part != "+") or "#" in part]
    if not topic or "\0" in topic or (odd and (odd != ["#"] or parts[-1] != "#")):
        raise UserError(f"--topic {topic!r} is no filter: + stands for one level, # for the rest at the end")
    named, made = False, []
    for part in parts:
        if part == "+" and not named:
            made.append("(?P<bed>[^/]*)")
            named = True
        else:
            made.append({"+": "[^/]*", "#": ".*"}.get(part, re.escape(part)))
    return re.compile("/".join(made))
