"""Settings: where they are found, what goes before what, and what is refused."""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console
from rich.pretty import Pretty

from ecg import settings
from ecg.errors import UserError
from ecg.profiles import PROFILES
from ecg.settings import Config, MqttSettings

SHIPPED = Path(__file__).parents[2] / "config.toml"


@pytest.fixture(autouse=True)
def empty_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder and a config folder with nothing in them."""
    for place in ("here", "home"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ECG_CONFIG", raising=False)


def keys() -> Iterator[tuple[str, str, Any]]:
    """Every setting: its table, its name and its default."""
    for section, table in msgspec.to_builtins(Config()).items():
        for key, default in table.items():
            yield section, key, default


OTHER = {
    "host": "broker.example",
    "topic_root": "a/b",
    "wave_qos": 1,
    "language": "ja",
    "theme": "colour-blind",
    "profile": "challenge2015",
    "transport": "websockets",
    "websocket_path": "/other",
    "level": "debug",
    "format": "json",
    "frames_per_second": 20.0,
    "sweep_mm_per_s": 50,
    "gain_mm_per_mv": 5,
}
"""Values other than the defaults, where not every value will do."""

NUMBERS = [(section, key, type(default)) for section, key, default in keys() if type(default) in (int, float)]


def write(folder: Path, text: str) -> Path:
    """A settings file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def shipped() -> str:
    """config.toml with the limits that a profile sets, which stand there behind a #."""
    return re.sub(r"^#(?=\w+ = )", "", SHIPPED.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_config_toml_and_the_defaults_are_the_same_key_by_key_both_ways() -> None:
    assert tomllib.loads(shipped()) == msgspec.to_builtins(Config())


def test_each_line_of_config_toml_says_what_it_is_for() -> None:
    lines = [line for line in shipped().splitlines() if re.match(r"\w+ = ", line)]
    assert len(lines) == len(list(keys()))
    assert [line for line in lines if not re.search(r"\s# \S+", line)] == []


def test_without_any_file_the_defaults_hold() -> None:
    assert settings.load(environment={}) == Config()


def test_the_option_goes_before_the_variable_before_the_working_folder_before_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def port() -> int:
        return settings.load(environment={}).mqtt.port

    write(tmp_path / "home" / "ecg-monitor", "[mqtt]\nport = 1")
    assert port() == 1
    write(tmp_path / "here", "[mqtt]\nport = 2")
    assert port() == 2
    monkeypatch.setenv("ECG_CONFIG", str(write(tmp_path / "named", "[mqtt]\nport = 3")))
    assert port() == 3
    option = write(tmp_path / "option", "[mqtt]\nport = 4")
    assert settings.load(option, {}).mqtt.port == 4


def test_a_file_that_is_named_and_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECG_CONFIG", "/nowhere/at/all.toml")
    with pytest.raises(UserError, match=r"cannot read the settings in /nowhere/at/all\.toml: No such file"):
        settings.load(environment={})


@pytest.mark.parametrize(("section", "key", "default"), list(keys()))
def test_every_setting_can_be_given_as_a_variable_which_goes_before_the_file(
    tmp_path: Path, section: str, key: str, default: object
) -> None:
    (tmp_path / "secret").write_text("word\n")
    other = OTHER.get(key, tmp_path / "secret" if key == "password_file" else another(default))
    file = write(tmp_path / "here", "" if key == "password_file" else f"[{section}]\n{key} = {toml(default)}")
    said = str(other).lower() if isinstance(other, bool) else str(other)
    found = settings.load(file, {f"ECG_{section.upper()}__{key.upper()}": said})
    assert str(getattr(getattr(found, section), key)) == str(other)
    assert other != default


def another(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    return "text" if isinstance(value, str) else 20 if isinstance(value, int) else 0.2


def toml(value: object) -> str:
    """A value as TOML."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1e300", "1e300", "-" + "9" * 30, "9" * 30, "-1"])
@pytest.mark.parametrize(("section", "key", "kind"), NUMBERS)
def test_no_number_is_taken_that_is_not_finite_or_is_absurd(
    tmp_path: Path, section: str, key: str, kind: type, value: str
) -> None:
    with pytest.raises(UserError, match=rf"\$ECG_{section.upper()}__{key.upper()} = '.*' cannot be used"):
        settings.load(environment={f"ECG_{section.upper()}__{key.upper()}": value})
    if kind is int and not value.lstrip("-").isdigit():
        return
    with pytest.raises(UserError, match=rf"config\.toml: {section}\.{key} = .* cannot be used|is not valid TOML"):
        settings.load(write(tmp_path / "here", f"[{section}]\n{key} = {value}"), {})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ECG_MQTT__PORT", "99999", "$ECG_MQTT__PORT = '99999' cannot be used: Expected `int` <= 65535"),
        ("ECG_MQTT__HOTS", "x", "$ECG_MQTT__HOTS names no setting: [mqtt] has host, port"),
        ("ECG_MQTTT__HOST", "x", "$ECG_MQTTT__HOST names no setting: the tables are mqtt, producer"),
        ("ECG_MQTT__HOST", "a b", "$ECG_MQTT__HOST = 'a b' cannot be used: give a host name or an address"),
        ("ECG_MQTT__HOST", "a" * 64, "cannot be used: give a host name or an address"),
        ("ECG_MQTT__TOPIC_ROOT", "a//b", "cannot be used: give names of A-Z, a-z, 0-9, _ and - with / between"),
        ("ECG_MQTT__TOPIC_ROOT", "a\n", "cannot be used: give names of A-Z"),
        ("ECG_ALARMS__LOG", "a\0b", "cannot be used: give text without control characters"),
        ("ECG_MONITOR__LEAD", "", "$ECG_MONITOR__LEAD = '' cannot be used"),
        ("ECG_PRODUCER__LOOP", "perhaps", "$ECG_PRODUCER__LOOP = 'perhaps' cannot be used: Expected `bool`"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_in_one_sentence(name: str, value: str, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        settings.load(environment={name: value})


def test_other_variables_of_ours_are_no_settings() -> None:
    assert settings.load(environment={"ECG_DATA": "/x", "ECG_CONFIG": "/y", "PATH": "/z"}) == Config()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mqtt]\nhots = 1", "unknown key 'hots' in [mqtt]; allowed are: host, port"),
        ("[tool.ruff]\nx = 1", "unknown key 'tool' in the top level; allowed are: mqtt, producer"),
        ('[mqtt]\nport = "x"', "mqtt.port = 'x' cannot be used: Expected `int`"),
        ("[mqtt", "is not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)) as caught:
        settings.load(write(tmp_path / "here", text), {})
    assert "config.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_password_is_ever_shown(tmp_path: Path) -> None:
    file = write(tmp_path / "here", "[mqtt]\npassword = 12345678")
    for where, environment in ((file, {}), (None, {"ECG_MQTT__PASSWORD": "12345678\0"})):
        with pytest.raises(UserError, match=r"password|PASSWORD") as caught:
            settings.load(where, environment)
        assert "12345678" not in str(caught.value)


def test_a_password_file_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    file = write(tmp_path / "etc", '[mqtt]\npassword_file = "secret"')
    (tmp_path / "etc" / "secret").write_text("open sesame\n", encoding="utf-8")
    assert settings.load(file, {}).mqtt.password == "open sesame"


def test_a_variable_takes_the_place_of_the_files_password_whichever_way_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "secret").write_text("of the file")
    by_file = write(tmp_path / "etc", '[mqtt]\npassword_file = "secret"')
    assert settings.load(by_file, {"ECG_MQTT__PASSWORD": "typed"}).mqtt.password == "typed"
    by_value = write(tmp_path / "here", '[mqtt]\npassword = "typed"')
    given = {"ECG_MQTT__PASSWORD_FILE": str(tmp_path / "etc" / "secret")}
    assert settings.load(by_value, given).mqtt.password == "of the file"


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (None, "", r"cannot read \[mqtt\] password_file .*secret: No such file"),
        (b"", "", "password_file .*secret is empty"),
        (b"\xff\xfe", "", "cannot read .*secret: it is not UTF-8"),
        (b"word", 'password = "word"', "password and password_file are both given"),
    ],
)
def test_a_password_file_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, content: bytes | None, more: str, said: str
) -> None:
    file = write(tmp_path / "etc", f'[mqtt]\npassword_file = "secret"\n{more}')
    if content is not None:
        (tmp_path / "etc" / "secret").write_bytes(content)
    with pytest.raises(UserError, match=said):
        settings.load(file, {})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("h:1", ("h", 1)),
        ("h", ("h", 1883)),
        ("[::1]:7", ("::1", 7)),
        ("::1", ("::1", 1883)),
        ("1.2.3.4:5", ("1.2.3.4", 5)),
    ],
)
def test_a_broker_is_typed_as_host_and_port(text: str, place: tuple[str, int]) -> None:
    assert settings.host_and_port(text) == place


@pytest.mark.parametrize("text", ["", ":1", "h:", "h:0", "h:99999", "h:²", "a b:1", "a..b", "x" * 64, "h:nan"])
def test_a_broker_that_cannot_be_one_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"--broker .* cannot be used: give host:port"):
        settings.host_and_port(text)


@pytest.mark.parametrize(
    ("text", "host", "port", "tls", "user"),
    [
        ("h:7", "h", 7, False, "ward"),
        ("mqtt://h", "h", 1883, False, "ward"),
        ("mqtt://h:7/", "h", 7, False, "ward"),
        ("mqtts://h", "h", 8883, True, "ward"),
        ("MQTTS://nurse@h:1883", "h", 1883, True, "nurse"),
        ("mqtt://jos%C3%A9%40home@[::1]:7", "::1", 7, False, "josé@home"),
        ("mqtts://[::1]", "::1", 8883, True, "ward"),
    ],
)
def test_a_broker_may_be_an_address_with_scheme_and_user(text: str, host: str, port: int, tls: bool, user: str) -> None:
    made = settings.with_broker(MqttSettings(username="ward"), text)
    assert (made.host, made.port, made.tls, made.username) == (host, port, tls, user)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mqtt://", "give host:port"),
        ("mqtt://h:7/ecg", "give host:port"),
        ("mqtt://h:x", "give host:port"),
        ("mqtt://mqtt://h", "give host:port"),
        ("ws://h:9001", "give mqtt://user@host:port, or mqtts:// for TLS"),
        ("mqtt://nurse:secret@h", "holds a password"),
    ],
)
def test_an_address_that_names_no_broker_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        settings.with_broker(MqttSettings(), text)
    assert "secret" not in str(refused.value)


def test_the_file_and_the_environment_take_an_address_too(tmp_path: Path) -> None:
    file = write(tmp_path, '[mqtt]\nhost = "mqtts://nurse@h"')
    made = settings.load(file, {}).mqtt
    assert (made.host, made.port, made.tls, made.username) == ("h", 8883, True, "nurse")
    assert settings.load(file, {"ECG_MQTT__PORT": "9000"}).mqtt.port == 9000
    assert settings.load(file, {"ECG_MQTT__HOST": "mqtt://k:7"}).mqtt.port == 7
    with pytest.raises(UserError, match=r"\[mqtt\] host holds a password"):
        settings.load(None, {"ECG_MQTT__HOST": "mqtt://a:b@h"})


def test_only_what_a_profile_sets_stands_behind_a_hash_in_config_toml() -> None:
    """Else the file's own value, which goes before the profile, would make the profile do nothing."""
    hidden = re.findall(r"^#(\w+) = ", SHIPPED.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(hidden) == set().union(*PROFILES.values())


def test_a_profile_sets_its_limits_and_ones_own_value_goes_before_it(tmp_path: Path) -> None:
    limits = settings.load(SHIPPED, {}, "challenge2015").alarms
    assert (limits.asystole_seconds, limits.vt_beats, limits.vt_rate) == (4.0, 5, 100.0)
    assert (limits.extreme_tachycardia_rate, limits.extreme_tachycardia_beats) == (140.0, 12)
    assert (limits.extreme_bradycardia_rate, limits.extreme_bradycardia_beats) == (40.0, 4)
    file = write(tmp_path, '[alarms]\nprofile = "challenge2015"\nvt_rate = 110.0')
    limits = settings.load(file, {"ECG_ALARMS__VT_BEATS": "7"}).alarms
    assert (limits.vt_beats, limits.vt_rate, limits.extreme_tachycardia_rate) == (7, 110.0, 140.0)


def test_the_option_names_the_profile_before_the_variable_before_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, '[alarms]\nprofile = "challenge2015"')
    variable = {"ECG_ALARMS__PROFILE": "bedside"}
    assert settings.load(file, {}).alarms.vt_rate == 100.0
    assert settings.load(file, variable).alarms == Config().alarms
    assert settings.load(file, variable, "challenge2015").alarms.vt_rate == 100.0


@pytest.mark.parametrize(
    ("variable", "option", "said"),
    [("icu", "", r"\$ECG_ALARMS__PROFILE = 'icu'"), ("bedside", "icu", "--profile = 'icu'")],
)
def test_a_profile_nobody_knows_is_one_sentence(variable: str, option: str, said: str) -> None:
    with pytest.raises(UserError, match=said + " cannot be used"):
        settings.load(None, {"ECG_ALARMS__PROFILE": variable}, option)


def test_a_password_is_shown_nowhere_where_settings_are() -> None:
    given = Config(mqtt=MqttSettings(username="nurse", password="open sesame"))
    with io.StringIO() as out:
        Console(file=out, width=200).print(given, Pretty(given), [given.mqtt])
        shown = out.getvalue() + repr(given) + str(given.mqtt)
    assert shown.count("nurse") == 5 and "sesame" not in shown
    assert repr(MqttSettings()).startswith("MqttSettings(host='127.0.0.1', port=1883, username='', password='', ")
