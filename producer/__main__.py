"""python -m producer."""

import sys

from ecg import programs
from producer import cli


def main() -> int:
    """Run the program, errors included; returns the exit status."""
    return programs.run(cli.main)


if __name__ == "__main__":
    sys.exit(main())
