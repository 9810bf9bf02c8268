"""The clocks follow the session: they open, stand, go on and stop with its moves, warn, and are calculated anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec

from core.conversation import Session
from core.effects import Effect, Record, StartTimer, StopTimer
from handoff.lines import Line
from handoff.sla import (
    KEPT,
    PAUSES,
    RUNS,
    Change,
    Clock,
    Outcome,
    Promise,
    Sla,
    freeze,
    is_late,
    load,
    recount,
    save,
    set_phase,
    settle,
    stop,
)

SLA_TIMER = "line.sla"
REPLIES: tuple[Promise, ...] = ("first_reply", "next_reply")
OWED = ("queued", "assigned")  # statuses in which the client waits for a word of ours
URGENCY = "urgency"  # in the session's memory
AFTER = 0.001  # seconds: a timer never fires before the moment it is for, however numbers are rounded
CHANGES = 20  # recalculations that a clock remembers

Lines = Callable[[str], Line | None]


class Followed(NamedTuple):
    """The session with its clocks as they are now, and what goes out."""

    session: Session
    effects: tuple[Effect, ...]


def follow(before: Session, after: Session, event: str, now: datetime, lines: Lines) -> Followed:
    """The clocks after a move named `event` from `before` to `after`. A talk with the bot has none.

    A word of ours keeps the promise of a reply. Another line makes a promise of its own for the reply; the promise to resolve
    the matter goes on, so that nobody waits longer by being passed on. Back to the bot, and at the end, all of them stop.
    """
    if after.owner == "bot" and not before.sla:
        return Followed(after, ())
    desk = _Desk(after, now, lines, before.line)
    desk.recalculate(lines(before.line), desk.sla.urgency)  # what it was held to until now
    if after.owner == "bot":
        desk.end("met" if after.status == "closed" else "ended")
    else:
        if before.owner != "bot" and before.line != after.line:
            desk.hand_over(before.line)
        if event == "reply":
            desk.answered()
        desk.go_on()
    return desk.done()


def wake(session: Session, now: datetime, lines: Lines) -> Followed:
    """The clocks at a moment without a move: alarms that are due, hours or a priority that have changed, clocks that an
    earlier version did not open."""
    desk = _Desk(session, now, lines)
    if session.owner != "bot":
        desk.go_on()
    return desk.done()


def next_alarm(session: Session) -> float:
    """When the clocks will have something to say; 0 for never."""
    return float(session.sla.get("next", 0.0))


def alarm_timer(session: Session, was: float, now: datetime) -> tuple[Effect, ...]:
    """Set the timer of the alarms, where it was set for another moment."""
    following = next_alarm(session)
    if following == was:
        return ()
    if not following:
        return (StopTimer(SLA_TIMER),)
    left = max(0.0, following - now.timestamp()) + AFTER
    return (StartTimer(SLA_TIMER, left, {"session": session.number}),)


class _Desk:
    """One session's clocks at one moment."""

    def __init__(self, session: Session, now: datetime, lines: Lines, counting: str = "") -> None:
        self.session, self.lines = session, lines
        self.sla: Sla = load(session)
        self._counting = counting or session.line  # the line whose hours have counted so far
        self.line = lines(session.line)
        # A clock that goes back between two machines makes no time of less than nothing.
        self.at = max([now.timestamp(), *(since for clock in self.sla.open for since, _ in clock.phases[-1:])])
        self.effects: list[Effect] = []

    def done(self) -> Followed:
        session = msgspec.structs.replace(self.session, sla=save(self.sla))
        return Followed(session, tuple(self.effects))

    # --- opening and stopping ---

    def hand_over(self, before: str) -> None:
        """The session is another line's: what was, was counted by the hours of the line before."""
        old, line = self.lines(before), self.line
        for clock in list(self.sla.open):
            if clock.promise in REPLIES:
                self._stop(clock, "passed")
            elif old is not None and line is not None:
                was = clock.due, clock.left
                freeze(clock, old.hours, self.at)
                settle(clock, line.hours, line.warn_at)
                self._change(clock, "line", was)
        self.sla.replied, self.sla.rules = False, ""

    def answered(self) -> None:
        """A word of ours went out."""
        self.sla.replied = True
        for clock in list(self.sla.open):
            if clock.promise in REPLIES:
                self._stop(clock, "met")

    def end(self, outcome: Outcome) -> None:
        """The session leaves the people. At its close the matter is resolved; a word that is still owed is owed no more."""
        for clock in list(self.sla.open):
            self._stop(clock, outcome if clock.promise == "resolve" else "ended")
        self.sla.due = self.sla.next = 0.0
        self.sla.replied, self.sla.rules = False, ""

    def go_on(self) -> None:
        """Everything that follows from where the session is now."""
        line = self.line
        if line is None:
            return
        self.recalculate(line, self._urgency)
        self._open_owed(line)
        cause = PAUSES.get(self.session.status, RUNS)
        for clock in self.sla.open:
            set_phase(clock, line.hours, self.at, cause)
            settle(clock, line.hours, line.warn_at)
        self.sla.rules = self._rules(line)
        self._look()
        self._look_ahead()

    def _open_owed(self, line: Line) -> None:
        """While a word is owed to the client, the promise of a reply is open; that to resolve the matter always is."""
        # A session of before this version has been with people for longer than its clocks.
        fresh = not self.sla.open and not self.sla.done
        since = min(self.at, self.session.queued_at or self.at) if fresh else self.at
        known = {clock.promise for clock in self.sla.open}
        if self.session.status in OWED and not known & set(REPLIES):
            self._open(line, "next_reply" if self.sla.replied else "first_reply", since)
        if "resolve" not in known:
            self._open(line, "resolve", since)

    def _open(self, line: Line, promise: Promise, since: float) -> None:
        target = line.promised(promise, self._urgency)
        if target:
            self.sla.open.append(Clock(promise, line.id, since, target, [(since, RUNS)]))

    def _stop(self, clock: Clock, outcome: Outcome) -> None:
        line, was_late = self.lines(self._counting or clock.line), clock.late
        self.sla.open.remove(clock)
        if line is None:
            return
        stop(clock, line.hours, self.at, outcome)
        if clock.late and not was_late:
            self._record("sla_missed", clock)
        if clock.outcome == "met":
            self._record("sla_met", clock)
        self._record("sla_stopped", clock, outcome=clock.outcome, how=outcome)
        self.sla.done.append(clock)
        if len(self.sla.done) > KEPT:
            self.sla.done.remove(next((it for it in self.sla.done if it.promise == "next_reply"), self.sla.done[0]))

    # --- calculating ---

    @property
    def _urgency(self) -> int:
        return int(self.session.memory.get(URGENCY, 0))

    def recalculate(self, line: Line | None, urgency: int) -> None:
        """Deadlines as they are by the hours, the promises and the priority of today. What changes them is written down."""
        if line is None:
            return
        rules = self._rules(line)
        edited = self.sla.rules not in ("", rules)
        why = "hours" if edited else "priority" if self.sla.urgency != urgency else ""
        for clock in list(self.sla.open) if why else ():
            made = self.lines(clock.line)
            if made is not None and made.id == clock.line:
                clock.target = made.promised(clock.promise, urgency)
            if not clock.target:  # it is promised no more
                self._stop(clock, "ended")
                continue
            was = clock.due, clock.left
            recount(clock, line.hours)
            settle(clock, line.hours, line.warn_at)
            self._change(clock, why, was)
        self.sla.rules, self.sla.urgency = rules, urgency

    def _rules(self, line: Line) -> str:
        """Marks everything that the deadlines are calculated with: the line's, and that of lines that made a promise before."""
        made = (self.lines(clock.line) for clock in self.sla.open)
        others = {it.rules for it in made if it is not None and it.id != line.id}
        return ".".join([line.rules, *sorted(others)])

    def _change(self, clock: Clock, why: str, was: tuple[float, float]) -> None:
        if (clock.due, clock.left) == was:
            return
        clock.changes = [*clock.changes, Change(self.at, why, was[0], clock.due)][-CHANGES:]
        clock.late = clock.late and is_late(clock, self.at)
        clock.warned = clock.late or (clock.warned and 0 < clock.warn <= self.at)
        self._record("sla_recalculated", clock, why=why, was=was[0])

    # --- alarms ---

    def _look(self) -> None:
        """Raise each alarm once; a deadline that has passed needs no warning any more."""
        for clock in self.sla.open:
            if is_late(clock, self.at):
                if not clock.late:
                    self._record("sla_missed", clock)
                clock.late = clock.warned = True
            elif 0 < clock.warn <= self.at and not clock.warned and not clock.stands:
                clock.warned = True
                self._record("sla_warned", clock)

    def _look_ahead(self) -> None:
        self.sla.due = min((clock.due for clock in self.sla.open if clock.due), default=0.0)
        self.sla.next = min((at for clock in self.sla.open for at in _alarms(clock)), default=0.0)

    def _record(self, kind: str, clock: Clock, **more: object) -> None:
        about = {
            "session": self.session.number,
            "promise": clock.promise,
            "line": clock.line,
            "operator": self.session.operator,
            "target": clock.target,
            "due": clock.due,
        }
        self.effects.append(Record(kind, {**about, **more}))


def _alarms(clock: Clock) -> list[float]:
    """The moments at which the clock will have something to say."""
    if clock.late or not clock.due:
        return []
    return [clock.due] if clock.warned or not clock.warn or clock.warn > clock.due else [clock.warn]
