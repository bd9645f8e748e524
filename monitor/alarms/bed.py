"""The alarms of one bed: beats, signs of the signal and the sample clock in, changes out.

Everything depends on sample indices alone: a change is dated by the sample at which it became true, so it does not
matter how often, or when, the clock was told. What must be told in order is this: a sign before the clock passes
it, and every beat up to the clock's index before the clock. docs/alarms.md defines the conditions and names
sources.
"""

from __future__ import annotations

from bisect import insort
from math import ceil
from operator import attrgetter

import msgspec

from ecg.settings import AlarmSettings
from monitor.alarms import patterns, runs, unreadable, witness
from monitor.alarms.episodes import Episodes
from monitor.alarms.kinds import TECHNICAL
from monitor.alarms.limits import limits
from monitor.alarms.state import NEVER, UNKNOWN, BedState, Change, Evidence, Sign

UNSTEADY_GRACE = 2.0
"""How many times its limit a silence must last to be believed while the baseline is unsteady."""

UNFOUNDED_GRACE = 2.5
"""The same after what was taken for beats but is noise: 10 s of silence are silence whatever came before."""
GROWN_SECONDS = 1.0
"""A wave that begins so soon after a run of V has grown out of it."""
ESCAPE_SECONDS = 0.75
"""A beat that ends a stillness is in the next look, half a second later at most."""
SURE = 0.8
"""Correlation with the bed's own QRS complex above which a beat is one, however small."""
NOTHING = Evidence()

_by_index = attrgetter("index")


class BedAlarms(Episodes):
    """Alarm state machine of one bed and one stream. `state` is all it remembers.

    settings: the [alarms] table. rate: Hz. start: index of the first sample.
    """

    __slots__ = ("_noise",)

    def __init__(self, settings: AlarmSettings, rate: float, start: int = 0, state: BedState | None = None) -> None:
        begun = state or BedState(now=start, deadline=NEVER, quiet_since=start, sign=Sign(start))
        super().__init__(limits(settings, rate), begun)
        self._noise: bool | None = None
        """Whether the last beats are noise (`witness.unfounded`); None where that must be asked again."""
        self._schedule()

    def adjust(self, settings: AlarmSettings) -> None:
        """Other limits from now on. What that brings about becomes known with the next beat, sign or clock."""
        self._limits = limits(settings, self._limits.rate)
        self._schedule()

    def save(self) -> BedState:
        """A copy of all that is remembered, to make another BedAlarms of."""
        return msgspec.convert(msgspec.to_builtins(self.state), BedState)

    @property
    def next_deadline(self) -> int:
        """Nothing changes before the clock reaches this sample, unless a beat or a sign comes."""
        return self.state.deadline

    def beat(self, index: int, cls: str, evidence: Evidence = NOTHING) -> list[Change]:
        """A beat of AAMI class `cls` ("N", "S", "V", "F", "Q") with its R-peak at sample `index`.

        Where the leads are still, what is unlike the bed's own beats is none, since the detector's threshold has
        followed the signal down to the floor; unless it ends the stillness, as an escape beat does.
        """
        self._advance(index)
        state, self._noise = self.state, None
        if (
            evidence.alike == UNKNOWN
            or min(evidence.alike, max(evidence.beside, evidence.alike * (evidence.beside == UNKNOWN))) >= SURE
        ):
            state.sure = index
        elif state.sign.still >= 0:
            state.unlike = index
            return self._settle()
        state.stopped = False
        state.quiet_since = max(index, state.quiet_since)
        if not state.sign.fibrillation and not state.sign.lead_off:
            self.end("asystole", index, index)
            self.end("pause", index, index)
            patterns.beat(self, state, self._limits, index, cls, evidence)
        return self._settle()

    def detected(self, index: int) -> list[Change]:
        """The lead that does not lead has an R-peak at sample `index`. It counts when the clock gets there."""
        self.state.coming.append(index)
        return self._due(self.state.coming[0])

    def clock(self, index: int) -> list[Change]:
        """Every beat up to sample `index` has been told; time goes on without more."""
        if index < self.state.deadline:
            self.state.now = max(self.state.now, index)
            return []
        self._advance(index)
        return self._settle()

    def sign(self, sign: Sign) -> list[Change]:
        """The signal shows something from sample `sign.index` on. It takes effect when the clock gets there."""
        insort(self.state.told, sign, key=_by_index)
        return self._due(self.state.told[0].index)

    def sign_at(self, index: int) -> Sign:
        """The last sign up to sample `index`, that the clock may not have reached yet."""
        for sign in reversed(self.state.told):
            if sign.index <= index:
                return sign
        return self.state.sign

    def interrupt(self, index: int) -> list[Change]:
        """Samples are missing up to `index`: what was heard before says nothing about what comes."""
        self._advance(min(index, self.state.now))
        self.state.now = max(self.state.now, index)
        self._forget(self.state.now)
        return self._settle()

    def acknowledge(self, kind: str = "", who: str = "") -> list[Change]:
        """A person, `who`, has seen the alarm (every one where kind is ""); what is over is no longer shown."""
        for name in [kind] if kind else list(self.state.episodes):
            episode = self.state.episodes.get(name)
            if episode is None or episode.acknowledged:
                continue
            episode.acknowledged = True
            hidden = self._hidden(name)
            self._changes.append(Change("acknowledge", name, self.state.now, episode.onset, episode.over, hidden, who))
            if episode.over >= 0 and self._shown_until(name, episode) <= self.state.now:
                self._clear(name, self.state.now)
        return self._settle()

    def silence(self, seconds: float) -> list[Change]:
        """No sound for so long from now on (seconds of signal); 0 ends it."""
        self.state.silenced_until = self.state.now + round(seconds * self._limits.rate)
        self._changes.append(Change("silence", "", self.state.now, self.state.silenced_until))
        return self._settle()

    def silenced_seconds(self) -> float:
        """Seconds of signal until sound comes back; 0 where it is on."""
        return max(self.state.silenced_until - self.state.now, 0) / self._limits.rate

    def _due(self, index: int) -> list[Change]:
        """Something is known that changes nothing before sample `index`. The changes since the last call."""
        self.state.deadline = min(self.state.deadline, index)
        return self._taken()

    def _settle(self) -> list[Change]:
        """The changes since the last call."""
        self._schedule()
        return self._taken()

    def _advance(self, index: int) -> None:
        """Let time pass up to `index`, stopping wherever something changes by itself."""
        state = self.state
        while state.deadline <= index:
            state.now = max(state.deadline, state.now)
            if state.told and state.told[0].index <= state.now:
                self._apply(state.told.pop(0))
            elif state.coming and state.coming[0] <= state.now:
                self._hear(state.coming.pop(0))
            else:
                self._tick(state.now)
            self._schedule()
        state.now = max(state.now, index)

    def _back(self, places: list[int], count: int) -> int:
        """The last but `count` of these samples; the first where a memory saved under other limits holds fewer."""
        return places[-min(count, len(places))] if places else self.state.quiet_since

    def _silences(self) -> tuple[int, int]:
        """Samples at which a pause and an asystole are reached if no beat comes."""
        limit, since = self._limits, self._silent_since()
        if self._unfounded():
            wait = UNFOUNDED_GRACE
        elif self.state.sign.unsteady:
            wait = UNSTEADY_GRACE
        else:
            return since + limit.pause, since + limit.asystole
        return since + ceil(wait * limit.pause), since + ceil(wait * limit.asystole)

    def _silent_since(self) -> int:
        """The last beat in any lead, or the end of whatever kept beats from being heard."""
        state = self.state
        heard = state.second and state.sign.still < 0
        return max(state.quiet_since, state.second[-1]) if heard else state.quiet_since

    def _held_back(self) -> bool:
        """Is there nothing to be told from the leads, or a pulse that says more than they do?."""
        sign = self.state.sign
        return (sign.noisy and sign.still < 0) or sign.alive or (not self.state.founded and self._unfounded())

    def _unfounded(self) -> bool:
        """`witness.unfounded`, asked once after each beat."""
        if self._noise is None:
            self._noise = witness.unfounded(self.state)
        return self._noise

    def _awaits_asystole(self) -> bool:
        """Would an asystole be told, or counted as held back?."""
        state = self.state
        if "asystole" not in self._limits.enabled or self.lasts("asystole"):
            return False
        return not self._held_back() or (state.sign.noisy and "asystole" not in state.spell)

    def _schedule(self) -> None:
        """The next sample at which something changes by itself. What comes first is asked first: it is nearly all."""
        state, limit, beats = self.state, self._limits, self.state.beats
        deadline = state.told[0].index if state.told else NEVER
        if state.coming and state.coming[0] < deadline:
            deadline = state.coming[0]
        if not state.sign.fibrillation and not state.sign.lead_off:
            pause, asystole = self._silences()
            if pause < deadline and not state.stopped:
                deadline = pause
            if asystole < deadline and self._awaits_asystole():
                deadline = asystole
            for kind, count, span in limit.slow:
                if len(beats) < count or beats[-count] + span >= deadline:
                    continue
                if beats[-count] > state.denied and kind in limit.enabled and not self.lasts(kind):
                    deadline = beats[-count] + span
        if state.doubted >= 0:
            deadline = min(deadline, state.doubted_until)
        if state.unread_since >= 0 or state.read_since >= 0:
            deadline = min(deadline, unreadable.deadline(self, state, limit))
        for kind, episode in state.episodes.items():
            if episode.over >= 0:
                deadline = min(deadline, self._shown_until(kind, episode))
            elif kind in limit.fast_end:
                deadline = min(deadline, witness.fast_until(state, limit, kind))
            elif kind == "frequent_v":
                deadline = min(deadline, self._back(state.recent_v, limit.frequent + 1) + limit.minute)
        state.deadline = deadline

    def _tick(self, now: int) -> None:
        """What time alone brings about at sample `now`."""
        state, limit = self.state, self._limits
        for kind, episode in list(state.episodes.items()):
            if episode.over >= 0:
                if self._shown_until(kind, episode) <= now:
                    self._clear(kind, now)
            elif kind in limit.fast_end:
                if now >= witness.fast_until(state, limit, kind):
                    self.end(kind, now, now)
            elif kind == "frequent_v" and now >= self._back(state.recent_v, limit.frequent + 1) + limit.minute:
                self.end(kind, now, now)
        unreadable.tick(self, state, limit, now)
        runs.weigh(self, state, limit, now)
        if state.sign.fibrillation or state.sign.lead_off:
            return
        pause, asystole = self._silences()
        held = self._held_back()
        if now >= asystole:
            (self.hold if held else self.raise_)("asystole", self._silent_since(), now)
        if now >= pause and not state.stopped:
            state.stopped = True
            patterns.stop(self, state, now)
            (self.hold if held else self.raise_)("pause", self._silent_since(), now)
        for kind, count, span in limit.slow:
            if len(state.beats) >= count and now >= state.beats[-count] + span and not self.lasts(kind):
                if witness.denies_slow(state, state.beats[-count], count):
                    state.denied = max(state.denied, state.beats[-count])
                    self.hold(kind, state.beats[-count], now)
                else:
                    self.raise_(kind, state.beats[-count], now)

    def _hear(self, index: int) -> None:
        """An R-peak of the other lead counts from now on."""
        state, limit = self.state, self._limits
        state.second.append(index)
        if len(state.second) > limit.beats_kept:
            del state.second[0]
        if not state.sign.fibrillation and not state.sign.lead_off:
            for kind, count, span in limit.fast:
                since = witness.second_fast(state, count, span, limit.rate)
                if since is not None:
                    self.raise_(kind, since, index)

    def _apply(self, sign: Sign) -> None:
        """A sign of the signal takes effect."""
        state, now = self.state, self.state.now
        before, state.sign = state.sign, sign
        unreadable.signed(state, sign)
        if sign.still >= 0 and before.still < 0:
            state.quiet_since = min(state.quiet_since, max(sign.still, state.sure))
        elif sign.still < 0 <= before.still and not sign.fibrillation and not sign.lead_off:
            self._escaped(now)
        onset = sign.onset if sign.onset >= 0 else sign.index
        if sign.fibrillation and not before.fibrillation and not sign.lead_off:
            self._grown(onset, now)
        if sign.lead_off != before.lead_off or sign.fibrillation != before.fibrillation:
            self._forget(now)
        if sign.lead_off:
            self.raise_("lead_off", sign.index, now)
        else:
            self.end("lead_off", sign.index, now)
        if sign.fibrillation and not sign.lead_off:
            self.raise_("fibrillation", onset, now)
        else:
            self.end("fibrillation", sign.index, now)
        runs.weigh(self, state, self._limits, now)
        if runs.shown(sign):
            since = sign.run if sign.run >= 0 else onset
            if not runs.usual(state, since, self._limits.rate):
                self.raise_("ventricular_tachycardia", since, now)
        elif runs.shown(before) and not state.broad:
            self.end("ventricular_tachycardia", sign.index, now)

    def _escaped(self, now: int) -> None:
        """Stillness is over. What was taken for no beat a moment ago, and was large enough to end it, is one."""
        state, at = self.state, self.state.unlike
        if at > max([state.quiet_since, *state.beats[-1:]]) and now - at <= ESCAPE_SECONDS * self._limits.rate:
            state.stopped, state.quiet_since = False, at
            self.end("asystole", at, now)
            self.end("pause", at, now)
            state.beats.append(at)

    def _grown(self, onset: int, now: int) -> None:
        """A run of V that turns into a wave without beats has been a tachycardia."""
        run = self.state.episodes.get("nonsustained_vt")
        if run is not None and (run.over < 0 or run.over >= onset - GROWN_SECONDS * self._limits.rate):
            self.raise_("ventricular_tachycardia", run.onset, now)

    def _forget(self, now: int) -> None:
        """End every condition that beats or their absence made, and start counting afresh."""
        state = self.state
        for kind in list(state.episodes):
            if kind != "fibrillation" and kind not in TECHNICAL:
                self.end(kind, now, now)
        state.quiet_since = now
        state.stopped = False
        patterns.forget(state)
        self._noise = None
