"""Whether the signal path is compiled (Numba, extra `fast`): the same numbers, bit for bit, as the NumPy beside it.

Start-up never waits for a compiler: kernels are used only where `python -m ecg.signal.kernels` (which `make` calls) has
compiled them for this processor, these sources and these versions. Everywhere else NumPy does the work.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from ecg.signal.loading import lightly

log = logging.getLogger(__name__)
SWITCH: Final = "ECG_KERNELS"
"""Environment variable; "off" keeps to NumPy."""
READY: Final = "ready"
"""File that stands in the folder of what has been compiled, once all of it has."""
LIGHT: Final = "light"
"""File that stands there once all of it has been loaded as `ecg.signal.loading` does."""


class Terms(NamedTuple):
    """What a look at a signal is judged by: constants of `ecg.signal.quality` and of rules, in blocks and mV.

    rise, smooth, edge, far, clipped, wander_mv: of quality. baseline to clear_peaked: of waves without beats. hop: new
    blocks of a look. tail to least_lift: of steep places.
    """

    rise: int
    smooth: int
    edge: float
    far: float
    clipped: float
    wander_mv: float
    baseline: int
    away: float
    least_away: float
    most_peaked: float
    no_slope: float
    most_still: float
    lowest_hertz: float
    highest_hertz: float
    least_wave: float
    unsteady: float
    clear_peaked: float
    hop: int
    tail: int
    apart: int
    before: int
    least_lift: float


class Rules(NamedTuple):
    """What looks are weighed by: constants of `monitor.alarms.judging`, `disorder`, `witness` and `strokes`.

    half, hop, recent: blocks. slowest: Hz. known_after: s. brisk: 1/min. run_beats, run_rr: of a ventricular
    tachycardia by the settings, run_rr in s. From own on: of strokes.
    """

    half: int
    hop: int
    recent: int
    looks_on: int
    misses: int
    irregular: int
    quiet_looks: int
    held: int
    known_after: float
    brisk: float
    slowest: float
    slower: float
    run_beats: int
    run_rr: float
    own: float
    refractory: int
    alike: float
    quick: float
    slow: float
    near: int
    even: float
    unlike: float
    one_another: float
    strays: int
    faster: float
    earlier: int
    fewest: int


class RuleKernels(Protocol):
    """What is compiled of the alarms' rules for beats: see `ecg.signal.kernels.use_rules`."""

    def sign(self, memory: Any, slots: Any, told: Any) -> None:
        """Signs of these beds."""

    def tell(self, memory: Any, limits: Any, detected: Any, heard: Any, clocks: Any) -> tuple[Any, list[list[int]]]:
        """R-peaks, beats and clocks: which beats are in noise, and the changes."""


class Kernels(Protocol):
    """What is compiled: see `ecg.signal.kernels.use`, whose arguments these are."""

    rules: RuleKernels

    def step(
        self, state: Any, designs: Any, kern: Any, slots: Any, follows: Any, chunks: Any, rate: float
    ) -> tuple[NDArray[Any], ...]:
        """From samples to windows that are complete: see `ecg.signal.kernels.stepping.step`."""

    def advance(self, state: Any, designs: Any, kern: Any, slots: Any, signal: Any, count: int) -> Any:
        """Resampler and filters."""

    def find(self, state: Any, slots: Any, model: Any, band: Any, envelope: Any, first: Any, count: int) -> Any:
        """`ecg.signal.detector.find`."""

    def describe(
        self, state: Any, slots: Any, at: Any, cuts: Any, features: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """`ecg.signal.features.describe`."""

    def hear(
        self, messages: Sequence[tuple[Any, ...]], missing: int, tail: int
    ) -> tuple[list[tuple[int, ...]], NDArray[np.float32], NDArray[np.int64], NDArray[np.float64], list[int]]:
        """A plan; signals of messages, their lines and last values, and for how long lines have stood; -1 for odd
        messages.
        """

    def split(self, data: bytes, known: Any, starts: Any, texts: Any, room: Any) -> list[int]:
        """`ecg.wire.packets.Splitter`: see `ecg.signal.kernels.splitting.split`."""

    def take(
        self, lane: Any, data: Any, begins: Any, ends: Any, slots: Any, received: Any, rules: Any, out: Any
    ) -> Any:
        """Messages that go on where their bed's signal ends: see `ecg.signal.kernels.arriving.take`."""

    def gather(self, numbers: Any, signals: Any, table: Any) -> tuple[Any, ...]:
        """What waits of them, bed by bed: see `ecg.signal.kernels.arriving.gather`."""

    def looks(self, state: Any, slots: Any, chunks: Any, hop: int, length: int) -> Any:
        """The looks that the next samples of these slots make due: slots, index, means, spreads, blocks."""

    def show(self, means: Any, spreads: Any, rate: Any, blocks: Any, terms: Terms) -> Any:
        """What looks show: see `ecg.signal.kernels.looking.show`."""

    def shapes(self, means: Any, rows: Any, centres: Any, before: int, after: int) -> Any:
        """Shapes around blocks of windows, without mean and of unit length, and the size of the middle ones."""

    def judge(
        self, own: Any, looks: Any, beats: Any, gone: Any, seen: Any, places: Any, rules: Rules
    ) -> tuple[Any, NDArray[np.int64]]:
        """What looks mean for their beds: see `ecg.signal.kernels.judging.judge`."""

    def irregularity(self, rr: Any, lags: int, share: float, fewest: int) -> float:
        """`monitor.alarms.irregular.irregularity`; -1 in the place of None. rr: int64."""

    def classify(
        self, weights: Any, windows: Any, features: Any, slots: Any, memory: Any, classes: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`ecg.model.compiled`."""


class _Held:
    """What has been found out: the kernels, once they are loaded; None before, or where there are none."""

    asked = False
    kernels: Kernels | None = None


def folder() -> Path | None:
    """Where the kernels of these sources, versions and processor are, or would be; None where Numba is not installed.

    What a kernel is made of stands in the sources of this room: constants are compiled in.
    """
    try:
        parts = [version(name) for name in ("numba", "llvmlite", "numpy")]
    except PackageNotFoundError:
        return None
    parts += [platform.python_version(), platform.machine(), _processor()]
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        parts.append(f"{path} {path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return user_cache_path("ecg-monitor-simulator") / "kernels" / key


def kernels() -> Kernels | None:
    """The kernels, loaded at the first call; None where there are none that are ready."""
    if not _Held.asked:
        _Held.asked = True
        place = None if os.environ.get(SWITCH) == "off" else folder()
        if place is not None and (place / READY).exists():
            try:
                _Held.kernels = load(place, light=(place / LIGHT).exists())
            except Exception:  # whatever a compiler of another version may raise: there is always NumPy
                log.warning("the compiled kernels cannot be loaded; NumPy does their work", exc_info=True)
    return _Held.kernels


def load(place: Path, light: bool = False) -> Kernels:
    """The kernels from this folder, or compiled into it where it lacks them (seconds). Raises ImportError without
    Numba. light: without the compiler, see `ecg.signal.loading`.
    """
    with lightly() if light else nullcontext():
        numba = importlib.import_module("numba")
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(place)
        try:
            use = importlib.import_module(f"{__package__}.kernels.use")
        finally:
            numba.config.CACHE_DIR = before
        ready: Kernels = use.Compiled()
        importlib.import_module(f"{__package__}.kernels.warming").warm_up(ready)
    return ready


def build() -> Path | None:
    """Compile all kernels, if they are not: the folder; None where Numba is not installed."""
    place = folder()
    if place is None:
        return None
    if not (place / READY).exists():
        place.mkdir(parents=True, exist_ok=True)
        load(place)
        if loads_lightly(place):
            (place / LIGHT).touch()
        (place / READY).touch()
    return place


def loads_lightly(place: Path) -> bool:
    """Can the kernels of this folder be loaded without the compiler? Tried in a process of its own: it might crash."""
    program = f"from pathlib import Path\nfrom {__name__} import load\nload(Path({str(place)!r}), light=True)"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


@contextmanager
def only_numpy() -> Iterator[None]:
    """Within, NumPy does all the work."""
    before = _Held.asked, _Held.kernels
    _Held.asked, _Held.kernels = True, None
    try:
        yield
    finally:
        _Held.asked, _Held.kernels = before


def _processor() -> str:
    """Which instructions this processor has."""
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return platform.processor()
