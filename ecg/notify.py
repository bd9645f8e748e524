"""What systemd is told of a service: that it is ready, that it lives, that it ends.

The protocol of sd_notify(3): a datagram to the socket that $NOTIFY_SOCKET names. Without that variable nothing is sent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def tell(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send a line such as "READY=1", "WATCHDOG=1", "STOPPING=1". Returns whether somebody was there to hear it."""
    name = environment.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return False
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
        line.sendto(state.encode(), "\0" + name[1:] if name.startswith("@") else name)
        return True
    return False


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often it wants to hear "WATCHDOG=1": twice in the time after which it ends a service. None for never."""
    if environment.get("WATCHDOG_PID") not in (None, str(os.getpid())):
        return None
    try:
        wanted = int(environment.get("WATCHDOG_USEC", "0")) / 2e6
    except ValueError:
        return None
    return wanted if wanted > 0 else None
