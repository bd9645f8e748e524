"""python -m monitor certs DIR: an authority, certificates, a Mosquitto configuration and its access rules, for a lab.

Every bed's producer has a certificate whose name is the bed; Mosquitto takes that name for the user, and the rules let
it publish that bed's topics and nothing else. Private keys are readable by their owner only.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecg import programs, settings
from ecg.errors import UserError, needs
from ecg.wire.topics import BED_PATTERN, Topics

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

MONITOR, READER, SERVER, AUTHORITY = "monitor", "reader", "server", "ca"
RESERVED: Final = (MONITOR, READER, SERVER, AUTHORITY)
AGO: Final = timedelta(minutes=5)
"""Clocks of other machines may be behind."""


def parser() -> argparse.ArgumentParser:
    """Options of `python -m monitor certs`."""
    made = argparse.ArgumentParser(
        prog=f"{programs.shown('monitor')} certs",
        description="Make certificates of a lab's own authority, and a Mosquitto configuration with access rules.",
    )
    made.add_argument("folder", type=Path, metavar="DIR", help="a new folder for all of it")
    made.add_argument("--beds", default="bed-1", help="names of beds, with commas; each gets a certificate")
    made.add_argument(
        "--host", default="localhost,127.0.0.1,::1", help="names and addresses of the broker, with commas"
    )
    made.add_argument("--root", default="ecg/v1", help="topic root of the access rules")
    made.add_argument("--port", type=programs.whole("--port", 1, 65535), default=8883, help="port of the broker")
    made.add_argument("--days", type=programs.whole("--days", 1, 36_500), default=365, help="days that all is valid")
    return made


def run(arguments: list[str]) -> int:
    """`certs`; returns the exit status. Raises UserError."""
    options = parser().parse_args(arguments)
    beds = [bed.strip() for bed in options.beds.split(",")]
    root = settings.with_root(settings.Config().mqtt, options.root).topic_root
    make(options.folder, beds, [host.strip() for host in options.host.split(",")], options.days)
    write(options.folder / "acl", rules(root, beds).encode(), private=False)
    write(options.folder / "mosquitto.conf", configuration(options.folder.resolve(), options.port), private=False)
    print(f"mosquitto -c {options.folder / 'mosquitto.conf'}")
    print(f"settings of the monitor: {shown(options.folder, MONITOR, options.port)}")
    print(f"settings of the producer of {beds[0]}: {shown(options.folder, beds[0], options.port)}")
    return 0


def shown(folder: Path, name: str, port: int) -> str:
    """The settings of a client as variables."""
    files = {"CA_FILE": f"{AUTHORITY}.pem", "CERT_FILE": f"{name}.pem", "KEY_FILE": f"{name}.key"}
    named = [f"ECG_MQTT__{key}={folder / file}" for key, file in files.items()]
    return " ".join([f"ECG_MQTT__TLS=true ECG_MQTT__PORT={port}", *named])


def rules(root: str, beds: Sequence[str]) -> str:
    """The access rules: each bed its own topics, the monitor its own, a reader nothing but reading."""
    topics = Topics(root)
    lines = ["# made by ecg-monitor certs: who may publish and read what; everything else is refused"]
    for bed in beds:
        lines += ["", f"user {bed}", *(f"topic write {topics.of(bed, kind)}" for kind in ("wave", "truth", "status"))]
        lines.append(f"topic read {topics.every_monitor()}")  # a fast replay waits for monitors
    lines += ["", f"user {MONITOR}"]
    lines += [f"topic read {topics.every(kind)}" for kind in ("wave", "truth", "status", "command")]
    lines += [f"topic readwrite {topics.every('limits')}", f"topic readwrite {topics.every('ack')}"]
    lines += [f"topic read {topics.every_producer()}", f"topic readwrite {topics.every_monitor()}"]
    lines += [f"topic write {topics.every(kind)}" for kind in ("beat", "alarm", "state")]
    lines.append(f"topic write {topics.beats('+')}")
    lines += ["", f"user {READER}", f"topic read {root}/#", ""]
    return "\n".join(lines)


def configuration(folder: Path, port: int) -> bytes:
    """mosquitto.conf: TLS for everybody, a certificate of ours from everybody, the rules by its name."""
    return f"""# made by ecg-monitor certs; Mosquitto must be able to read {SERVER}.key
listener {port}
cafile {folder / AUTHORITY}.pem
certfile {folder / SERVER}.pem
keyfile {folder / SERVER}.key
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file {folder / "acl"}
set_tcp_nodelay true
""".encode()


def make(folder: Path, beds: Sequence[str], hosts: Sequence[str], days: int) -> None:
    """Authority, broker's and clients' certificates. Raises UserError where a name or the folder cannot be used."""
    with needs("certs", "making certificates"):
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509 import oid
    for bed in beds:
        if not BED_PATTERN.fullmatch(bed) or bed in RESERVED:
            raise UserError(
                f"--beds {bed!r} cannot be used: give 1 to 64 of A-Z, a-z, 0-9, _ and -, and none of "
                f"{', '.join(RESERVED)}"
            )
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty: name a new folder, so that no key is written over")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(_name("ECG lab authority"), authority_key, None, authority_key, days, [])
    _store(folder, AUTHORITY, authority, authority_key)
    usages = oid.ExtendedKeyUsageOID
    for name in (SERVER, MONITOR, READER, *beds):
        key = ec.generate_private_key(ec.SECP256R1())
        extra = [_names(hosts), _usage(usages.SERVER_AUTH)] if name == SERVER else [_usage(usages.CLIENT_AUTH)]
        _store(folder, name, _certificate(_name(name), key, authority, authority_key, days, extra), key)


def _name(common: str) -> Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _names(hosts: Sequence[str]) -> Any:
    from cryptography import x509

    found: list[x509.GeneralName] = []
    for host in hosts:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            try:
                found.append(x509.DNSName(host))
            except ValueError:
                raise UserError(f"--host {host!r} cannot be used: give names and addresses, with commas") from None
    return x509.SubjectAlternativeName(found)


def _usage(usage: Any) -> Any:
    from cryptography import x509

    return x509.ExtendedKeyUsage([usage])


def _certificate(
    subject: Name, key: Any, authority: Certificate | None, authority_key: Any, days: int, extra: Sequence[Any]
) -> Certificate:
    """A certificate for that key; without an authority that of one."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - AGO)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    ours = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    signs = dict.fromkeys(("key_cert_sign", "crl_sign"), authority is None)
    usage = x509.KeyUsage(digital_signature=True, encipher_only=False, decipher_only=False, **ours, **signs)
    made = made.add_extension(usage, critical=True)
    for extension in extra:
        made = made.add_extension(extension, critical=False)
    return made.sign(authority_key, hashes.SHA256())


def _store(folder: Path, name: str, certificate: Certificate, key: Any) -> None:
    from cryptography.hazmat.primitives import serialization as to

    private = key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption())
    write(folder / f"{name}.key", private, private=True)
    write(folder / f"{name}.pem", certificate.public_bytes(to.Encoding.PEM), private=False)


def write(path: Path, content: bytes, private: bool) -> None:
    """A file that was not there, for its owner alone where it is private. Raises UserError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
        with os.fdopen(target, "wb") as file:
            file.write(content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
