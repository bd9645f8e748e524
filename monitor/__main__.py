"""python -m monitor."""

import sys

from ecg.errors import UserError
from monitor.cli import main

if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(getattr(error, "status", 2))  # monitor.cli.EXIT_STATUS lists them
    except KeyboardInterrupt:
        sys.exit(130)
