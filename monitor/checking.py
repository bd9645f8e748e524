"""python -m monitor --check: whether a service with these settings can run here."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from ecg import checking, settings
from ecg.errors import UserError
from ecg.settings import Config
from ecg.wire.topics import Topics


def run(config: Config, options: argparse.Namespace) -> int:
    """Say of everything that a run needs whether it can be used; the exit status."""
    parts: list[checking.Part] = [
        ("settings", lambda: str(options.config or settings.find() or "defaults")),
        ("weights", lambda: _weights(config)),
        ("device", lambda: _device(config)),
        ("broker", lambda: checking.broker(config.mqtt, [Topics(config.mqtt.topic_root).every("wave")])),
    ]
    files = [("saved memory", options.resume), ("alarm log", config.alarms.log), ("log", config.log.file)]
    parts += [(name, partial(_writable, Path(path))) for name, path in files if path]
    if config.recorder.folder:
        parts.append(("recorder", lambda: _folder(config)))
    if config.monitor.metrics_port:
        parts.append(("metrics", lambda: _metrics(config)))
    return checking.run(parts)


def _weights(config: Config) -> str:
    from ecg.model import weights

    _fitted, card = weights.load(config.model.weights)
    return card.name


def _device(config: Config) -> str:
    from ecg.model.device import device_name

    return device_name(config.model.device)


def _writable(path: Path) -> str:
    """A file that can be written, where it is or would be."""
    place = path.expanduser()
    there = place.exists()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("ab"):
            pass
        if not there:
            place.unlink()
    except OSError as error:
        raise UserError(f"{place} cannot be written: {error.strerror}") from None
    return str(place)


def _folder(config: Config) -> str:
    from monitor.service.recorder.folder import claim

    folder = Path(config.recorder.folder).expanduser()
    claim(folder).close()
    return str(folder)


def _metrics(config: Config) -> str:
    from monitor.service import metrics

    token = metrics.token(config.monitor)
    return f"{config.monitor.metrics_host}:{config.monitor.metrics_port}, {'a' if token else 'no'} token"
