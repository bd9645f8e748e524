"""The bedside view: one bed's strips, numbers, alerts and alarms."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Digits

from monitor.link.protocol import Notice
from monitor.screen.desk import Desk
from monitor.screen.draw.alarm_lines import alarm_lines, banner
from monitor.screen.draw.line import Line
from monitor.screen.draw.models import ModelTally, forecast_lines, model_lines
from monitor.screen.draw.palette import pen
from monitor.screen.draw.panels import alert_lines, key_line, status_line, top_line
from monitor.screen.draw.splash import splash_lines
from monitor.screen.draw.truth import TruthTally, truth_lines
from monitor.screen.draw.vitals import pvc_lines, rate_limits, vital_lines
from monitor.screen.state.history import REVIEW_SECONDS
from monitor.screen.state.playout import Playout
from monitor.screen.views.base import View
from monitor.screen.widgets.board import Board
from monitor.screen.widgets.lanes import Other
from monitor.screen.widgets.strip_view import StripView

ALERTS = 60
ENDED = 20
WIDE, TALL = 110, 34
SIDE, SIDE_NARROW, SIDE_TRUTH = 36, 25, 44
FOOT, FOOT_LOW = 10, 6
NUMBERS_PER_SECOND = 5.0


class BedsideView(View):
    """One bed: strips beside numbers, alerts beside alarms."""

    DEFAULT_CSS = """
    BedsideView #middle { height: 1fr; }
    BedsideView #side { height: 1fr; padding: 0 1; }
    BedsideView #rate-row { height: 3; }
    BedsideView #rate { width: 12; height: 3; }
    BedsideView #pvc { height: 3; }
    BedsideView #vitals { height: 1fr; }
    BedsideView #foot { }
    BedsideView #alerts, BedsideView #alarms { height: 100%; }
    BedsideView #alarms { margin: 0 1 0 2; }
    BedsideView #alerts { margin: 0 0 0 1; }
    BedsideView #splash { height: 1fr; display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)"),
        Binding("down", "choose(1)"),
        Binding("enter", "see_alert"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.playout = Playout()
        self.tally = TruthTally()
        self.models = ModelTally()
        self.chosen = -1
        self._bed = ""
        self._numbered_s = -1.0
        self._key: tuple[object, ...] = ()
        self._rate_shown = ""
        self._wide = False

    def compose(self) -> ComposeResult:
        """Top bar, banner, strips beside numbers, lists, status, keys."""
        yield Board(id="top")
        yield Board(id="banner")
        with Horizontal(id="middle"):
            yield Board(id="splash")
            yield StripView(id="strips")
            with Vertical(id="side"):
                yield Board(id="rate-title")
                with Horizontal(id="rate-row"):
                    yield Digits("--", id="rate")
                    yield Board(id="pvc")
                yield Board(id="vitals")
        with Horizontal(id="foot"):
            yield Board(id="alerts")
            yield Board(id="alarms")
        yield Board(id="status")
        yield Board(id="keys")

    def on_mount(self) -> None:
        """Ask for the bed."""
        self._arrange()

    def on_resize(self) -> None:
        """Fit the panels to the terminal."""
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.app.size
        side = SIDE_TRUTH if self.desk.truth else SIDE
        self.query_one("#side").styles.width = side if width >= WIDE else SIDE_NARROW
        self._wide = self.desk.truth
        foot = self.query_one("#foot")
        foot.styles.height = FOOT if height >= TALL else FOOT_LOW
        self._key = ()

    @property
    def alerts(self) -> list[Notice]:
        """The alerts of the selected bed, newest first."""
        return self.desk.ward.of_bed(self.desk.bed, ("beat", "reset", "command"), ALERTS)

    def action_see_alert(self) -> None:
        """Open the strip of the chosen alert."""
        self.run_worker(self.app.run_action(f"app.see_alert({max(self.chosen, 0)})"))

    def action_choose(self, by: int) -> None:
        """Move along the list of alerts."""
        count = min(len(self.alerts), self.query_one("#alerts").size.height - 1)
        self.chosen = min(max(self.chosen + by, -1), count - 1)
        self._numbered_s = -1.0

    def draw(self) -> None:
        """Draw the strips at every call, the numbers NUMBERS_PER_SECOND times a second and after every key."""
        desk = self.desk
        ward = desk.ward
        if desk.bed not in ward.beds and ward.beds:
            desk.bed = desk.names[0]
        if desk.bed and desk.bed != self._bed:
            self._bed = desk.bed
            self.chosen = -1
            self.tally = TruthTally()
            self.models = ModelTally()
        if desk.bed:
            desk.ask([desk.bed], REVIEW_SECONDS, desk.config.screen.frames_per_second)
            desk.ask_study()
            if desk.model and desk.model in desk.study.missing:
                self._not_there(desk.model)
        if desk.truth != self._wide:
            self._arrange()
        self._strips()
        now = desk.clock()
        key = (
            desk.bed,
            desk.truth,
            desk.model,
            desk.forecast,
            desk.frozen,
            desk.palette.name,
            desk.labels.language,
            desk.lit,
            self.size,
        )
        if key != self._key or self._numbered_s < 0 or (desk.told and now - self._numbered_s >= 1 / NUMBERS_PER_SECOND):
            self._key, self._numbered_s = key, now
            self._numbers()

    def _not_there(self, model: str) -> None:
        """Say that a network is not shipped, and show the one before."""
        self.desk.model = ""
        name = model if model == "tutorial" else f"memory-{model}"
        self.app.notify(self.desk.labels("no_model", model=name), markup=False)

    def _strips(self) -> None:
        desk = self.desk
        history = desk.ward.shown.get(desk.bed)
        strips = self.query_one(StripView)
        splash = self.query_one("#splash", Board)
        there = history is not None and history.rate > 0
        if splash.display == there:
            splash.display, strips.display = not there, there
        if history is None or not there:
            about = desk.ward.status.about if desk.ward.status else ""
            splash.write(splash_lines(splash.size.width, splash.size.height, desk.palette, desk.labels, about))
            return
        position = self.playout.at(history, desk.clock(), desk.frozen)
        letters = desk.study.letters.get(desk.model, [])
        strips.draw(
            history,
            position,
            other=Other(desk.model[:5], letters) if desk.model else None,
            foretold=desk.study.foretold(position) if desk.forecast else None,
            paper=desk.paper,
            palette=desk.palette,
            labels=desk.labels,
            truth=desk.truth,
            analysed=desk.summary.lead if desk.summary else "",
        )

    def _numbers(self) -> None:
        desk, ward = self.desk, self.desk.ward
        palette, labels, bed = desk.palette, desk.labels, desk.summary
        width = self.size.width
        names = desk.names
        place = f"{names.index(desk.bed) + 1}/{len(names)}" if bed else ""
        badge = labels("frozen") if desk.frozen else ""
        self._board("top").write([top_line(bed, place, badge, width, palette, labels)])
        self._board("banner").write([banner(bed, desk.others, width, desk.lit, palette, labels)])
        self._board("status").write([status_line(ward.status, width, palette, labels)])
        self._board("keys").write([key_line(self._keys(), width, palette)])

        rate = "--" if bed is None or bed.heart_rate is None else f"{bed.heart_rate:.0f}"
        digits = self.query_one("#rate", Digits)
        if rate != self._rate_shown:
            self._rate_shown = rate
            digits.update(rate)
        digits.styles.color = palette.accent
        head = Line().add("♥ ", pen(palette.classes["V"] if desk.lit else palette.dim))
        head.add(labels("heart_rate"), pen(palette.dim, bold=True)).add(f" {labels('per_minute')}", pen(palette.dim))
        rate_limits(head, bed, palette)
        self._board("rate-title").write([head])
        self._board("pvc").write(pvc_lines(bed, palette, labels))

        history = ward.shown.get(desk.bed)
        vitals = self._board("vitals")
        if history is not None and history.rate:
            side, height = vitals.size.width, vitals.size.height
            lines: list[Line] = []
            if desk.truth:
                self.tally.follow(history)
                lines = truth_lines(self.tally, side, height, palette, labels)
            if desk.model:
                self.models.follow(desk.study, history)
                lines += model_lines(self.models, desk.study, desk.model, side, palette, labels)
            if desk.forecast:
                lines += forecast_lines(desk.study, side, palette, labels)
            vitals.write(lines + vital_lines(history, side, height - len(lines), palette, labels))
        alerts, alarms = self._board("alerts"), self._board("alarms")
        rate_hz = bed.rate if bed else 0.0
        size = alerts.size
        alerts.write(alert_lines(self.alerts, rate_hz, self.chosen, size.height, size.width, palette, labels))
        ended = ward.of_bed(desk.bed, ("end",), ENDED)
        alarms.write(alarm_lines(bed, ended, alarms.size.height, alarms.size.width, palette, labels))

    def _keys(self) -> list[tuple[str, str, str]]:
        labels = self.desk.labels
        return [
            ("q", labels("quit"), "app.quit"),
            ("?", labels("show_help"), "app.show_help"),
            ("n", labels("next_bed"), "app.step_bed(1)"),
            ("a", labels("acknowledge"), "app.acknowledge"),
            ("z", labels("silence"), "app.silence"),
            ("f", labels("freeze"), "app.freeze"),
            ("r", labels("show_review"), "app.show_review"),
            ("c", labels("show_central"), "app.show_central"),
            ("t", labels("show_truth"), "app.truth"),
            ("m", labels("show_memory"), "app.show_memory"),
            ("1-4", labels("show_models"), "app.model('tutorial')"),
            ("d", labels("show_forecast"), "app.forecast"),
            ("y", labels("show_trend"), "app.show_trend"),
            ("+-", labels("gain"), "app.gain(1)"),
            ("s", labels("sweep"), "app.sweep"),
            ("^p", labels("palette"), "app.command_palette"),
        ]

    def _board(self, name: str) -> Board:
        return self.query_one(f"#{name}", Board)
