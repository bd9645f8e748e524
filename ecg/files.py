"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from ecg.errors import UserError


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
