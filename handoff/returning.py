"""Clients who write again: which session that is, and who greets them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from core.conversation import Conversation
from core.events import Event, Message, Opened, Press
from handoff import notices
from handoff.decision import Decision, enqueue
from handoff.hours import is_open
from handoff.lines import House
from handoff.session import open_session

RETURNING = "returning"  # in the memory of a new session: the line that greets


def begin(house: House, conversation: Conversation, now: datetime) -> Conversation:
    """The conversation with the session that a client's doing belongs to. A line that wants to greet must be open."""
    line = house.lines.get(conversation.session.line)
    begun = open_session(conversation, now, line.continue_within if line is not None else 0.0)
    session = begun.session
    if begun is conversation or line is None or not session.continues or line.returning != "line":
        return begun
    if not is_open(line.hours, now):
        return begun
    memory = {**session.memory, RETURNING: line.id}
    return msgspec.structs.replace(begun, session=msgspec.structs.replace(session, memory=memory))


def returns(conversation: Conversation, event: Event) -> bool:
    """Whether the line is to hear this first."""
    return RETURNING in conversation.session.memory and isinstance(event, Message | Press | Opened)


def welcome_back(on: Decision) -> None:
    """The session of a client who comes back goes to its line at once: nobody has to explain anything to the bot again."""
    line = on.house.lines.get(str(on.session.memory.get(RETURNING, "")))
    if line is None or on.session.owner != "bot":
        return
    on.remember(**{RETURNING: None})
    note = on.t("The client goes on with session {number}.", number=on.session.continues)
    enqueue(on, line, "client", "returning", note=note, priority="")
    on.out(notices.queued(on.house, line.title))
