"""What happens when time goes by while a person has the session: the client does not answer, a hold ends."""

from __future__ import annotations

from core.effects import StartTimer
from core.events import TimerFired
from handoff import notices
from handoff.acts.closing import end
from handoff.decision import HELD, IDLE, IDLE_TIMER, Decision, mark


def silent(on: Decision, event: TimerFired) -> None:
    """First the client is asked, then the session is closed as abandoned: `why` is `idle`, so that it is counted apart."""
    line, since = on.line(on.session.line), event.data.get("since")
    if not _is_of(on, event) or on.session.memory.get(IDLE) != since or line is None or not line.idle_close:
        on.why("stale_timer", key=event.key)
    elif event.data.get("asked"):
        end(on, "clock", "idle", notices.given_up(on.house))
    else:
        on.out(notices.still_there(on.house))
        left = max(line.idle_close - line.idle_warn, 0.0)
        on.out(StartTimer(IDLE_TIMER, left, {**mark(on), "since": since, "asked": True}))


def held_out(on: Decision, event: TimerFired) -> None:
    """What was put aside until now is there again."""
    if _is_of(on, event) and on.session.memory.get(HELD) == event.data.get("until"):
        on.move("unhold", "clock", "time")
    else:
        on.why("stale_timer", key=event.key)


def _is_of(on: Decision, event: TimerFired) -> bool:
    """Whether the timer was set in this session, while the same person had it."""
    return all(event.data.get(name) == value for name, value in mark(on).items())
