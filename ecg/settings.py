"""Every setting, as one typed tree read once from config.toml.

The defaults here and the lines of config.toml are the same (a test compares them). A wrong key, value or
type is a UserError that names file, key, value and what is allowed.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ecg.errors import UserError

Seconds = Annotated[float, Meta(gt=0)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(gt=0, le=500)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of config.toml; an unknown key in it is an error."""


class Mqtt(Section, frozen=True):
    """[mqtt] the broker and the topics."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str = ""
    password: str = ""
    topic_root: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "ecg/v1"
    wave_qos: Literal[0, 1] = 0
    embedded: bool = True
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    tls_insecure: bool = False


class Producer(Section, frozen=True):
    """[producer] what is replayed and how."""

    records: str = "excerpt"
    beds: Annotated[int, Meta(ge=0)] = 0
    speed: Literal["max"] | Annotated[float, Meta(gt=0)] = 1.0
    loop: bool = False
    lead: str = "all"
    truth: bool = True
    chunk_seconds: Annotated[float, Meta(ge=0.02, le=2.0)] = 0.25
    connection_per_bed_up_to: Count = 32
    beds_per_connection: Count = 250


class Model(Section, frozen=True):
    """[model] the network the monitor runs."""

    weights: str = "memory-gru"
    device: str = "auto"
    threads: Annotated[int, Meta(ge=0)] = 1
    cuda_graphs: bool = True
    bfloat16: bool = False


class Monitor(Section, frozen=True):
    """[monitor] ingest, batching and bookkeeping."""

    lead: str = "MLII"
    max_beds: Count = 4096
    late_seconds: Seconds = 2.0
    gap_reset_seconds: Seconds = 2.0
    lead_off_seconds: Seconds = 2.0
    idle_seconds: Seconds = 30.0
    max_lag_seconds: Seconds = 10.0
    batch_size: Count = 256
    batch_deadline_ms: Annotated[float, Meta(ge=0)] = 4.0
    status_seconds: Seconds = 5.0
    save_seconds: Seconds = 30.0
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0


class Screen(Section, frozen=True):
    """[screen] the terminal interface."""

    language: Literal["en", "ja"] = "en"
    theme: Literal["phosphor", "colour-blind"] = "phosphor"
    frames_per_second: Annotated[float, Meta(ge=1, le=60)] = 30.0
    sweep_mm_per_s: Literal[25, 50] = 25
    gain_mm_per_mv: Literal[5, 10, 20] = 10
    bell: bool = False


class Alarms(Section, frozen=True):
    """[alarms] which alarms are on, and their limits. Rates in beats per minute; docs/alarms.md defines each."""

    asystole: bool = True
    asystole_seconds: Seconds = 4.0
    fibrillation: bool = True
    ventricular_tachycardia: bool = True
    vt_beats: Annotated[int, Meta(ge=3, le=50)] = 6
    vt_rate: Rate = 130.0
    extreme_tachycardia: bool = True
    extreme_tachycardia_rate: Rate = 160.0
    extreme_bradycardia: bool = True
    extreme_bradycardia_rate: Rate = 35.0
    nonsustained_vt: bool = True
    ventricular_rhythm: bool = True
    ventricular_rhythm_beats: Annotated[int, Meta(ge=3, le=50)] = 5
    ventricular_rhythm_rate: Rate = 40.0
    ventricular_run: bool = True
    run_beats: Annotated[int, Meta(ge=3, le=50)] = 3
    pause: bool = True
    pause_seconds: Seconds = 2.5
    tachycardia: bool = True
    tachycardia_rate: Rate = 120.0
    bradycardia: bool = True
    bradycardia_rate: Rate = 50.0
    rate_hysteresis: Annotated[float, Meta(ge=0, le=0.5)] = 0.05
    atrial_fibrillation: bool = True
    af_beats: Annotated[int, Meta(ge=16, le=256)] = 48
    af_irregularity: Annotated[float, Meta(gt=0, lt=1)] = 0.08
    r_on_t: bool = True
    r_on_t_qt_seconds: Seconds = 0.40
    couplet: bool = True
    bigeminy: bool = True
    bigeminy_cycles: Annotated[int, Meta(ge=2, le=50)] = 3
    trigeminy: bool = True
    trigeminy_cycles: Annotated[int, Meta(ge=2, le=50)] = 3
    frequent_v: bool = True
    frequent_v_per_minute: Annotated[int, Meta(ge=1, le=200)] = 10
    lead_off: bool = True
    minimum_seconds: Annotated[float, Meta(ge=0)] = 5.0
    silence_seconds: Seconds = 120.0
    log: str = ""


class Config(Section, frozen=True):
    """The whole of config.toml."""

    mqtt: Mqtt = msgspec.field(default_factory=Mqtt)
    producer: Producer = msgspec.field(default_factory=Producer)
    model: Model = msgspec.field(default_factory=Model)
    monitor: Monitor = msgspec.field(default_factory=Monitor)
    screen: Screen = msgspec.field(default_factory=Screen)
    alarms: Alarms = msgspec.field(default_factory=Alarms)


def default_path() -> Path:
    """Where config.toml is looked for: $ECG_CONFIG, the working folder, then beside the packages."""
    named = os.environ.get("ECG_CONFIG")
    if named:
        return Path(named)
    here = Path("config.toml")
    return here if here.exists() else Path(__file__).resolve().parent.parent / "config.toml"


def load(path: Path | None = None) -> Config:
    """The settings in `path` (default: `default_path()`). Raises UserError with one sentence."""
    source = path or default_path()
    try:
        tree = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the settings in {source}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{source} is not valid TOML: {error}") from None
    try:
        return msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise UserError(f"{source}: {_explain(error, tree)}") from None


def host_and_port(text: str) -> tuple[str, int]:
    """A broker as typed: "host:port", "host" (port 1883), "[::1]:1883" or "::1". Raises UserError."""
    bare = text.count(":") > 1 and not text.startswith("[")  # an IPv6 address by itself: no port can be told from it
    host, _, port = (text, "", "1883") if bare or ":" not in text or text.endswith("]") else text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    known = port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65535
    if not known or not host or set(host) & set("[] /"):
        raise UserError(f"--broker {text} cannot be used: give host:port, such as 127.0.0.1:1883 or [::1]:1883")
    return host, int(port)


def with_root(mqtt: Mqtt, root: str) -> Mqtt:
    """The settings with another topic root. Raises UserError."""
    try:
        return msgspec.convert({**msgspec.structs.asdict(mqtt), "topic_root": root}, Mqtt)
    except msgspec.ValidationError:
        raise UserError(f"--root {root} cannot be used: give names of A-Z, a-z, 0-9, _ and - with / between") from None


def _explain(error: msgspec.ValidationError, tree: dict[str, object]) -> str:
    """The validation error with the key's name and the value that stands there."""
    text = str(error)
    reason, _, where = text.partition(" - at `$")
    key = where.rstrip("`").lstrip(".")
    value: object = tree
    for part in key.split(".") if key else []:
        value = value.get(part) if isinstance(value, dict) else None
    if "unknown field" in reason:
        field = reason.rsplit("`", 2)[1]
        allowed = ", ".join(_allowed(key))
        table = f"[{key}]" if key else "the top level"
        return f"unknown key {field!r} in {table}; allowed are: {allowed}"
    return f"{key} = {value!r} cannot be used: {reason}"


def _allowed(key: str) -> tuple[str, ...]:
    """Names of the keys allowed in the table `key`."""
    kind: type[msgspec.Struct] = Config
    for part in key.split(".") if key else []:
        found = {field.name: field.type for field in msgspec.structs.fields(kind)}.get(part)
        if not (isinstance(found, type) and issubclass(found, msgspec.Struct)):
            return ()
        kind = found
    return tuple(field.name for field in msgspec.structs.fields(kind))
