"""Promises that come due while nothing happens, and hours that were edited: events that only the clocks care for."""

from __future__ import annotations

from core.effects import StartTimer
from core.events import TimerFired
from handoff.decision import Decision, queue
from handoff.sla import due_of
from handoff.sla_clocks import SLA_TIMER as SLA_TIMER  # noqa: PLC0414  (its handler is here)
from handoff.sla_clocks import wake

EDITED_TIMER = "line.sla.edited"
# A process with the settings of before cannot calculate by the new ones: the event waits until one with the new has it.
AGAIN = 15.0
TRIES = 240


def alarm(on: Decision, event: TimerFired) -> None:
    """The next alarm of the session's clocks is due. A timer of an earlier session is void."""
    if event.data.get("session") != on.session.number or on.session.owner == "bot":
        on.why("stale_timer", key=event.key)
        return
    on.alarm_at = 0.0  # the timer is gone
    _look(on)


def edited(on: Decision, event: TimerFired) -> None:
    """Hours or promises of the session's line were edited: its deadlines are calculated anew, and its ledger says so."""
    line, wanted, tries = on.line(on.session.line), event.data.get("rules", {}), int(event.data.get("tries", 0))
    if on.session.owner == "bot" or line is None:
        on.why("stale_timer", key=event.key)
    elif wanted.get(line.id, line.rules) != line.rules and tries < TRIES:
        on.out(StartTimer(EDITED_TIMER, AGAIN, {**event.data, "tries": tries + 1}))
    else:
        _look(on)


def _look(on: Decision) -> None:
    was = due_of(on.session)
    on.keep_promises(*wake(on.session, on.now, on.line))
    if on.session.owner == "queue" and due_of(on.session) != was:
        queue(on)
