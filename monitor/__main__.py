"""python -m monitor."""

import sys

from ecg import programs


def main() -> int:
    """The whole program, its errors and all; the exit status."""
    return programs.run(_cli)


def _cli() -> int:
    from monitor import cli  # an interrupt while it loads is one, too

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
