"""Why there is no connection, in words."""

from __future__ import annotations

from typing import Final

from ecg.wire.broker import Broker
from ecg.wire.client import RefusedError
from ecg.wire.writing import LineError

LOCKED_OUT: Final = ("authori", "user name", "may not")
"""Words of a broker that knows us no more."""


def refusal(broker: Broker, tls: bool, error: LineError) -> str:
    """Why there is no first connection, and what to do."""
    if isinstance(error, RefusedError):
        return f"the broker {broker} refuses the connection: {error}; check [mqtt] username and password in config.toml"
    keys = "port, tls, ca_file, cert_file and key_file" if tls else "host, port and tls"
    return f"no connection to the broker {broker}: {error}; check [mqtt] {keys} in config.toml"


def behaves(error: LineError) -> str:
    """What a broker does that was there before; who has been locked out, or is misled, must not think it is away."""
    said = str(error)
    if "CERTIFICATE" in said:
        return f"is not trusted ({said})"
    if isinstance(error, RefusedError) and any(word in said.lower() for word in LOCKED_OUT):
        return f"refuses the connection ({said})"
    return "does not answer"
