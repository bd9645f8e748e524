"""Tokens: what a port that is reached from elsewhere asks for."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from ecg.errors import UserError
from ecg.files import read_text, unread

SHORTEST: Final = 16
"""Characters of a token; a shorter one could be guessed."""


def read(file: str, setting: str) -> str:
    """The token in the first line of a file. setting: what the sentence calls it. Raises UserError."""
    try:
        lines = read_text(Path(file).expanduser()).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {setting} {file}: {unread(error)}") from None
    token = lines[0].strip() if lines else ""
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable():
        raise UserError(f"the first line of {setting} {file} is no token: give {SHORTEST} or more ASCII characters")
    return token


def same(token: str, given: str | None) -> bool:
    """Is this the token? Takes the same time whatever is given. True where the token is "": none is asked for."""
    return not token or hmac.compare_digest(token.encode(), (given or "").encode(errors="replace"))


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; None where there is none."""
    kind, _, given = (header or "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else None
