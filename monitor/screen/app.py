"""The application: it takes snapshots from the link, draws the front view, and turns keys into intents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Resize
from textual.screen import Screen

from ecg.settings import Config
from monitor.link.contract import Link, LinkClosed
from monitor.link.protocol import Acknowledge, Model, Notice, Silence
from monitor.screen.desk import EAGER, Desk, default_palette, strips_folder
from monitor.screen.draw.palette import PALETTES, themes
from monitor.screen.draw.plaintext import clean
from monitor.screen.labels import Labels
from monitor.screen.views.alarm_log import AlarmLogView
from monitor.screen.views.base import View
from monitor.screen.views.bedside import BedsideView
from monitor.screen.views.central import CentralView
from monitor.screen.views.dialogs import LEAST_HEIGHT, LEAST_WIDTH, HelpScreen, TooSmall
from monitor.screen.views.limits import LimitsScreen
from monitor.screen.views.memory import MemoryView
from monitor.screen.views.review import ReviewView
from monitor.screen.views.stale import STALE_SECONDS, START_SECONDS, StaleScreen
from monitor.screen.views.teach import TeachScreen
from monitor.screen.views.trend import TrendView


class MonitorApp(App[None]):
    """The screen of the monitor.

    truth: begin with the cardiologists' letters beside the model's. teach: with the teacher's panel. who: the person at
    it. model: a network whose letters stand below the ward's. forecast: with the second to come. clock: monotonic
    seconds. folder: where strips are saved, default: that of the settings. problem: the reason, where the return code
    is not 0.
    """

    TITLE = "ECG monitor"
    CSS = "Screen { background: #000000; }"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", priority=False),
        Binding("ctrl+c", "quit", priority=True, show=False),
        Binding("n,right", "step_bed(1)"),
        Binding("p,left", "step_bed(-1)"),
        Binding("f,space", "freeze"),
        Binding("plus,equals_sign", "gain(1)"),
        Binding("minus", "gain(-1)"),
        Binding("s", "sweep"),
        Binding("a", "acknowledge"),
        Binding("z", "silence"),
        Binding("m", "show_memory"),
        Binding("1", "model('rnn')"),
        Binding("2", "model('lstm')"),
        Binding("3", "model('gru')"),
        Binding("4", "model('tutorial')"),
        Binding("d", "forecast"),
        Binding("y", "show_trend"),
        Binding("t", "truth"),
        Binding("r,pageup", "show_review"),
        Binding("c", "show_central"),
        Binding("v", "theme"),
        Binding("l", "language"),
        Binding("i", "show_teach"),
        Binding("k", "show_limits"),
        Binding("e", "show_log"),
        Binding("question_mark,h,f1", "show_help"),
    ]

    def __init__(
        self,
        link: Link,
        config: Config,
        *,
        truth: bool = False,
        teach: bool = False,
        who: str = "",
        model: Model | Literal[""] = "",
        forecast: bool = False,
        clock: Callable[[], float] = time.monotonic,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.link, self.config = link, config
        self.problem = ""
        self._told_s: float | None = None
        self._began_s = clock()
        self.desk = Desk(
            config=config,
            send=self.link.send,
            clock=clock,
            labels=Labels(config.screen.language),
            palette=default_palette(config),
            truth=truth,
            teach=teach,
            who=who,
            model=model,
            forecast=forecast,
            gain=config.screen.gain_mm_per_mv,
            speed=config.screen.sweep_mm_per_s,
            folder=folder or strips_folder(config),
        )
        for theme in themes():
            self.register_theme(theme)
        self.theme = config.screen.theme

    def get_default_screen(self) -> Screen[None]:
        """The bedside view, the bottom of the stack of screens."""
        return BedsideView(self.desk)

    def on_mount(self) -> None:
        """Start drawing."""
        self.begin()

    def begin(self) -> None:
        """Call `frame` at the settings' frame rate."""
        self.set_interval(EAGER / self.config.screen.frames_per_second, self.frame)

    def frame(self) -> None:
        """Take the newest snapshot and draw it. The end of the service ends the screen."""
        if not self.screen_stack:  # it is being put up or taken down
            return
        try:
            snapshot = self.link.snapshot()
        except LinkClosed as error:
            self.problem = self.desk.labels("ended", why=clean(str(error)))
            self.exit(return_code=error.status, message=self.problem)
            return
        if snapshot is not None:
            self._told_s = self.desk.clock()
            self._sound(self.desk.ward.take(snapshot))
            self.desk.take(snapshot)
        self.desk.told = snapshot is not None
        self._age()
        if isinstance(self.screen, TooSmall):
            return
        with suppress(NoMatches):  # a view that is being built or taken down lacks widgets for a moment
            self.view.draw()

    def _age(self) -> None:
        """Cover the views with "NO DATA" for as long as the service is silent."""
        if self._told_s is None:
            seconds = self.desk.clock() - self._began_s
            stale = seconds > START_SECONDS
        else:
            seconds = self.desk.clock() - self._told_s
            stale = seconds > STALE_SECONDS
        front = self.screen
        if isinstance(front, StaleScreen):
            front.seconds = seconds
            if not stale:
                self.pop_screen()
            else:
                with suppress(NoMatches):
                    front.write()
        elif stale and not any(isinstance(screen, StaleScreen | TooSmall) for screen in self.screen_stack):
            laid = StaleScreen(self.desk)
            laid.seconds = seconds
            self.push_screen(laid)

    @property
    def view(self) -> View:
        """The front view, under any dialog."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, View))

    def on_resize(self, event: Resize) -> None:
        """Cover the views with a sentence for as long as the terminal is too small."""
        small = event.size.width < LEAST_WIDTH or event.size.height < LEAST_HEIGHT
        if small and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall(self.desk))
        elif not small and isinstance(self.screen, TooSmall):
            self.pop_screen()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """The entries of the command palette: every key's action by name, and every bed."""
        labels = self.desk.labels
        actions: tuple[tuple[str, Callable[[], object]], ...] = (
            ("quit", self.exit),
            ("show_help", self.action_show_help),
            ("show_central", self.action_show_central),
            ("show_review", self.action_show_review),
            ("show_truth", self.action_truth),
            ("show_memory", self.action_show_memory),
            ("show_forecast", self.action_forecast),
            ("show_trend", self.action_show_trend),
            ("acknowledge", self.action_acknowledge),
            ("silence", self.action_silence),
            ("freeze", self.action_freeze),
            ("gain_up", lambda: self.action_gain(1)),
            ("gain_down", lambda: self.action_gain(-1)),
            ("sweep", self.action_sweep),
            ("theme", self.action_theme),
            ("language", self.action_language),
            ("limits", self.action_show_limits),
            ("alarm_log", self.action_show_log),
        )
        for key, action in actions:
            yield SystemCommand(labels(key), "", action)
        for name in self.desk.names:
            yield SystemCommand(labels("go_to_bed", bed=name), "", partial(self.go_to, name))

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
        """Select the next or the previous bed."""
        self.desk.bed = self.desk.step_bed(by)
        self.desk.frozen = False

    def action_freeze(self) -> None:
        """Stop the sweep, or continue it."""
        self.desk.frozen = not self.desk.frozen

    def action_gain(self, by: int) -> None:
        """The next larger or smaller gain."""
        self.desk.step_gain(by)

    def action_sweep(self) -> None:
        """The other sweep speed."""
        self.desk.step_speed()

    def action_acknowledge(self) -> None:
        """Acknowledge all alarms of the selected bed."""
        if self.desk.bed:
            self.link.send(Acknowledge(self.desk.bed, who=self.desk.who))

    def action_silence(self) -> None:
        """Silence the selected bed for `silence_seconds`; if it is silenced, end that."""
        bed = self.desk.summary
        if bed is not None:
            self.link.send(Silence(bed.bed, 0.0 if bed.silenced_s > 0 else self.config.alarms.silence_seconds))

    def action_truth(self) -> None:
        """Show or hide the cardiologists' letters."""
        self.desk.truth = not self.desk.truth

    def action_theme(self) -> None:
        """The next theme."""
        names = list(PALETTES)
        self.desk.palette = PALETTES[names[(names.index(self.desk.palette.name) + 1) % len(names)]]
        self.theme = self.desk.palette.name

    def action_language(self) -> None:
        """English or Japanese."""
        self.desk.labels = Labels("en" if self.desk.labels.language == "ja" else "ja")

    def action_show_help(self) -> None:
        """Open the help."""
        self.push_screen(HelpScreen(self.desk))

    def action_show_teach(self) -> None:
        """Open the teacher's panel, where the screen was started for a teacher."""
        if self.desk.teach and isinstance(self.view, BedsideView):
            self.push_screen(TeachScreen(self.desk))

    def action_model(self, model: Model) -> None:
        """Show the letters of another network below the ward's own; the same again: no more."""
        desk = self.desk
        if model in desk.study.missing:
            name = model if model == "tutorial" else f"memory-{model}"
            self.notify(desk.labels("no_model", model=name), markup=False)
        else:
            desk.model = "" if desk.model == model else model

    def action_forecast(self) -> None:
        """Draw the second to come, or no more."""
        self.desk.forecast = not self.desk.forecast

    def action_show_memory(self) -> None:
        """Look into the memory of the selected bed."""
        if isinstance(self.view, BedsideView) and self.desk.bed:
            self.push_screen(MemoryView(self.desk))

    def action_show_trend(self) -> None:
        """Open the course of the selected bed."""
        if isinstance(self.view, BedsideView) and self.desk.bed:
            self.push_screen(TrendView(self.desk))

    def action_show_log(self) -> None:
        """Open the alarm log of the selected bed."""
        if isinstance(self.view, BedsideView) and self.desk.summary is not None:
            self.push_screen(AlarmLogView(self.desk))

    def action_show_limits(self) -> None:
        """Open the limits of the selected bed."""
        if isinstance(self.view, BedsideView) and self.desk.summary is not None and self.desk.summary.limits:
            self.push_screen(LimitsScreen(self.desk))

    def action_show_central(self) -> None:
        """Open the central station."""
        if isinstance(self.view, BedsideView):
            self.push_screen(CentralView(self.desk))

    def action_show_review(self) -> None:
        """Open the review of the selected bed at its end."""
        self.review()

    def action_see_alert(self, number: int) -> None:
        """Open the review at an alert. number: its place in the list."""
        view = self.view
        if isinstance(view, BedsideView) and 0 <= number < len(view.alerts):
            alert = view.alerts[number]
            history = self.desk.ward.shown.get(self.desk.bed)
            if history is None or alert.stream != history.stream or not history.first <= alert.index < history.next:
                self.notify(self.desk.labels("strip_gone"), markup=False)
                return
            self.review(alert.index)

    def review(self, at: int | None = None) -> None:
        """Open the review of the selected bed. at: sample index; None: the end."""
        history = self.desk.ward.shown.get(self.desk.bed)
        if isinstance(self.view, BedsideView) and history is not None and history.next > history.first:
            self.push_screen(ReviewView(self.desk, history, at))

    def go_to(self, bed: str) -> None:
        """Select a bed by name and show its bedside view."""
        while not isinstance(self.view, BedsideView):
            self.pop_screen()
        self.desk.bed, self.desk.frozen = bed, False
