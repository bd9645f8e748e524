"""What producers were asked to do, by whomever, and did: heard on the wire, told as events of the ward.

The answer has the sample from which a command may show; the command itself, its words. One without an answer changed
nothing. What cannot be read is the producer's to refuse, not the monitor's.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from ecg.wire.commands import Ack, Command, words
from ecg.wire.messages import MessageError, decode_json
from monitor.ward.ward import Ward

MOST: Final = 256
"""Commands whose answer has not come yet."""
LONGEST: Final = 200


class Commands:
    """Commands on their way, and their answers."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self._asked: OrderedDict[tuple[str, str], str] = OrderedDict()

    def asked(self, bed: str, payload: bytes) -> None:
        """Somebody asks a bed's producer for something."""
        try:
            command = decode_json(payload, Command)
        except MessageError:
            return
        self._asked[bed, command.id] = words(command)[:LONGEST]
        while len(self._asked) > MOST:
            self._asked.popitem(last=False)

    def answered(self, bed: str, payload: bytes) -> None:
        """The producer has done it, or refused."""
        try:
            answer = decode_json(payload, Ack)
        except MessageError:
            return
        detail = self._asked.pop((bed, answer.id), "")
        if answer.ok and answer.index is not None:
            self._ward.steered(bed, answer.stream, answer.index, answer.do, detail)
