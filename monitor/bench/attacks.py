"""Attacks on a running monitor: messages of strangers while honest beds stream. Each may cost the others nothing.

Real processes, one row an attack: the longest silence of an honest bed, what the monitor could not use, its memory.
At the end the recording is the witness: every beat of the honest beds as an undisturbed ward reads it.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil

from ecg.errors import UserError
from ecg.settings import Config
from ecg.wire.messages import SCHEMA, BedStatus, encode_json
from monitor.bench import report, undisturbed
from monitor.bench.harness import MIB, programs, wait
from monitor.bench.scene import Scene
from monitor.bench.stopping import stopped
from monitor.bench.stranger import RATE, TOPICS, Stranger, wave
from monitor.service.recorder.database import FILE

HONEST: Final = 4
AFTER_SECONDS: Final = 8.0
BEFORE_SECONDS: Final = 12.0
SILENCE_SECONDS: Final = 4.0
"""An honest bed whose beats come later than that was held up: its heart's own pauses are shorter."""
KINDS: Final = ("wave", "truth", "status", "command", "ack", "limits")
DEEP: Final = 100_000


def small(one: Stranger, beds: list[str]) -> None:
    """Small messages that no decoder can use, retained too, on all topics of a bed."""
    bodies = [b"[" * DEEP, b'{"a":' * DEEP, b"\x91" * DEEP, b'{"v":1,"state":"\xff"}', b'{"v":' + b"9" * 400 + b"}"]
    bodies += [b'{"v":1e999}', b"\xc1", b"\xdf\xff\xff\xff\xff", b"", b"null", b"NaN"]
    for bed in (*beds, "stranger"):
        one.send(*((TOPICS.of(bed, kind), body) for kind in KINDS for body in bodies))
    one.send((TOPICS.of("stranger", "status"), bodies[0]), (TOPICS.of("stranger", "limits"), bodies[2]), retain=True)
    one.send((TOPICS.of("stranger", "status"), b""), (TOPICS.of("stranger", "limits"), b""), retain=True)


def huge_counts(one: Stranger, beds: list[str]) -> None:
    """A status that published 10^30 samples, an annotation at sample 10^30, on the beds' own streams."""
    for bed in beds:
        stream = one.streams[bed][0].encode()
        for count in (b"1" + b"0" * 30, b"9007199254740992", b"-1"):
            status = b'{"v":1,"state":"online","record":"r","source":"s","speed":1.0,"rate":360.0,"leads":["MLII"],'
            status += b'"stream":"%s","published":%s}' % (stream, count)
            truth = b'{"v":1,"stream":"%s","annotations":[{"index":%s,"symbol":"N","rhythm":""}]}' % (stream, count)
            one.send((TOPICS.of(bed, "status"), status), (TOPICS.of(bed, "truth"), truth))


def forged(one: Stranger, beds: list[str]) -> None:
    """Waves of another stream, and of the bed's own an hour ahead, far behind, and of another rate."""
    for _ in range(5):
        for bed in beds:
            stream, index = one.streams[bed]
            ahead = wave(stream, index + round(3600 * RATE))
            one.send(*((TOPICS.of(bed, "wave"), body) for body in (wave("another-1-0"), ahead, wave(stream, 7, 1))))
        time.sleep(0.5)


def rebooted(one: Stranger, beds: list[str]) -> None:  # noqa: ARG001
    """A device of its own that begins again at sample 0 under the same name: its bed must be taken up anew."""
    for turn in range(2):
        for second in range(8):
            one.send((TOPICS.of("device", "wave"), wave("device-1", second * 360, 360, turn)))
            time.sleep(0.5 if turn else 0.1)


def large(one: Stranger, beds: list[str]) -> None:
    """A wave of 50 MB, and one of 4 MiB, on a honest bed's topic and on another."""
    big = wave("big-1-0", 0, 25_000_000)
    one.send((TOPICS.of(beds[0], "wave"), big), (TOPICS.of("big", "wave"), big))
    one.send((TOPICS.of("big", "wave"), wave("big-1-0", 0, (4 << 20) // 2 - 200)))


def streams(one: Stranger, beds: list[str]) -> None:  # noqa: ARG001
    """50,000 streams on one bed."""
    one.send(*((TOPICS.of("many", "wave"), wave(f"stream-{number}", 0, 20)) for number in range(50_000)))


def crowd(one: Stranger, beds: list[str]) -> None:  # noqa: ARG001
    """5,000 beds at once, a second of signal each."""
    one.send(*((TOPICS.of(f"crowd-{number}", "wave"), wave("s-1-0", 0, 360)) for number in range(5_000)))


def laps(one: Stranger, beds: list[str]) -> None:  # noqa: ARG001
    """A bed that announces another stream with every message, each of a minute of signal."""
    for lap in range(200):
        said = BedStatus(
            v=SCHEMA,
            state="online",
            record="x",
            source="x",
            speed=1.0,
            rate=RATE,
            leads=["MLII"],
            stream=f"laps-1-{lap}",
        )
        signal = wave(said.stream, 0, round(60 * RATE))
        one.send((TOPICS.of("laps", "status"), encode_json(said)), (TOPICS.of("laps", "wave"), signal))


def flood(one: Stranger, beds: list[str]) -> None:
    """50,000 messages that nobody can use on an honest bed's topic, and 50,000 of signal on another."""
    one.send(*((TOPICS.of(beds[0], "wave"), b"\xdf\xff\xff\xff\xff") for _ in range(50_000)))
    one.send(*((TOPICS.of("flood", "wave"), wave("flood-1-0", 20 * number, 20)) for number in range(50_000)))


def commands(one: Stranger, beds: list[str]) -> None:
    """2,000 commands to each honest bed, every one of which takes its producer some hundredths of a second."""
    body = b'{"v":1,"do":"set","ectopy":"couplets","seconds":60}'
    one.send(*((TOPICS.of(bed, "command"), body) for _ in range(2000) for bed in beds))


ATTACKS: Final[dict[str, Callable[[Stranger, list[str]], None]]] = {
    "small messages": small,
    "huge counts": huge_counts,
    "forged waves": forged,
    "a device begins again": rebooted,
    "a wave of 50 MB": large,
    "50,000 streams": streams,
    "another stream each time": laps,
    "a flood": flood,
    "5,000 beds": crowd,
    "a flood of commands": commands,
}


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench attacks`; the exit status is 1 where an honest bed had to suffer."""
    wanted = [name.strip() for name in options.only.split(";")] if options.only else list(ATTACKS)
    if unknown := [name for name in wanted if name not in ATTACKS]:
        raise UserError(f"--only {unknown[0]!r} names no attack: give {'; '.join(ATTACKS)}")
    about, rows = report.machine(), dict[str, dict[str, Any]]()
    with programs() as made:
        scene = Scene(made, config, "mosquitto", HONEST)
        scene.begin(0.0)
        with Stranger(scene.port).running() as one:
            wait(made, lambda: len(one.streams) >= HONEST, "the beds have no beats")
            beds = sorted(one.streams)
            time.sleep(BEFORE_SECONDS)
            for name in wanted:
                print(name, file=sys.stderr, flush=True)
                rows[name] = attack(scene, one, beds, ATTACKS[name])
        ledger = scene.end()
        found, _ = undisturbed.verdict(scene.records, config, beds)
        said = errors(made.folder / "monitor.err")
        if "a device begins again" in wanted and beginnings(scene.records, "device") < 2:
            said.append("the device that began again was not taken up anew")
    end = stopped(config) if not options.only else {"held": "yes"}
    report.write(
        options.json,
        {"stopped": end, "machine": about, "attacks": rows, "ledger": ledger, "honest": found, "said": said},
    )
    report.show(
        report.table(
            f"attacks: {HONEST} honest beds in real time",
            ("attack", "longest silence s", "messages unusable", "beds", "memory MiB", "held"),
            [[name, *map(str, row.values())] for name, row in rows.items()],
            f"{about}. Longest silence: between two beats of an honest bed, its heart's own pauses among them; "
            f"{SILENCE_SECONDS:g} s are allowed. Of the honest beds' {found['beats']} beats {found['beats_lost']} were "
            f"lost, {found['beats_beside']} beside, {found['beats_otherwise']} with another letter; alarms off: "
            f"{found['alarms_differ']}; samples missing {found['samples_missing']}. "
            f"Tracebacks in the log: {len(said)}. {told(end)}",
        )
    )
    spoilt = any(found[key] for key in ("beats_lost", "beats_beside", "beats_otherwise", "alarms_differ"))
    return int(spoilt or bool(said) or end["held"] == "NO" or any(row["held"] == "NO" for row in rows.values()))


def attack(scene: Scene, one: Stranger, beds: list[str], how: Callable[[Stranger, list[str]], None]) -> dict[str, Any]:
    """One attack's row."""
    begin_s, before = time.monotonic(), scene.scrape()
    one.quietest(beds, begin_s)
    how(one, beds)
    time.sleep(AFTER_SECONDS)
    scene.made.check()
    quiet_s, after = one.quietest(beds, begin_s), scene.scrape()
    unusable = "ecg_monitor_messages_unusable_total"
    return {
        "silence_s": round(quiet_s, 1),
        "unusable": int(after.get(unusable, 0) - before.get(unusable, 0)),
        "beds": int(after.get("ecg_monitor_beds", -1)),
        "rss_mib": round(psutil.Process(scene.made.running["monitor"].pid).memory_info().rss / MIB),
        "held": "yes" if quiet_s <= SILENCE_SECONDS and after else "NO",
    }


def told(end: dict[str, Any]) -> str:
    """How a saturated monitor ended, in words."""
    if "seconds" not in end:
        return ""
    undone = ", ".join(end["undone"]) or "nothing"
    return (
        f"SIGTERM with {end['waiting']} messages unread: gone after {end['seconds']} s, exit status {end['status']}, "
        f"{end['processes_left']} processes left, not flushed: {undone}."
    )


def beginnings(folder: Path, bed: str) -> int:
    """Records of a bed: a stream that begins again has another."""
    with sqlite3.connect(folder / FILE) as base:
        found: int = base.execute("SELECT count(*) FROM records WHERE bed = ?", (bed,)).fetchone()[0]
    return found


def errors(log: Path) -> list[str]:
    """The last lines of the tracebacks in a log."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line[:200] for line in lines if line.startswith("Traceback") or " failed (" in line][:20]
