"""python -m monitor."""

import sys

from ecg.errors import UserError
from monitor.cli import main

if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
