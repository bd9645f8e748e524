"""`python -m ecg.signal.kernels`: compile the kernels, so that no start of a program waits for it."""

from __future__ import annotations

import sys

from ecg.signal import compiled

if __name__ == "__main__":
    sys.stdout.write(f"kernels: {compiled.build() or 'Numba is not installed (extra fast), NumPy does their work'}\n")
