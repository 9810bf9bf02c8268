"""What happens in a queue: an offer that nobody answers goes back, and the client hears where they stand.

What the client is told is measured: their place, and how long others waited lately. With too little history, or for one who
waits longer than those did already, it is the place alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import msgspec

from core.conversation import Session
from core.effects import StartTimer, StopTimer
from core.events import OperatorAct, TimerFired
from handoff import notices
from handoff.decision import WAIT_TIMER, Decision, enqueue, mark
from handoff.hours import is_open

OFFER_TIMER = "line.offer"
POSITION_TIMER = "line.position"
IGNORED = "offer_ignored"  # why a session went back
# Marks in a session's memory.
OFFER = "offer"  # the epoch in which it was offered to its operator, who has not answered yet
TOLD = "told"  # what the client was told of the queue last (`Told`)

ENOUGH = 5  # waits that say something about the next one
LATEST = 20  # waits that are looked at
FIRST = 5.0  # seconds in the queue before the client hears of their place: many are served before
PAUSE = 30.0  # seconds between two tellings
LOW, HIGH = 0.2, 0.8  # the range: of five clients three waited so long


class Told(msgspec.Struct, frozen=True):
    """A client's place in the queue (1 is next) and the range of waiting in minutes, 0 and 0 without one."""

    place: int
    low: int = 0
    high: int = 0


# --- offers -----------------------------------------------------------------------------------------------------------


def offer(on: Decision, event: OperatorAct) -> None:
    """Routing gave the session to somebody, who may not be looking: it waits for a sign of them."""
    line = on.line(on.session.line)
    if event.operator == "router" and line is not None and line.offer:
        on.remember(**{OFFER: on.session.epoch})
        on.out(StartTimer(OFFER_TIMER, line.offer, mark(on)))


def answered(on: Decision, event: OperatorAct) -> None:
    """Whatever the operator does with the session says that they have it."""
    if event.operator == on.session.operator and is_offered(on.session):
        on.remember(**{OFFER: None})
        on.out(StopTimer(OFFER_TIMER))


def is_offered(session: Session) -> bool:
    """Whether it waits for a sign of its operator."""
    return session.owner == "operator" and session.memory.get(OFFER) == session.epoch


def offer_over(on: Decision, event: TimerFired) -> None:
    """Nobody answered: back to the queue, and to somebody else."""
    line = on.line(on.session.line)
    if event.data != mark(on) or not is_offered(on.session) or line is None:
        on.why("stale_timer", key=event.key)
        return
    queued_at = on.session.queued_at
    on.remember(**{OFFER: None})
    enqueue(on, line, "router", IGNORED, note=on.session.note, priority=on.session.priority, event="release")
    if queued_at:  # for the client the wait goes on
        on.put(msgspec.structs.replace(on.session, queued_at=queued_at))
    if line.max_wait and is_open(line.hours, on.now) and on.session.memory["run"]:
        left = line.max_wait - (on.now.timestamp() - on.session.queued_at)
        on.out(StartTimer(WAIT_TIMER, max(left, 0.0), mark(on)))


# --- the client's place -------------------------------------------------------------------------------------------------


def wait_range(waits: Sequence[float]) -> tuple[int, int] | None:
    """How many minutes clients waited, without the shortest and the longest waits; None with too little history.

    `waits` in seconds. The ends are rounded apart: the range may become wider, never narrower than it was.
    """
    if len(waits) < ENOUGH:
        return None
    ordered = sorted(waits)
    low, high = (ordered[max(ceil(share * len(ordered)) - 1, 0)] / 60 for share in (LOW, HIGH))
    return int(low // _step(low) * _step(low)), max(ceil(high / _step(high)) * _step(high), 1)


def _step(minutes: float) -> int:
    return 1 if minutes < 10 else 5 if minutes < 60 else 15


def standing(place: int, waits: Sequence[float], waited: float) -> Told:
    """What is true for a client at this place who has waited so long (seconds)."""
    found = wait_range(waits)
    if found is None or waited > found[1] * 60:
        return Told(place)
    return Told(place, *found)


def is_due(session: Session, now: float) -> bool:
    """Whether the client may hear something: not at once, and not again and again."""
    before: dict[str, Any] = session.memory.get(TOLD, {})
    if before.get("epoch") != session.epoch:
        return now - session.queued_at >= FIRST
    return bool(now - before["at"] >= PAUSE)


def is_news(session: Session, told: Told) -> bool:
    """Whether it is something else than what they were told last."""
    before: dict[str, Any] = session.memory.get(TOLD, {})
    return before.get("epoch") != session.epoch or _facts(told) != {name: before[name] for name in _facts(told)}


def _facts(told: Told) -> dict[str, int]:
    return {"place": told.place, "low": told.low, "high": told.high}


def news(session: Session, told: Told) -> TimerFired:
    """The event that tells the client."""
    return TimerFired(POSITION_TIMER, {"session": session.number, "epoch": session.epoch, **_facts(told)})


def tell_position(on: Decision, event: TimerFired) -> None:
    """Edit the message that told of the queue. What was measured for an earlier stay is void."""
    line, seen = on.line(on.session.line), {name: event.data.get(name) for name in ("session", "epoch")}
    if on.session.owner != "queue" or seen != mark(on) or line is None:
        on.why("stale_timer", key=event.key)
        return
    told = Told(*(int(event.data.get(name, 0)) for name in ("place", "low", "high")))
    on.remember(**{TOLD: {**_facts(told), "epoch": on.session.epoch, "at": on.now.timestamp()}})
    on.out(notices.position(on.house, line.title, told.place, told.low, told.high))
