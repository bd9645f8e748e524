"""From messages to grades: truth and statuses of the beds being sent, answers of another program."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from ecg.errors import UserError
from ecg.wire.messages import BedStatus, MessageError, Truth, decode_json
from ecg.wire.topics import Topics, readable
from producer.grading.answers import Answer, Reader, UnreadableError
from producer.grading.marks import Stream
from producer.grading.report import Grades

MOST_STREAMS: Final = 100_000


class Listener:
    """Hears messages, keeps the grades. topic: the filter of the answers; its first + is the bed.

    patience_s: wall seconds that an answer may take before its beats are graded as they stand.
    """

    def __init__(self, root: str, topic: str, reader: Reader, late_ms: float, patience_s: float) -> None:
        self.grades = Grades()
        self.heard_s: float | None = None
        self._topics = Topics(root)
        self._bed_of = pattern(topic)
        self._reader, self._late_ms, self._patience_s = reader, late_ms, patience_s
        self._streams: dict[tuple[str, str], Stream] = {}
        self._status: dict[str, BedStatus] = {}
        self.filters = [self._topics.every("truth"), self._topics.every("status"), topic]

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

    def settle(self, now_s: float | None = None) -> Grades:
        """The grades of all that has waited long enough (None: of everything)."""
        for stream in self._streams.values():
            self.grades.marks.add(stream.settle(None if now_s is None else now_s - self._patience_s))
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
        stream = self._stream(bed, truth.stream)
        if stream is not None:
            self.grades.beds.add(bed)
            stream.true(truth.annotations, now_s)

    def _answered(self, bed: str, payload: bytes, now_s: float) -> None:
        try:
            answers = self._reader.read(payload)
        except UnreadableError as error:
            self.grades.unreadable += 1
            self.grades.why = readable(str(error))
            return
        self.heard_s = now_s
        for answer in answers:
            self._grade(answer.bed or bed, answer, now_s)

    def _grade(self, bed: str, answer: Answer, now_s: float) -> None:
        status = self._status.get(bed)
        stream = self._stream(bed, answer.stream or (status.stream if status else ""))
        if stream is None:
            self.grades.strange += 1
            return
        index = answer.index if answer.index is not None else round((answer.seconds or 0.0) * stream.rate)
        self.grades.answers += 1
        if not stream.answered(index, answer.kind, now_s):
            self.grades.overdue += stream.begun is not None and index >= stream.begun

    def _stream(self, bed: str, name: str) -> Stream | None:
        """A stream of a bed that is being sent; None where no status has told its rate."""
        known = self._streams.get((bed, name))
        status = self._status.get(bed)
        if known is not None or status is None or len(self._streams) >= MOST_STREAMS:
            return known
        if name.rpartition("-")[0] != status.stream.rpartition("-")[0]:  # of another run
            return None
        made = self._streams[bed, name] = Stream(status.rate, self._late_ms)
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
