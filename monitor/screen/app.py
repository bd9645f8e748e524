"""The application: takes snapshots from the link, draws the view in front, and turns keys into intents."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from ecg.config import Config
from monitor.screen.bedside import BedsideView
from monitor.screen.labels import Labels
from monitor.screen.link import Link, LinkClosed
from monitor.screen.palette import themes
from monitor.screen.plaintext import clean
from monitor.screen.view import Desk, View, default_palette
from monitor.snapshot import Acknowledge, Notice, Silence


class MonitorApp(App[None]):
    """The screen of the monitor.

    truth: begin with the cardiologists' letters beside the model's. clock: monotonic seconds. folder: where strips
    are saved. `problem` says why it ended where the return code is not 0.
    """

    TITLE = "ECG monitor"
    CSS = "Screen { background: #000000; }"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", priority=False),
        Binding("n,right", "step_bed(1)"),
        Binding("p,left", "step_bed(-1)"),
        Binding("f,space", "freeze"),
        Binding("plus,equals_sign", "gain(1)"),
        Binding("minus", "gain(-1)"),
        Binding("s", "sweep"),
        Binding("a", "acknowledge"),
        Binding("m", "silence"),
        Binding("t", "truth"),
    ]

    def __init__(
        self,
        link: Link,
        config: Config,
        *,
        truth: bool = False,
        clock: Callable[[], float] = time.monotonic,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.link, self.config = link, config
        self.problem = ""
        self.folder = folder or Path.cwd()
        self.desk = Desk(
            config,
            self.link.send,
            clock,
            Labels(config.screen.language),
            default_palette(config),
            truth=truth,
            gain=config.screen.gain_mm_per_mv,
            speed=config.screen.sweep_mm_per_s,
        )
        for theme in themes():
            self.register_theme(theme)
        self.theme = config.screen.theme

    def get_default_screen(self) -> Screen[None]:
        """The bedside is what everything else lies upon."""
        return BedsideView(self.desk)

    def on_mount(self) -> None:
        """Begin to draw."""
        self.set_interval(1 / self.config.screen.frames_per_second, self.frame)

    def frame(self) -> None:
        """Take what is new and draw it. A service that has ended ends the screen."""
        try:
            snapshot = self.link.snapshot()
        except LinkClosed as error:
            self.problem = self.desk.labels("ended", why=clean(str(error)))
            self.exit(return_code=1, message=self.problem)
            return
        if snapshot is not None:
            self._sound(self.desk.ward.take(snapshot))
        for screen in self.screen_stack:
            if isinstance(screen, View):
                screen.draw(snapshot is not None)

    def _sound(self, notices: list[Notice]) -> None:
        if not self.config.screen.bell:
            return
        beds = self.desk.ward.beds
        for notice in notices:
            bed = beds.get(notice.bed)
            if notice.kind == "alarm" and notice.priority == "high" and not (bed and bed.silenced_s > 0):
                self.bell()
                return

    def action_step_bed(self, by: int) -> None:
        """Look at the next or the previous bed."""
        self.desk.bed = self.desk.step_bed(by)
        self.desk.frozen = False

    def action_freeze(self) -> None:
        """Stop the sweep, or let it run on."""
        self.desk.frozen = not self.desk.frozen

    def action_gain(self, by: int) -> None:
        """A larger or smaller amplitude."""
        self.desk.step_gain(by)

    def action_sweep(self) -> None:
        """The other sweep speed."""
        self.desk.step_speed()

    def action_acknowledge(self) -> None:
        """A person has seen this bed's alarms."""
        if self.desk.bed:
            self.link.send(Acknowledge(self.desk.bed))

    def action_silence(self) -> None:
        """No sound from this bed for a while; again: sound."""
        bed = self.desk.summary
        if bed is not None:
            self.link.send(Silence(bed.bed, 0.0 if bed.silenced_s > 0 else self.config.alarms.silence_seconds))

    def action_truth(self) -> None:
        """Show or hide the cardiologists' letters."""
        self.desk.truth = not self.desk.truth
