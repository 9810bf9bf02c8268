"""The clocks of a line's promises as data, and the arithmetic on them: what counted, what did not, when they are due.

A clock is a row of stretches without a gap. Time counts while the word is the people's and the line is open; it does not while
the client has the word, while the session is put aside, and outside the hours. The deadline is the moment at which what counted
is as long as what was promised: one sum, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec

from core.conversation import Session
from handoff.hours import Hours, reach, split

Promise = Literal["first_reply", "next_reply", "resolve"]
Cause = Literal["counted", "client", "hold", "hours"]
# met: kept in time · missed: the deadline passed first · passed: it went to another line in time · ended: it was no more owed
Outcome = Literal["", "met", "missed", "passed", "ended"]
State = Literal["fine", "soon", "late", "paused", "none"]

RUNS = "runs"  # a phase in which the clock runs, as far as the line is open
PAUSES: dict[str, Cause] = {"waiting": "client", "held": "hold"}  # status of a session → why its clocks stand
KEPT = 20  # clocks that have stopped, of one session


class Span(NamedTuple):
    """A stretch of a clock's time and what became of it. Moments in seconds since the epoch, UTC."""

    since: float
    until: float
    cause: Cause

    @property
    def seconds(self) -> float:
        return self.until - self.since


class Change(msgspec.Struct, omit_defaults=True):
    """A deadline that was recalculated: why (`hours`, `priority`, `line`), and what it was. 0: there was or is none."""

    at: float
    why: str
    was: float = 0.0
    due: float = 0.0


class Clock(msgspec.Struct, omit_defaults=True):
    """One promise. `target` is what was promised, in seconds of working time; `line` is whose hours count.

    `spans` are settled for good; `phases` after them are since when the clock runs or why it stands, the last one until now.
    `counted` are the microseconds that counted before the last of them, so that a move costs the same however long the talk
    is. `due`, `warn` and `left` (of working time, while it stands) follow from these. `late`: the deadline has passed.
    """

    promise: Promise
    line: str
    opened: float
    target: float
    phases: list[tuple[float, str]]
    spans: list[Span] = []
    counted: int = 0
    due: float = 0.0
    warn: float = 0.0
    left: float = 0.0
    warned: bool = False
    late: bool = False
    stopped: float = 0.0
    outcome: Outcome = ""
    changes: list[Change] = []

    @property
    def stands(self) -> str:
        """Why it does not run, empty when it does, as far as the line is open."""
        cause = self.phases[-1][1] if self.phases else RUNS
        return "" if cause == RUNS else cause


class Sla(msgspec.Struct, omit_defaults=True):
    """All clocks of a session. `due` is the nearest deadline, `next` when the next alarm is, 0 for none.

    `rules` marks the hours and promises that the deadlines were calculated with, `urgency` the priority; `replied`: somebody of
    the present line has answered.
    """

    open: list[Clock] = []
    done: list[Clock] = []
    due: float = 0.0
    next: float = 0.0
    rules: str = ""
    urgency: int = 0
    replied: bool = False


def load(session: Session) -> Sla:
    """The clocks of a session, one's own to change."""
    return msgspec.convert(session.sla, Sla)


def save(sla: Sla) -> dict[str, Any]:
    """The clocks as a session keeps them."""
    kept: dict[str, Any] = _decode(
        _encode(sla)
    )  # as it comes back from the store: a session that did not change is equal
    return kept


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def due_of(session: Session) -> float:
    """The nearest deadline of a session (seconds since the epoch, UTC); 0 when there is none."""
    return float(session.sla.get("due", 0.0))


# --- one clock ---------------------------------------------------------------------------------------------------------


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def set_phase(clock: Clock, hours: Hours, at: float, cause: str) -> None:
    """From now on the clock runs, or stands for this cause."""
    since, before = clock.phases[-1]
    if before == cause:
        return
    if before == RUNS:
        clock.counted += _micros(_working(since, at, hours))
    if since == at:  # nothing has come of the last phase
        clock.phases.pop()
    if not clock.phases or clock.phases[-1][1] != cause:
        clock.phases.append((at, cause))
    else:
        recount(clock, hours)


def recount(clock: Clock, hours: Hours) -> None:
    """What has counted, anew: the hours are others now."""
    last = clock.phases[-1][0]
    clock.counted = sum(
        _micros(moment(it.until) - moment(it.since)) for it in _spans(clock, hours, last) if it.cause == "counted"
    )


def _working(since: float, until: float, hours: Hours) -> timedelta:
    spans = split(moment(since), moment(until), hours)
    return sum((end - begin for begin, end, open_ in spans if open_), timedelta())


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def ledger(clock: Clock, hours: Hours, until: float) -> list[Span]:
    """What became of the clock's time from its opening to a moment, without a gap and with nothing twice."""
    return list(_joined(_spans(clock, hours, clock.stopped or until)))


def _spans(clock: Clock, hours: Hours, until: float) -> Iterator[Span]:
    yield from clock.spans
    for since, to, cause in _phases(clock, until):
        if cause != RUNS:
            yield Span(since, to, cause)  # type: ignore[arg-type]
            continue
        for begin, end, open_ in split(moment(since), moment(to), hours):
            yield Span(begin.timestamp(), end.timestamp(), "counted" if open_ else "hours")


def _phases(clock: Clock, until: float) -> Iterator[tuple[float, float, str]]:
    ends = [since for since, _ in clock.phases[1:]] + [until]
    for (since, cause), end in zip(clock.phases, ends, strict=True) if clock.phases else ():
        if end > since:
            yield since, end, cause


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    last: Span | None = None
    for span in spans:
        if last is not None and last.cause == span.cause and last.until == span.since:
            last = last._replace(until=span.until)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def sums(spans: Iterable[Span]) -> dict[Cause, float]:
    """Seconds by cause, to the microsecond."""
    found: dict[Cause, timedelta] = {}
    for span in spans:
        found[span.cause] = found.get(span.cause, timedelta()) + (moment(span.until) - moment(span.since))
    return {cause: total.total_seconds() for cause, total in found.items()}


def when(clock: Clock, hours: Hours, seconds: float) -> float:
    """The moment at which so much has counted, if things go on as they stand; 0 when that never comes."""
    left = timedelta(seconds=seconds)
    if left <= timedelta(microseconds=clock.counted):
        return _reached(clock, hours, left)
    last, cause = clock.phases[-1]
    found = reach(moment(last), left - timedelta(microseconds=clock.counted), hours) if cause == RUNS else None
    return found.timestamp() if found is not None else 0.0


def _reached(clock: Clock, hours: Hours, left: timedelta) -> float:
    """The moment of the past at which so much had counted."""
    for span in _spans(clock, hours, clock.phases[-1][0]):
        long = moment(span.until) - moment(span.since)
        if span.cause == "counted" and left <= long:
            return (moment(span.since) + left).timestamp()
        left -= long if span.cause == "counted" else timedelta()
    raise AssertionError("more was counted than the ledger says")


def settle(clock: Clock, hours: Hours, warn_at: float) -> None:
    """Calculate the deadline, the moment of the warning, and what is left while it stands."""
    clock.due = when(clock, hours, clock.target)
    clock.warn = when(clock, hours, clock.target * warn_at) if warn_at < 1 and not clock.late else 0.0
    clock.left = round(max(0.0, clock.target - clock.counted / 1e6), 6) if clock.stands else 0.0


def freeze(clock: Clock, hours: Hours, at: float) -> None:
    """Settle what has been: hours that change later change nothing of it."""
    clock.spans, cause = ledger(clock, hours, at), clock.stands or RUNS
    clock.phases = [(at, cause)]
    recount(clock, hours)


def stop(clock: Clock, hours: Hours, at: float, outcome: Outcome) -> None:
    """The clock has no more to say. One whose deadline has passed was missed, whatever stopped it."""
    freeze(clock, hours, at)
    clock.phases, clock.stopped, clock.left = [], at, 0.0
    clock.late = clock.late or is_late(clock, at)
    clock.outcome = "missed" if clock.late else outcome


def is_late(clock: Clock, at: float) -> bool:
    return 0 < clock.due <= at


# --- what lists show ---------------------------------------------------------------------------------------------------


class Chip(NamedTuple):
    """The one deadline that a list shows of a session. `left` is in seconds: until the deadline, negative behind it; of
    working time while the clock stands."""

    promise: Promise | Literal[""]
    due: float
    left: float
    state: State


NO_CHIP = Chip("", 0.0, 0.0, "none")


def chip(session: Session, now: float) -> Chip:
    """The deadline chip of a session: the nearest deadline, else the clock that stands with the least left."""
    clocks = load(session).open if session.sla else []
    running = [clock for clock in clocks if clock.due]
    if running:
        clock = min(running, key=lambda it: it.due)
        return Chip(clock.promise, clock.due, clock.due - now, _state(clock, now))
    standing = [clock for clock in clocks if clock.stands]
    if standing:
        clock = min(standing, key=lambda it: it.left)
        return Chip(clock.promise, 0.0, clock.left, "paused")
    return NO_CHIP


def _state(clock: Clock, now: float) -> State:
    if is_late(clock, now):
        return "late"
    return "soon" if 0 < clock.warn <= now else "fine"
