"""What pyproject.toml cannot say: in a wheel the four packages are parts of one.

`ecg`, `monitor`, `producer` and `trainer` are the names of other projects too. The wheel therefore holds one top-level
package, `ecg_monitor_simulator`; the four lie in it, and their imports of one another are renamed as they are copied:
`from ecg.wire import broker` becomes `from ecg_monitor_simulator.ecg.wire import broker`, on the same line. An editable
installation leaves everything where it is.
"""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

HOME = "ecg_monitor_simulator"
PARTS = ("ecg", "monitor", "producer", "trainer")


def moved(source: str, name: str) -> str:
    """The source of a module with its imports of the four packages renamed. Raises ValueError where one cannot be."""
    lines = source.encode().splitlines(keepends=True)
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _ours(node.module or ""):
            old, new = f"from {node.module} import", f"from {HOME}.{node.module} import"
        elif isinstance(node, ast.Import) and any(_ours(one.name) for one in node.names):
            one = node.names[0]
            if len(node.names) > 1 or (one.asname is None and "." in one.name):
                raise ValueError(f"{name}, line {node.lineno}: write `from ... import ...`")
            kept = "" if one.asname else f" as {one.name}"
            old, new = f"import {one.name}", f"import {HOME}.{one.name}{kept}"
        else:
            continue
        line, column = lines[node.lineno - 1], node.col_offset
        head, rest = line[:column], line[column:]
        if not rest.startswith(old.encode()):
            raise ValueError(f"{name}, line {node.lineno}: one space between the words of an import")
        lines[node.lineno - 1] = head + new.encode() + rest[len(old.encode()) :]
    return b"".join(lines).decode()


def _ours(module: str) -> bool:
    return module.split(".")[0] in PARTS


class BuildPy(build_py):
    """Moves the four packages into the one, in a wheel."""

    def run(self) -> None:
        """Build, then move and rename."""
        if self.editable_mode:
            super().run()
            return
        library = Path(self.build_lib)
        for name in (*PARTS, HOME):  # what an earlier build left
            shutil.rmtree(library / name, ignore_errors=True)
        super().run()
        for name in PARTS:
            shutil.move(library / name, library / HOME / name)
        for file in (library / HOME).rglob("*.py"):
            file.write_bytes(moved(file.read_text(encoding="utf-8"), str(file)).encode())


class EggInfo(egg_info):
    """Says which top-level package there is."""

    def run(self) -> None:
        """Write the metadata."""
        super().run()
        Path(self.egg_info, "top_level.txt").write_text(f"{HOME}\n", encoding="utf-8")


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildPy, "egg_info": EggInfo})
