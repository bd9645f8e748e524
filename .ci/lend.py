"""lend.py SITE_PACKAGES NAME: link into a bare environment what the distribution there needs, extras left out.

The packages are those of the environment that runs this. Whatever the distribution does not declare stays away, so a
requirement that was forgotten is missed there as it would be by a user, and nothing is installed a second time.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement


def needed(of: Distribution, extras: set[str]) -> list[Requirement]:
    """What a distribution with these extras requires on this machine."""
    found = [Requirement(text) for text in of.requires or []]
    wanted = [{"extra": extra} for extra in extras or {""}]
    return [one for one in found if one.marker is None or any(one.marker.evaluate(each) for each in wanted)]


def lend(site: Path, name: str) -> None:
    """Link every package that NAME, installed in `site`, needs directly or indirectly."""
    (first,) = distributions(name=name, path=[str(site)])
    waiting = needed(first, set())
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        if (one.name, frozenset(one.extras)) in seen:
            continue
        seen.add((one.name, frozenset(one.extras)))
        lent = distribution(one.name)
        waiting += needed(lent, one.extras)
        for top in {file.parts[0] for file in lent.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(lent.locate_file(top))).resolve())


if __name__ == "__main__":
    lend(Path(sys.argv[1]), sys.argv[2])
