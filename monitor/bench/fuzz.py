"""Hostile inputs to every decoder: nothing but its own error may come out, and no input may hang it or make it grow.

Guided by coverage (atheris) where that is installed, else by mutations of right inputs. Each decoder in a process of
its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, Final

import psutil

from ecg.errors import UserError
from monitor.bench import report
from monitor.bench.decoders import DECODERS
from monitor.bench.file_decoders import Decoder, quicken

HANG_SECONDS: Final = 10
"""Processor time that no input may take."""
MOST_MIB: Final = 512
"""Memory that no input may take."""
ADDRESSES: Final = 8 << 30
"""Beyond so much a process gets none: what an input takes is not to be the machine's."""
MOST_BYTES: Final = 4096
CHILD: Final = "import sys; from monitor.bench import fuzz; fuzz.child(*sys.argv[1:])"
SETTLED: Final = 1000
"""Inputs after which memory is looked at for the first time."""
MIB: Final = 1 << 20
WFDB: Final = ("header", "annotations")
MEMORY: Final = Path("/dev/shm")
"""Files of an input lie in memory, where the system has such a folder: a disk would be most of the time."""


class HangError(BaseException):
    """An input took too long. No decoder can take it for an error of its own."""


class Counting:
    """A decoder whose inputs are counted, and whose first failure is kept in `folder`."""

    def __init__(self, decoder: Decoder, folder: Path, inputs: int, seconds: float) -> None:
        self._decoder, self._folder, self._inputs = decoder, folder, inputs
        self._until_s = time.monotonic() + seconds
        self.count, self.rejected, self.failures, self.first_mib = 0, 0, 0, 0.0
        self._peak_mib = peak_mib()
        self.errors: dict[str, int] = {}

    def __call__(self, data: bytes) -> None:
        """One input. Ends the process once there were enough."""
        self.count += 1
        signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
        try:
            self._decoder.read(data)
        except self._decoder.own:
            self.rejected += 1
        except (Exception, HangError) as error:
            self._failed(where(error), data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if (peak := peak_mib()) > self._peak_mib:
            if peak - self._peak_mib > MOST_MIB:
                self._failed(f"more than {MOST_MIB} MiB for one input", data)
            self._peak_mib = peak
        if self.count == SETTLED:
            self.first_mib = psutil.Process().memory_info().rss / MIB
        if self.count >= self._inputs or time.monotonic() > self._until_s:
            self.tell()
            sys.stdout.flush()
            os._exit(0)  # atheris never returns

    def _failed(self, kind: str, data: bytes) -> None:
        self.failures += 1
        if kind not in self.errors and len(self.errors) < 20:
            (self._folder / f"failed-{len(self.errors)}").write_bytes(data)
        self.errors[kind] = self.errors.get(kind, 0) + 1

    def tell(self) -> None:
        """The figures, as the last line of the standard output."""
        grown = psutil.Process().memory_info().rss / MIB - self.first_mib if self.first_mib else 0.0
        figures = {
            "inputs": self.count,
            "rejected": self.rejected,
            "failures": self.failures,
            "grown_mib": round(grown, 1),
        }
        print(json.dumps({**figures, "errors": self.errors}))


def peak_mib() -> int:
    """The most memory that this process has ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def where(error: BaseException) -> str:
    """An error by its type, and the last place in our code that it came through."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/site-packages/" not in frame.filename]
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}"


def child(name: str, folder: str, inputs: str, seconds: str, seed: str, guided: str) -> None:
    """One decoder, in a process of its own."""

    def hung(_number: int, _frame: object) -> None:
        raise HangError(f"more than {HANG_SECONDS} s of processor time for one input")

    signal.signal(signal.SIGPROF, hung)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    if guided == "atheris":
        import atheris

        with atheris.instrument_imports(include=["ecg", "monitor"], enable_loader_override=False):
            decoder = DECODERS[name]()
    else:
        decoder = DECODERS[name]()
    if name in WFDB:
        quicken()
    counting = Counting(decoder, Path(folder), int(inputs), float(seconds))
    if guided != "atheris":
        mutate(counting, decoder.seeds, random.Random(int(seed)))
    corpus = Path(folder) / "corpus"
    corpus.mkdir()
    for number, content in enumerate(decoder.seeds):
        (corpus / str(number)).write_bytes(content)
    options = [f"-seed={seed}", f"-max_len={max(MOST_BYTES, *map(len, decoder.seeds))}", "-print_final_stats=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], counting, enable_python_coverage=True)
    atheris.Fuzz()


def mutate(counting: Counting, seeds: list[bytes], chance: random.Random) -> None:
    """Right inputs with bits turned, bytes put in and taken out, and parts of others, for ever."""
    odd = (
        b"\xff",
        b"\x00",
        b'"',
        b"[" * 200,
        b"{" * 200,
        b"1e999",
        b"\xc1",
        b"\xdf\xff\xff\xff\xff",
        b"-0",
        b"9" * 30,
        b"\n",
    )
    while True:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(6):
                case 0 if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
                case 1:
                    data[at:at] = chance.choice(odd)
                case 2:
                    del data[at : at + chance.randint(1, 16)]
                case 3:
                    other = chance.choice(seeds)
                    data[at:at] = other[chance.randrange(len(other) + 1) :][: chance.randint(1, 64)]
                case 4:
                    data[at : at + 4] = chance.randbytes(chance.randint(0, 8))
                case _:
                    del data[chance.randrange(at + 1) : at]
        counting(bytes(data))


def guides() -> list[str]:
    """What chooses the inputs, half each: coverage, where atheris is installed, and mutations."""
    return ["atheris", "mutations"] if importlib.util.find_spec("atheris") else ["mutations"]


def one(name: str, options: argparse.Namespace, guided: list[str]) -> dict[str, Any]:
    """A decoder's figures, of all ways of choosing inputs together."""
    parts = [part(name, options, way, len(guided)) for way in guided]
    if any("died" in found for found in parts):
        return {"died": [found.get("said", "") for found in parts]}
    sums = {key: sum(found[key] for found in parts) for key in ("inputs", "rejected", "failures", "seconds")}
    errors = {kind: found["errors"][kind] for found in parts for kind in found["errors"]}
    examples = [example for found in parts for example in found["examples"]]
    return {**sums, "grown_mib": max(found["grown_mib"] for found in parts), "errors": errors, "examples": examples}


def part(name: str, options: argparse.Namespace, guided: str, of: int) -> dict[str, Any]:
    """The figures of one way of choosing inputs."""
    with tempfile.TemporaryDirectory(prefix="ecg-fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        words = [name, folder, str(options.inputs // of), str(options.seconds / of), str(options.seed), guided]
        begin_s = time.monotonic()
        command, place = [sys.executable, "-c", CHILD, *words], os.environ | {"TMPDIR": folder}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=place)
        lines = [text for text in done.stdout.splitlines() if text.startswith('{"inputs"')]
        found: dict[str, Any] = (
            json.loads(lines[-1]) if lines else {"died": done.returncode, "said": done.stderr[-500:]}
        )
        found["seconds"] = round(time.monotonic() - begin_s, 1)
        found["examples"] = [file.read_bytes().hex()[:400] for file in sorted(Path(folder).glob("failed-*"))]
    return found


def run(options: argparse.Namespace) -> int:
    """`bench fuzz`; the exit status is 1 where something came out that must not."""
    wanted = [name.strip() for name in options.only.split(",")] if options.only else list(DECODERS)
    if unknown := [name for name in wanted if name not in DECODERS]:
        raise UserError(f"--only {unknown[0]!r} names no decoder: give {', '.join(DECODERS)}")
    guided, rows = guides(), {}
    for name in wanted:
        print(name, file=sys.stderr, flush=True)
        rows[name] = one(name, options, guided)
    report.write(options.json, {"guided_by": guided, "seed": options.seed, "decoders": rows})
    report.show(
        report.table(
            f"fuzz: up to {options.inputs} inputs or {options.seconds:g} s a decoder, by {' and '.join(guided)}",
            ("decoder", "inputs", "refused", "uncaught", "MiB grown", "s"),
            [
                [
                    name,
                    *(str(row.get(key, "died")) for key in ("inputs", "rejected", "failures", "grown_mib", "seconds")),
                ]
                for name, row in rows.items()
            ],
            "; ".join(f"{name}: {kind}" for name, row in rows.items() for kind in row.get("errors", {})),
        )
    )
    return int(any(row.get("failures", 1) for row in rows.values()))
