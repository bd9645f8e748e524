"""Who may ask a port that programs serve: requests that name the host they were meant for, from pages of our own.

A page of another site can reach a port of the loopback through its visitor's browser, and a name of its own can be made
to resolve to it (DNS rebinding). The headers Host and Origin give both away.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from ecg.wire.broker import bare, is_loopback

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
MOST_PORT: Final = (1 << 16) - 1


def unusable(host: str, port: int) -> str:
    """Why a server cannot listen there, "" where it can. host: a name, or an address with or without brackets."""
    if not 0 <= port <= MOST_PORT:  # a resolver takes it for another
        return f"ports are 0 to {MOST_PORT}"
    try:
        for family, _, _, _, place in socket.getaddrinfo(
            bare(host) or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            socket.create_server(place, family=family).close()
    except OSError as error:
        return error.strerror or str(error)
    except (ValueError, TypeError):  # a name that no domain name can have
        return "it is no host's name"
    return ""


def refusal(said: str | None, origin: str | None, host: str, port: int) -> str:
    """Why a request is refused, "" where it is not. said, origin: headers Host and Origin. host, port: as served."""
    name, where = _split(f"//{said or ''}")
    if where != port or not ours(name, host):
        return "this host is not served here"
    if origin is not None and (origin == "null" or _split(origin) != (name, where)):
        return "pages of another origin are not served"
    return ""


def misled(said: str | None, host: str) -> bool:
    """Does a request name a host, by whatever port, that is not served here? said: header Host."""
    return said is not None and not ours(_split(f"//{said}")[0], host)


def ours(name: str, host: str) -> bool:
    """Is this a name that the server is reached by? A name that merely resolves to it is not."""
    served = bare(host).lower()
    if _same(name, served) or (name in LOOPBACK and (is_loopback(served) or _everywhere(served))):
        return True
    return _everywhere(served) and (_address(name) is not None or name == socket.gethostname().lower())


def _split(url: str) -> tuple[str, int | None]:
    """Host and port of a URL, ("", None) where it is none."""
    try:
        found = urlsplit(url)
        port = found.port or {"https": 443}.get(found.scheme, 80)
    except ValueError:
        return "", None
    name = (found.hostname or "").lower()
    return (f"[{name}]" if ":" in name else name), port


def _same(name: str, served: str) -> bool:
    """Are these one host, however an address is written?."""
    if not name:
        return False
    address = _address(name)
    return bare(name) == served if address is None else address == _address(served)


def _everywhere(host: str) -> bool:
    address = _address(host)
    return not host or (address is not None and address.is_unspecified)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(bare(name))
    except ValueError:
        return None
