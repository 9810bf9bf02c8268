"""What a client thinks of a session: from 1 to 5, once, by a button or typed where there are none."""

from __future__ import annotations

import msgspec

from core.conversation import Conversation, Session
from core.effects import Record
from core.events import Event, Message, Press
from handoff import notices
from handoff.decision import Decision
from handoff.session import RATE

BEST = 5


def pressed(session: Session, event: Press) -> bool:
    """Whether a button of the question was pressed that still waits for its answer."""
    about = session.memory.get(RATE)
    return about is not None and event.token in {
        f"{notices.RATE_BUTTON}{about['session']}.{n}" for n in range(1, BEST + 1)
    }


def typed(conversation: Conversation, event: Event) -> bool:
    """Whether a message answers the question: nothing but a digit, before anything else is begun."""
    session = conversation.session
    if session.status != "closed" or RATE not in session.memory or conversation.talk.run is not None:
        return False
    return isinstance(event, Message) and event.text in {str(n) for n in range(1, BEST + 1)}


def rate(on: Decision, rating: int) -> None:
    """The record names the session that was rated: the client may have begun another one since."""
    about = on.session.memory[RATE]
    if about["session"] == on.session.number:
        on.put(msgspec.structs.replace(on.session, rating=rating))
    on.remember(**{RATE: None})
    on.out(Record("rated", {**about, "rating": rating}), notices.thanks(on.house))
