"""The review: ten minutes to scroll through, alert by alert, with two measuring cursors and strips to save."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from copy import copy
from datetime import datetime
from math import floor
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click

from ecg.errors import UserError
from ecg.records.aami import CLASSES
from monitor.screen.desk import Desk
from monitor.screen.draw.line import Line
from monitor.screen.draw.overview import overview
from monitor.screen.draw.palette import pen
from monitor.screen.draw.panels import key_line
from monitor.screen.draw.paper import Paper
from monitor.screen.draw.plaintext import clean, clock
from monitor.screen.draw.saving import Caption, save_strip
from monitor.screen.labels import Labels
from monitor.screen.state.history import NOTICES, BedHistory
from monitor.screen.views.base import View
from monitor.screen.widgets.board import Board
from monitor.screen.widgets.still import CURSORS, StillView
from monitor.screen.widgets.strip_view import MARGIN, MOST_LEADS

ALERT_PLACE: Final = 0.4
"""Place of an alert on the strip after a jump, as a share of the width."""


def copied(history: BedHistory) -> BedHistory:
    """A copy of a history that stands still while the original continues."""
    kept = copy(history)
    kept.beats, kept.truth = list(history.beats), list(history.truth)
    kept.keep()
    return kept


class ReviewView(View):
    """The last minutes of one bed at the time of opening. at: sample index to show; None: the end."""

    DEFAULT_CSS = """
    ReviewView #overview { height: 4; }
    ReviewView #measure { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor(-1)"),
        Binding("right", "cursor(1)"),
        Binding("shift+left", "cursor(-10)"),
        Binding("shift+right", "cursor(10)"),
        Binding("tab", "other_cursor", priority=True),
        Binding("pageup,comma", "scroll(-1)"),
        Binding("pagedown,full_stop", "scroll(1)"),
        Binding("home", "scroll(-100000)"),
        Binding("end", "scroll(100000)"),
        Binding("up,p", "alert(-1)"),
        Binding("down,n", "alert(1)"),
        Binding("w", "save"),
        Binding("f,r,escape", "back"),
    ]

    def __init__(self, desk: Desk, history: BedHistory, at: int | None = None) -> None:
        super().__init__(desk)
        self.history = copied(history)
        self.first = 0
        self.cursors = [0, 0]
        self.active = 0
        self._at = at
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Top bar, overview, strips, measurements, keys."""
        yield Board(id="top")
        yield Board(id="overview")
        yield StillView(id="still")
        yield Board(id="measure")
        yield Board(id="keys")

    @property
    def sheet(self) -> Paper:
        """The paper of one lead."""
        return self.query_one(StillView).sheet(len(self.history.order(MOST_LEADS)), self.desk.paper)

    @property
    def per_dot(self) -> float:
        """Samples per dot."""
        return self.history.rate / self.sheet.dots_per_second

    @property
    def shown(self) -> tuple[int, int]:
        """Sample indices on the strip, [from, to)."""
        return int(self.first * self.per_dot), int((self.first + self.sheet.width) * self.per_dot)

    def go(self, index: int, share: float = ALERT_PLACE) -> None:
        """Show sample `index` at `share` of the strip's width."""
        width = self.sheet.width
        oldest = floor(self.history.first / self.per_dot)
        latest = max(floor(self.history.next / self.per_dot) - width, oldest)
        self.first = min(max(floor(index / self.per_dot) - int(width * share), oldest), latest)
        self._drawn = ()

    def draw(self) -> None:
        """Draw if anything changed."""
        if self.query_one(StillView).size.width < 2 * MARGIN:
            return
        if not self._drawn and self.first == 0 and self.cursors == [0, 0]:
            self._open()
        desk = self.desk
        key = (self.first, *self.cursors, self.active, self.size, desk.paper, desk.palette.name, desk.labels.language)
        if key == self._drawn:
            return
        if self._drawn and self._drawn[4:6] != key[4:6]:
            self.go(self.cursors[0])
            key = (self.first, *key[1:])
        self._drawn = key
        self.query_one(StillView).draw(
            self.history,
            self.first,
            (self.cursors[0], self.cursors[1]),
            self.active,
            desk.paper,
            desk.palette,
            desk.labels,
        )
        self._lines()

    def _open(self) -> None:
        """Show the wanted alert, or the end, with the cursors on the two last beats before it."""
        end = self.history.next
        self.go(end if self._at is None else self._at, 1.0 if self._at is None else ALERT_PLACE)
        target = end if self._at is None else self._at + 1
        since, until = self.shown
        before = [beat.index for beat in self.history.beats_between(max(since, self.history.first), min(until, target))]
        found = before[-2:] if len(before) > 1 else [since + (until - since) // 3, since + (until - since) // 2]
        self.cursors = list(found)
        self.active = 1

    def _lines(self) -> None:
        desk, history = self.desk, self.history
        palette, labels, width = desk.palette, desk.labels, self.size.width
        top = Line().add(" ♥ ", pen(palette.accent, bold=True))
        top.wire(history.bed, pen(palette.text, bold=True), 0)
        top.add("  ", pen(palette.text)).add(f" {labels('review')} ", pen("#000000", palette.head, bold=True))
        since, until = self.shown
        where = f"  {clock(since / history.rate)} – {clock(min(until, history.next) / history.rate)}  "
        top.add(where, pen(palette.text))
        behind = max(history.next - until, 0) / history.rate
        notice = Line().add(labels("not_clinical") + " ", pen(palette.priority("medium")))
        told = labels("behind", s=f"{behind:.0f}")
        if top.width + cell_len(told) < width - notice.width:
            top.add(told, pen(palette.dim))
        top.to(width - notice.width).segments.extend(notice.segments)
        self.query_one("#top", Board).write([top])
        self.query_one("#overview", Board).write(overview(history, since, until, width, palette))
        self.query_one("#measure", Board).write([self._measured()])
        self.query_one("#keys", Board).write([key_line(self.keys(), width, palette)])

    def values(self, cursor: int) -> list[float]:
        """Millivolts of each ECG lead under a cursor; NaN for a missing sample."""
        at, history = self.cursors[cursor], self.history
        leads = (lead for lead in range(len(history.leads)) if history.kind(lead) == "ecg")
        samples = (history.samples(lead, at, at + 1)[1] for lead in leads)
        return [float(found[0]) if len(found) else float("nan") for found in samples]

    def _measured(self) -> Line:
        """Both cursors, and their difference: ms, rate, mV."""
        palette, labels, rate = self.desk.palette, self.desk.labels, self.history.rate
        line = Line().add(" ", pen(palette.text))
        values = [self.values(0), self.values(1)]
        for number, name in enumerate(CURSORS):
            style = pen(palette.head if number == self.active else palette.dim, bold=number == self.active)
            told = " ".join(f"{value:+.2f}" for value in values[number])
            line.add(f"{name} {clock(self.cursors[number] / rate)} {told} mV   ", style)
        ms = 1000 * (self.cursors[1] - self.cursors[0]) / rate
        line.add(f"B−A {ms:+.0f} ms", pen(palette.accent, bold=True))
        if ms:
            line.add(
                f"   {labels('rate')} {60000 / abs(ms):.0f} {labels('per_minute')}", pen(palette.accent, bold=True)
            )
        steps = " ".join(f"{b - a:+.2f}" for a, b in zip(*values, strict=True))
        return line.add(f"   {steps} mV", pen(palette.accent, bold=True))

    def keys(self) -> list[tuple[str, str, str]]:
        """The keys of this view as (key, text, action)."""
        labels = self.desk.labels
        return [
            ("q", labels("quit"), "app.quit"),
            ("?", labels("show_help"), "app.show_help"),
            ("r", labels("back"), "screen.back"),
            ("←→", labels("move_cursor"), "screen.cursor(1)"),
            ("⇥", labels("other_cursor"), "screen.other_cursor"),
            (",.", labels("scroll"), "screen.scroll(-1)"),
            ("↑↓", labels("jump"), "screen.alert(-1)"),
            ("w", labels("save"), "screen.save"),
            ("+-", labels("gain"), "app.gain(1)"),
            ("s", labels("sweep"), "app.sweep"),
        ]

    def on_click(self, event: Click) -> None:
        """A click on the strip moves the cursor there; a click on the overview shows that time."""
        still, board = self.query_one(StillView), self.query_one("#overview", Board)
        if event.widget is still:
            across = event.get_content_offset_capture(still).x - MARGIN
            self._place(int((self.first + 2 * max(across, 0)) * self.per_dot))
        elif event.widget is board:
            share = event.get_content_offset_capture(board).x / max(self.size.width, 1)
            self.go(int(self.history.first + share * (self.history.next - self.history.first)), 0.5)

    def _place(self, index: int) -> None:
        """Put the active cursor on a sample, and scroll to it."""
        index = min(max(index, self.history.first), self.history.next - 1)
        self.cursors[self.active] = index
        since, until = self.shown
        if not since <= index < until:
            self.go(index, 0.1 if index < since else 0.9)

    def action_cursor(self, by: int) -> None:
        """Move the active cursor by `by` dots, each at least one sample."""
        step = max(int(self.per_dot), 1)
        self._place(self.cursors[self.active] + by * step)

    def action_other_cursor(self) -> None:
        """Make the other cursor active."""
        self.active = 1 - self.active

    def action_scroll(self, by: int) -> None:
        """Scroll back or forth by half a strip."""
        since, until = self.shown
        self.go(since + by * (until - since) // 2, 0.0)

    def action_alert(self, by: int) -> None:
        """Jump to the abnormal beat before or after the cursor; the cursors mark its RR interval."""
        beats = self.history.beats
        abnormal = [beat.index for beat in beats if beat.cls in CLASSES and beat.cls != "N"]
        since, until = self.shown
        here = self.cursors[1] if since <= self.cursors[1] < until else since if by > 0 else until
        at = bisect_right(abnormal, here) if by > 0 else bisect_left(abnormal, here) - 1
        if not 0 <= at < len(abnormal) or abnormal[at] < self.history.first:
            return
        index = abnormal[at]
        before = bisect_left(beats, index, key=lambda beat: beat.index) - 1
        self.cursors = [beats[before].index if before >= 0 else index, index]
        self.active = 1
        self.go(index)

    def action_save(self) -> None:
        """Save the strip as SVG and PNG."""
        since, until = self.shown
        window = max(since, self.history.first), min(until, self.history.next)
        caption = Caption(alarms=self._alarms(*window), saved=datetime.now().astimezone())
        self.run_worker(lambda: self._save(*window, caption), thread=True, exclusive=True)

    def _alarms(self, since: int, until: int) -> list[str]:
        """The alarms of the time from `since` to `until`, in English: those that stand, and those that have ended."""
        ward, history, english = self.desk.ward, self.history, Labels("en")
        bed = ward.beds.get(history.bed)
        told = []
        if bed is not None and bed.stream == history.stream:
            told = [clean(alarm.text) or clean(alarm.kind) for alarm in bed.alarms if alarm.onset < until]
        for notice in ward.of_bed(history.bed, ("end",), NOTICES):
            if notice.stream == history.stream and notice.index < until and notice.until > since:
                told.append(english.short(notice.text, clean(notice.text)))
        return list(dict.fromkeys(told))

    def _save(self, since: int, until: int, caption: Caption) -> None:
        labels = self.desk.labels
        app = self.app
        try:
            paths = save_strip(self.history, since, until, self.desk.folder, self.desk.palette, caption)
        except (OSError, UserError) as error:
            why = clean(getattr(error, "strerror", None) or str(error), 120)
            app.call_from_thread(app.notify, labels("not_saved", why=why), severity="error", markup=False)
            return
        told = labels("saved", path=", ".join(str(path) for path in paths))
        app.call_from_thread(app.notify, told, markup=False)

    def action_back(self) -> None:
        """Return to the live signal."""
        self.desk.frozen = False
        self.app.pop_screen()
