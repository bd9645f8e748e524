"""Encryption of the connection to the broker, as the settings want it."""

from __future__ import annotations

import ssl

from ecg.errors import UserError
from ecg.settings import MqttSettings


def encryption(mqtt: MqttSettings) -> ssl.SSLContext | None:
    """TLS as the settings want it; None for none. Raises UserError where they do not fit or a file cannot be used."""
    files = {"ca_file": mqtt.ca_file, "cert_file": mqtt.cert_file, "key_file": mqtt.key_file}
    if not mqtt.tls:
        for key in (key for key, file in files.items() if file):
            raise UserError(f"[mqtt] {key} is given, but tls is false: set tls = true, or {key} to nothing")
        return None
    if mqtt.key_file and not mqtt.cert_file:
        raise UserError("[mqtt] key_file is given without cert_file: give the certificate that belongs to the key")
    key = "ca_file"
    try:
        made = ssl.create_default_context(cafile=mqtt.ca_file or None)
        key = "cert_file"
        if mqtt.cert_file:
            made.load_cert_chain(mqtt.cert_file, mqtt.key_file or None, password=lambda: b"")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UserError(f"[mqtt] {key} = {files[key]!r} cannot be used: {error.args[-1]}; give a PEM file") from None
    if mqtt.tls_insecure:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made
