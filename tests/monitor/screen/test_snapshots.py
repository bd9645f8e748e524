"""Pictures of every view, compared with those that were looked at and accepted.

After a wanted change: `python -m pytest tests/monitor/screen --snapshot-update`, and look at every picture again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from ecg.wire.messages import ActiveAlarm
from tests.support.driving import application, play, settings
from tests.support.shown_ward import WardLink
from tests.support.studied import stand_ins

ALARMS = {
    "high": [ActiveAlarm("ventricular_tachycardia", "high", 3000, "Ventricular tachycardia")],
    "latched": [ActiveAlarm("asystole", "high", 3000, "Asystole", latched=True)],
    "medium": [
        ActiveAlarm("pause", "medium", 3000, "Pause of 2.8 s"),
        ActiveAlarm("couplet", "low", 900, "Couplet of V"),
    ],
    "acknowledged": [ActiveAlarm("ventricular_run", "medium", 3000, "Run of V", acknowledged=True)],
}
VIEWS: dict[str, tuple[tuple[int, int], dict[str, Any], dict[str, Any], list[str]]] = {
    "bedside": ((120, 40), {"beds": 2, "leads": 2}, {}, []),
    "bedside-80x24": ((80, 24), {}, {}, ["down"]),
    "bedside-japanese": ((120, 36), {}, {"language": "ja"}, []),
    "bedside-colour-blind": ((100, 30), {}, {"theme": "colour-blind"}, []),
    "bedside-50-mm": ((120, 36), {}, {"sweep_mm_per_s": 50, "gain_mm_per_mv": 5}, []),
    "truth": ((120, 40), {"truth": True}, {}, []),
    "truth-japanese": ((120, 40), {"truth": True}, {"language": "ja"}, []),
    "unsure": ((80, 24), {"unsure_below": 0.95}, {}, []),
    "alarms": ((120, 36), {"seconds": 110.0}, {}, []),
    "alarms-japanese": ((80, 24), {"seconds": 110.0}, {"language": "ja"}, []),
    "central": ((160, 44), {"beds": 16}, {}, ["c"]),
    "central-64": ((200, 50), {"beds": 64, "seconds": 9.0}, {}, ["c"]),
    "central-80x24": ((80, 24), {"beds": 30, "seconds": 9.0}, {}, ["c", "right"]),
    "review": ((120, 36), {}, {}, ["r", "p"]),
    "review-80x24": ((80, 24), {"truth": True}, {}, ["r"]),
    "help": ((100, 30), {}, {}, ["question_mark"]),
    "help-japanese": ((80, 24), {}, {"language": "ja"}, ["question_mark"]),
    "memory": ((120, 36), {"seconds": 8.0}, {}, ["m", *["f"] * 6]),
    "memory-japanese": ((80, 24), {"seconds": 8.0}, {"language": "ja"}, ["m", *["f"] * 6]),
    "models": ((120, 36), {"truth": True, "seconds": 8.0}, {}, ["3", *["right"] * 4]),
    "models-japanese": ((80, 24), {"truth": True, "seconds": 8.0}, {"language": "ja"}, ["4", *["right"] * 4]),
    "forecast": ((120, 36), {"seconds": 24.0}, {}, ["d", "s", "s", "s"]),
    "forecast-japanese": ((80, 24), {"seconds": 24.0}, {"language": "ja"}, ["d", "s", "s", "s"]),
    "trend": ((120, 36), {"seconds": 60.0}, {}, ["y"]),
    "trend-japanese": ((80, 24), {"seconds": 60.0}, {"language": "ja"}, ["y"]),
    "too-small": ((60, 15), {}, {}, []),
}


def stepping(link: WardLink, keys: list[str]) -> Callable[[Pilot[Any]], Any]:
    """A second of frames, then the keys, each with frames after it."""

    async def run(pilot: Pilot[Any]) -> None:
        await play(pilot, link, 1.0)
        for key in keys:
            await pilot.press(key)
            await play(pilot, link, 1.0)

    return run


@pytest.mark.parametrize("view", VIEWS)
def test_view(view: str, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins(monkeypatch)
    size, ward, screen, keys = VIEWS[view]
    link = WardLink(**{"beds": 1, "seconds": 40.0, "config": settings(**screen), **ward})
    app = application(link, truth=ward.get("truth", False))
    assert snap_compare(app, terminal_size=size, run_before=stepping(link, keys))


@pytest.mark.parametrize("state", ALARMS)
def test_alarm(state: str, snap_compare: Callable[..., bool]) -> None:
    link = WardLink(2, 20.0)
    link.alarms = {"bed-1": ALARMS[state], "bed-2": ALARMS["high"]}
    assert snap_compare(application(link), terminal_size=(100, 30), run_before=stepping(link, []))
