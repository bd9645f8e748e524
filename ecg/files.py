"""Files that are written whole or not at all, and read within bounds."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from ecg.errors import UserError

MIB: Final = 1 << 20


def read(path: Path, most: int) -> bytes:
    """A file of at most so many bytes. Raises OSError, also where it is larger: strangers may have written it.

    What never ends, such as /dev/zero, is larger too.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(
            errno.EFBIG, f"it is larger than {f'{most / MIB:g} MiB' if most >= MIB else f'{most} bytes'}", str(path)
        )
    return content


def read_text(path: Path, most: int = MIB, errors: str = "strict") -> str:
    """The same of UTF-8, with line ends as they are read. Raises OSError and UnicodeDecodeError."""
    return read(path, most).decode("utf-8", errors).replace("\r\n", "\n").replace("\r", "\n")


def unread(error: OSError | UnicodeDecodeError) -> str:
    """Why a text could not be read, in words."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"


def write_atomic(files: dict[Path, bytes]) -> None:
    """Write whole files or none of them. Raises UserError where there is no room or no permission."""
    made = []
    try:
        for target, content in files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{os.getpid()}.part")
            made.append(draft)
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for draft, target in zip(made, files, strict=True):
            draft.replace(target)
    except OSError as error:
        for draft in made:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        raise UserError(f"cannot write {error.filename or target}: {error.strerror}; what was there is kept") from None


def write_json(path: Path, tree: Any) -> None:
    """Write a tree of plain values and structs as indented JSON, whole. Raises UserError as `write_atomic`."""
    write_atomic({path: msgspec.json.format(msgspec.json.encode(tree), indent=2)})
