"""What a teacher at a screen asks for, as a command to the bed's producer."""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec

from ecg.wire.commands import Command
from ecg.wire.messages import SCHEMA
from monitor.link.protocol import Teach

ALONE: Final = ("pause", "resume", "freeze", "next")
"""Commands that a teacher may give by their name alone."""


def command(asked: Teach) -> Command | None:
    """The command of an intent; None where it is none that a teacher may give."""
    fields: dict[str, Any] = {"do": "set"}
    if asked.what == "do":
        if asked.name not in ALONE:
            return None
        fields["do"] = asked.name
    elif asked.what == "artefact":
        fields["artefacts"] = {asked.name: 1.0} if asked.name else {}
    elif asked.what == "off":
        fields["off"] = [asked.name] if asked.name else []
    elif asked.what == "ectopy":
        fields["ectopy"] = asked.name or "none"
    else:
        fields["rhythm"] = asked.name
    if asked.seconds and fields["do"] == "set":
        fields["seconds"] = asked.seconds
    return msgspec.convert({"v": SCHEMA, "id": f"teach-{secrets.token_hex(3)}", **fields}, Command)
