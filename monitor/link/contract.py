"""What the screen needs of the service, whoever provides it: a process behind a socket, or a ward in a test."""

from __future__ import annotations

from typing import Protocol

from monitor.link.protocol import Intent, Snapshot


class LinkClosed(Exception):  # noqa: N818 - an end, not always an error
    """The service has ended, or the screen was sent away; the text says why. status: exit status for the screen."""

    def __init__(self, why: str, status: int = 1) -> None:
        super().__init__(why)
        self.status = status


class Link(Protocol):
    """The screen's end of the connection to the service."""

    def snapshot(self) -> Snapshot | None:
        """Everything new since the last call, merged; None where there is nothing. Never waits.

        Raises LinkClosed with the reason once the service has ended.
        """

    def send(self, intent: Intent) -> None:
        """Ask the service for something. Never waits."""

    def close(self) -> None:
        """Leave the service; one that was started for this screen ends with its last screen."""
