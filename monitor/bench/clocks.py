"""The system's clock as programs see it, set forward and back while they run: by the library libfaketime.

The clock that never goes back is left alone, as it is when a real clock is set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from monitor.bench.tunnel import NotHereError

LIBRARY: Final = "libfaketimeMT.so.1"
PLACES: Final = ("/usr/lib", "/usr/local/lib", "/opt/homebrew/lib")


class FakeClock:
    """Programs that were started with `environment` see the system's clock `set` seconds from the true one.

    Raises NotHereError where the library is not installed.
    """

    def __init__(self, folder: Path) -> None:
        found = [path for place in PLACES for path in sorted(Path(place).glob(f"**/faketime/{LIBRARY}"))]
        if not found:
            raise NotHereError("libfaketime is not installed: apt-get install libfaketime")
        self._file = folder / "clock"
        self.environment = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.set(0)

    def set(self, seconds: float) -> None:
        """Set it, in all of them at once."""
        draft = self._file.with_suffix(".part")
        draft.write_text(f"{seconds:+.0f}\n", encoding="ascii")
        draft.replace(self._file)
