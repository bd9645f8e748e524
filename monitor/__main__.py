"""python -m monitor."""

import sys

from ecg import programs
from monitor import cli


def main() -> int:
    """The whole program, its errors and all; the exit status."""
    return programs.run(cli.main)


if __name__ == "__main__":
    sys.exit(main())
