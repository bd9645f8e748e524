"""python -m producer."""

import sys

from ecg import programs


def main() -> int:
    """Run the program, errors included; returns the exit status."""
    return programs.run(_cli)


def _cli() -> int:
    from producer import cli  # an interrupt while it loads is one, too

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
