"""One event, one turn. Pure and total: any event in any state gives a next state and effects, never an exception."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.engine.borrowing import on_loan_asked, on_loan_stopped
from bot.engine.calls import on_call_done, on_line_answer, replay_kept
from bot.engine.codes import answers_code, concerns_codes
from bot.engine.editing import on_field_given
from bot.engine.listen import flush, on_message
from bot.engine.moving import on_move_asked, on_moved
from bot.engine.outside import on_delivery_failed, on_opened, on_outside, on_reachability, on_ticket_changed
from bot.engine.presses import on_press
from bot.engine.runs import lost, restart, settle
from bot.engine.silence import KEY as SILENCE
from bot.engine.silence import on_silence, set_timer
from bot.engine.walk import Walk
from core.conversation import Conversation, Run
from core.events import (
    CallDone,
    DeliveryFailed,
    Event,
    FieldGiven,
    LineAnswer,
    LoanAsked,
    LoanStopped,
    Message,
    MoveAsked,
    Moved,
    Opened,
    Outside,
    Press,
    Reachability,
    TicketChanged,
    TimerFired,
)
from core.turn import Facts, Turn

if TYPE_CHECKING:
    from bot.book import Book


def step(book: Book, conversation: Conversation, event: Event, now: datetime, facts: Facts) -> Turn:
    """What the bot makes of an event. `now` is aware, in the deployment's time zone; the arguments are left as they are.

    Asked for: every event that is the bot's, and `LineAnswer`. Events that mean nothing to a bot change nothing.
    """
    walk = Walk(book, conversation, now, facts)
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        run = walk.talk.run
        if run is not None and not walk.mute and isinstance(event, _TO_RUN) and _is_lost(walk, run, event):
            restart(walk)
            settle(walk)
        else:
            handler(walk, event)
        replay_kept(walk)
        set_timer(walk)
    return Turn(walk.conversation, tuple(walk.effects), tuple(walk.trace))


def _on_timer(walk: Walk, event: TimerFired) -> None:
    if event.key == SILENCE:
        on_silence(walk, event)
        settle(walk)
    elif event.key == "pieces":
        flush(walk)


def _is_lost(walk: Walk, run: Run, event: Event) -> bool:
    """Whether the event finds its run without a version; what is about codes is no event of the run."""
    return lost(walk, run) and not (answers_code(event) or concerns_codes(walk.book, event))


# Events that act on the live run: when its version is gone, any of them begins it anew.
_TO_RUN = (Message, Press, Opened, TimerFired, CallDone, LineAnswer)
_HANDLERS: dict[type, Callable[[Walk, Any], None]] = {
    Message: on_message,
    Press: on_press,
    Opened: on_opened,
    TimerFired: _on_timer,
    CallDone: on_call_done,
    LineAnswer: on_line_answer,
    Outside: on_outside,
    TicketChanged: on_ticket_changed,
    DeliveryFailed: on_delivery_failed,
    Reachability: on_reachability,
    MoveAsked: on_move_asked,
    Moved: on_moved,
    LoanAsked: on_loan_asked,
    LoanStopped: on_loan_stopped,
    FieldGiven: on_field_given,
}
