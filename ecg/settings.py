"""Every setting, as one typed tree: defaults, then config.toml, then the environment, then the command line.

The defaults stand here; config.toml documents them (tests/ecg/test_settings.py compares the two, line by line). A wrong
key, value or type is a UserError that names the file, option or variable, the value and what is allowed. Every number
has a range, so that NaN, infinity and the absurd are refused where they are given.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote

import msgspec
import platformdirs
from msgspec import Meta
from msgspec.structs import replace

from ecg.errors import UserError
from ecg.files import read_text, unread
from ecg.profiles import PROFILES
from ecg.ranges import MEANT, Beats, Count, Cycles, Ending, Host, Name, Place, Port, Rate, Root, Signal, Text, Wall

FILE: Final = "config.toml"
VARIABLE: Final = "ECG_"
"""ECG_MQTT__HOST is the variable of the key host in [mqtt]."""
SECURE_PORT: Final = 8883
"""What brokers listen on for TLS, where mqtts:// names no port."""
SECRET: Final = ("password",)
"""Keys whose values are never shown."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of config.toml; an unknown key in it is an error. Shown, in a traceback say, it keeps what is secret."""

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        return [(name, "***" if name in SECRET and value else value) for name, value in shown.items()]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"


class MqttSettings(Section, frozen=True):
    """[mqtt] the broker and the topics."""

    host: Host = "127.0.0.1"
    port: Port = 1883
    username: Text = ""
    password: Text = ""
    password_file: Text = ""
    topic_root: Root = "ecg/v1"
    wave_qos: Literal[0, 1] = 0
    embedded: bool = True
    transport: Literal["tcp", "websockets"] = "tcp"
    websocket_path: Place = "/mqtt"
    tls: bool = False
    ca_file: Text = ""
    cert_file: Text = ""
    key_file: Text = ""
    tls_insecure: bool = False


class ProducerSettings(Section, frozen=True):
    """[producer] what is replayed and how."""

    records: Name = "excerpt"
    beds: Annotated[int, Meta(ge=0, le=65536)] = 0
    speed: Literal["max"] | Annotated[float, Meta(ge=0.01, le=10_000)] = 1.0
    loop: bool = False
    lead: Name = "all"
    truth: bool = True
    annotator: Ending = "atr"
    chunk_seconds: Annotated[float, Meta(ge=0.02, le=2.0)] = 0.25
    connection_per_bed_up_to: Count = 32
    beds_per_connection: Count = 250
    control: bool = True
    keep_seconds: Annotated[float, Meta(ge=0, le=3600)] = 60.0


class ModelSettings(Section, frozen=True):
    """[model] the network the monitor runs."""

    weights: Name = "memory-gru"
    device: Name = "auto"
    threads: Annotated[int, Meta(ge=0, le=1024)] = 1
    cuda_graphs: bool = True
    bfloat16: bool = False


class MonitorSettings(Section, frozen=True):
    """[monitor] ingest, batching and bookkeeping."""

    lead: Name = "MLII"
    second_lead: bool = True
    max_beds: Count = 4096
    late_seconds: Signal = 2.0
    gap_reset_seconds: Signal = 2.0
    lead_off_seconds: Signal = 2.0
    idle_seconds: Wall = 30.0
    forget_seconds: Wall = 3600.0
    takeover_seconds: Signal = 2.0
    max_lag_seconds: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    batch_size: Count = 256
    batch_deadline_ms: Annotated[float, Meta(ge=0, le=1000)] = 72.0
    status_seconds: Wall = 5.0
    save_seconds: Wall = 30.0
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    metrics_host: Host = "127.0.0.1"
    metrics_token_file: Text = ""


class ScreenSettings(Section, frozen=True):
    """[screen] the terminal interface."""

    language: Literal["en", "ja"] = "en"
    theme: Literal["phosphor", "colour-blind"] = "phosphor"
    frames_per_second: Annotated[float, Meta(ge=1, le=60)] = 30.0
    sweep_mm_per_s: Literal[25, 50] = 25
    gain_mm_per_mv: Literal[5, 10, 20] = 10
    bell: bool = False
    web_tabs: Count = 16
    web_token_file: Text = ""
    strips_folder: Text = ""
    trend_window_minutes: Annotated[float, Meta(ge=0.1, le=1440)] = 4.0
    trend_rate_change: Annotated[float, Meta(gt=0, le=300)] = 20.0
    trend_pressure_change: Annotated[float, Meta(gt=0, le=300)] = 15.0
    trend_pressure_low: Annotated[float, Meta(ge=0, le=300)] = 65.0


class AlarmSettings(Section, frozen=True):
    """[alarms] which alarms are on, and their limits. Rates in beats per minute; docs/alarms.md defines each."""

    profile: Literal["bedside", "challenge2015"] = "bedside"
    asystole: bool = True
    asystole_seconds: Signal = 4.0
    fibrillation: bool = True
    ventricular_tachycardia: bool = True
    vt_beats: Beats = 6
    vt_rate: Rate = 130.0
    extreme_tachycardia: bool = True
    extreme_tachycardia_rate: Rate = 160.0
    extreme_tachycardia_beats: Beats = 9
    extreme_bradycardia: bool = True
    extreme_bradycardia_rate: Rate = 35.0
    extreme_bradycardia_beats: Beats = 5
    nonsustained_vt: bool = True
    ventricular_rhythm: bool = True
    ventricular_rhythm_beats: Beats = 5
    ventricular_rhythm_rate: Rate = 40.0
    ventricular_run: bool = True
    run_beats: Beats = 3
    pause: bool = True
    pause_seconds: Signal = 2.5
    tachycardia: bool = True
    tachycardia_rate: Rate = 120.0
    bradycardia: bool = True
    bradycardia_rate: Rate = 50.0
    rate_hysteresis: Annotated[float, Meta(ge=0, le=0.5)] = 0.05
    atrial_fibrillation: bool = True
    af_beats: Annotated[int, Meta(ge=16, le=256)] = 48
    af_irregularity: Annotated[float, Meta(gt=0, lt=1)] = 0.08
    r_on_t: bool = True
    r_on_t_qt_seconds: Annotated[float, Meta(gt=0, le=2)] = 0.40
    couplet: bool = True
    bigeminy: bool = True
    bigeminy_cycles: Cycles = 3
    trigeminy: bool = True
    trigeminy_cycles: Cycles = 3
    frequent_v: bool = True
    frequent_v_per_minute: Annotated[int, Meta(ge=1, le=200)] = 10
    lead_off: bool = True
    cannot_analyse: bool = True
    cannot_analyse_seconds: Signal = 10.0
    minimum_seconds: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    silence_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 120.0
    log: Text = ""


class RecorderSettings(Section, frozen=True):
    """[recorder] what is kept on disk of signal, beats and alarms."""

    folder: Text = ""
    record_hours: Annotated[float, Meta(ge=0.01, le=24)] = 6.0
    keep_days: Annotated[float, Meta(ge=0.01, le=36_500)] = 7.0
    keep_gib: Annotated[float, Meta(ge=0.001, le=1_000_000)] = 20.0


class LogSettings(Section, frozen=True):
    """[log] what the programs say of themselves."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    format: Literal["text", "json"] = "text"
    file: Text = ""
    repeat_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 30.0


class Config(Section, frozen=True):
    """The whole of config.toml."""

    mqtt: MqttSettings = msgspec.field(default_factory=MqttSettings)
    producer: ProducerSettings = msgspec.field(default_factory=ProducerSettings)
    model: ModelSettings = msgspec.field(default_factory=ModelSettings)
    monitor: MonitorSettings = msgspec.field(default_factory=MonitorSettings)
    screen: ScreenSettings = msgspec.field(default_factory=ScreenSettings)
    alarms: AlarmSettings = msgspec.field(default_factory=AlarmSettings)
    recorder: RecorderSettings = msgspec.field(default_factory=RecorderSettings)
    log: LogSettings = msgspec.field(default_factory=LogSettings)


def find() -> Path | None:
    """The settings file: $ECG_CONFIG, else config.toml in the working folder, else in the user's config folder."""
    named = os.environ.get("ECG_CONFIG")
    if named:
        return Path(named).expanduser()
    places = (Path(FILE), platformdirs.user_config_path("ecg-monitor", False) / FILE)
    return next((place for place in places if place.is_file()), None)


def load(path: Path | None = None, environment: Mapping[str, str] = os.environ, profile: str = "") -> Config:
    """The settings in `path` (default: `find()`; the defaults where that finds none), changed by the environment.

    profile: of the alarms, as the option --profile names it; "" for that of the settings. Raises UserError with one
    sentence.
    """
    source = path or find()
    config, own = _read(source) if source else (Config(), set())
    for said, name in (
        (environment.get(f"{VARIABLE}ALARMS__PROFILE"), f"${VARIABLE}ALARMS__PROFILE"),
        (profile, "--profile"),
    ):
        if said:
            config = with_value(config, "alarms", "profile", said, name)
    limits = {key: value for key, value in PROFILES[config.alarms.profile].items() if key not in own}
    config = replace(config, alarms=replace(config.alarms, **limits))
    given = {name: text for name, text in environment.items() if name.startswith(VARIABLE) and "__" in name}
    given.pop(f"{VARIABLE}ALARMS__PROFILE", None)
    for one, other in (("PASSWORD", "password_file"), ("PASSWORD_FILE", "password")):  # either takes the other's place
        if f"{VARIABLE}MQTT__{one}" in given:
            config = replace(config, mqtt=replace(config.mqtt, **{other: ""}))
    for name, text in sorted(given.items()):
        section, _, key = name.removeprefix(VARIABLE).lower().partition("__")
        config = with_value(config, section, key, text, f"${name}")
    mqtt = config.mqtt
    if "://" in mqtt.host:
        named = with_broker(mqtt, mqtt.host, "[mqtt] host")
        spoken = mqtt.port != MqttSettings().port and not mqtt.host.rstrip("/").endswith(f":{named.port}")
        mqtt = replace(named, port=mqtt.port) if spoken else named
    return replace(config, mqtt=_with_password(mqtt))


def with_value(config: Config, section: str, key: str, text: str, name: str) -> Config:
    """The settings with one value as typed. name: what the sentence calls it, "--beds" or "$ECG_PRODUCER__BEDS".

    Raises UserError where there is no such key, or the value is not one of its own.
    """
    kinds = _kinds(section)
    if key not in kinds:
        allowed = ", ".join(kinds or _kinds(""))
        raise UserError(f"{name} names no setting: {'[' + section + '] has' if kinds else 'the tables are'} {allowed}")
    try:
        value: object = msgspec.convert(text, kinds[key], strict=False)
    except msgspec.ValidationError as error:
        raise UserError(f"{name}{_shown(key, text)} cannot be used: {_reason(str(error))}") from None
    return replace(config, **{section: replace(getattr(config, section), **{key: value})})


def host_and_port(text: str) -> tuple[str, int]:
    """A broker as typed, "host:port", "[::1]:port" or "host" (port 1883). Raises UserError."""
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "1883")
    try:
        if "//" not in host:
            return msgspec.convert(host.strip("[]"), Host), msgspec.convert(port, Port, strict=False)
    except msgspec.ValidationError:
        pass
    raise UserError(f"--broker {text} cannot be used: give host:port, such as 127.0.0.1:1883, or mqtt://user@host:port")


def with_broker(mqtt: MqttSettings, text: str, name: str = "--broker") -> MqttSettings:
    """The settings with a broker as typed: "host:port", or "mqtt://user@host:port"; "mqtts://" encrypts (port 8883).

    A password has no place there: command lines are seen by everybody on the machine. Raises UserError.
    """
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        host, port = host_and_port(text)
        return replace(mqtt, host=host, port=port)
    user, _, place = rest.removesuffix("/").rpartition("@")
    if ":" in user:
        raise UserError(
            f"{name} holds a password, which others could read: leave it out, and set $ECG_MQTT__PASSWORD "
            "or [mqtt] password_file"
        )
    secure = scheme.lower() == "mqtts"
    if not secure and scheme.lower() != "mqtt":
        raise UserError(f"{name} {text} cannot be used: give mqtt://user@host:port, or mqtts:// for TLS")
    host, port = host_and_port(place)
    if not place.endswith(f":{port}"):
        port = SECURE_PORT if secure else port
    return replace(mqtt, host=host, port=port, tls=secure, username=unquote(user) or mqtt.username)


def with_root(mqtt: MqttSettings, root: str) -> MqttSettings:
    """The settings with another topic root. Raises UserError."""
    return with_value(Config(mqtt=mqtt), "mqtt", "topic_root", root, "--root").mqtt


def _read(source: Path) -> tuple[Config, set[str]]:
    """The settings of a file, and the keys of [alarms] in it. A password file is named from the file's own folder."""
    try:
        tree = tomllib.loads(read_text(source))
    except OSError as error:
        raise UserError(f"cannot read the settings in {source}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{source} is not valid TOML: {error}") from None
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise UserError(f"{source}: {_explain(error, tree)}") from None
    if config.mqtt.password_file:
        place = source.parent / Path(config.mqtt.password_file).expanduser()
        config = replace(config, mqtt=replace(config.mqtt, password_file=str(place)))
    return config, set(tree.get("alarms", {}))


def _with_password(mqtt: MqttSettings) -> MqttSettings:
    """The settings with the first line of the password file as the password."""
    if not mqtt.password_file:
        return mqtt
    if mqtt.password:
        raise UserError("[mqtt] password and password_file are both given: give one of them")
    try:
        lines = read_text(Path(mqtt.password_file).expanduser()).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read [mqtt] password_file {mqtt.password_file}: {unread(error)}") from None
    if not lines or not lines[0]:
        raise UserError(f"[mqtt] password_file {mqtt.password_file} is empty: its first line is the password")
    return replace(mqtt, password=lines[0])


def _explain(error: msgspec.ValidationError, tree: dict[str, object]) -> str:
    """The validation error with the key's name and the value that stands there."""
    reason, _, where = str(error).partition(" - at `$")
    key = where.rstrip("`").lstrip(".")
    value: object = tree
    for part in key.split(".") if key else []:
        value = value.get(part) if isinstance(value, dict) else None
    if "unknown field" in reason:
        field = reason.rsplit("`", 2)[1]
        table = f"[{key}]" if key else "the top level"
        other = "" if key else " (is the file another program's? name one with --config)"
        return f"unknown key {field!r} in {table}; allowed are: {', '.join(_kinds(key))}{other}"
    return f"{key}{_shown(key, value)} cannot be used: {_reason(reason)}"


def _reason(said: str) -> str:
    """What is wrong with a value, in words."""
    return next((meant for pattern, meant in MEANT.items() if repr(pattern) in said), said)


def _shown(key: str, value: object) -> str:
    """A value as an error shows it."""
    return "" if key.rpartition(".")[2] in SECRET else f" = {value!r}"


def _kinds(section: str) -> dict[str, type]:
    """The types of a table's keys by name; of the tables themselves where `section` is ""; {} where there is none."""
    tables = {field.name: field.type for field in msgspec.structs.fields(Config)}
    if not section:
        return tables
    return {field.name: field.type for field in msgspec.structs.fields(tables[section])} if section in tables else {}
