"""Small beds for tests of the producer."""

from __future__ import annotations

import numpy as np

from ecg.records.record import Annotations, Record


def small(length: int = 1000, rate: float = 360.0) -> Record:
    """A record with known samples and three annotations."""
    samples = np.stack((np.arange(length), -np.arange(length)), axis=1).astype(np.int16)
    notes = Annotations(np.array([5, 400, length - 1]), np.array(["+", "N", "V"]), np.array(["(N", "(N", "(N"]))
    two = np.array([200.0, 100.0])
    return Record(
        name="t1",
        rate=rate,
        leads=("V5", "MLII"),
        gain=two,
        baseline=two,
        samples=samples,
        source="synthetic",
        annotations=notes,
    )
