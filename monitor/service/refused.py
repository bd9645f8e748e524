"""A file of ours that is of no use to this program is kept: it may be of use to another one."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from ecg.errors import UserError


def keep_aside(path: Path) -> str:
    """Put a refused file under another name, since the next saving would overwrite it; in words.

    Raises UserError where that cannot be done.
    """
    other = next(
        name
        for number in count(1)
        if not (name := path.with_name(f"{path.name}.refused{f'-{number}' if number > 1 else ''}")).exists()
    )
    try:
        path.rename(other)
    except OSError as error:
        raise UserError(
            f"the saved memory {path} is of no use here and cannot be kept under another name ({error.strerror}): "
            "move it away, or name another file after --resume"
        ) from None
    return f"and it is kept as {other.name}"
