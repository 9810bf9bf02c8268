"""A session's life: one machine with all legal moves, and the one function that makes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast

import msgspec

from core.conversation import Conversation, Owner, Session, Status
from core.effects import Record
from core.machine import Illegal, Machine

# What may happen to a session while a person has it, wherever it stands.
OF_OWNERS = (
    ("reply", "waiting"),  # waiting for the client
    ("client", "assigned"),  # the client has said something, also while the session was put aside
    ("hold", "held"),
    ("loan", "waiting"),  # the bot asks something for the person
    ("take_over", "assigned"),  # by a supervisor
    ("return", "queued"),
    ("release", "queued"),  # by the house: the person is away
    ("transfer", "queued"),
    ("send_back", "queued"),  # a transfer that should not have come
    ("to_bot", "bot"),
    ("close", "closed"),
)
OWNED = ("assigned", "waiting", "held")  # a person has it: the word is theirs, the client's, or nobody's for a while
# From `closed` nothing leads on: who writes again opens the next session, in the machine's first state.
LIFE = Machine(
    ("bot", "queued", "assigned", "waiting", "held", "closed"),
    [
        ("queue", "bot", "queued"),  # a flow, or a failure, gives the session to a line
        ("queue", "queued", "queued"),  # … to another line
        ("leave", "queued", "bot"),  # the client does not want to wait
        ("busy", "queued", "bot"),  # nobody took it in time
        ("take", "queued", "assigned"),
        ("take", "bot", "assigned"),
        ("transfer", "queued", "queued"),  # a supervisor moves who waits to another line
        *(("assign", state, "assigned") for state in ("bot", "queued", *OWNED)),  # to a person, by somebody else
        ("unhold", "held", "assigned"),
        ("loan_over", "waiting", "assigned"),
        *((move, state, target) for state in OWNED for move, target in OF_OWNERS),
    ],
)

RATE = "rate"  # in the memory of a session: the rating that a client was asked for, and of what

OWNERS: dict[str, Owner] = {
    "bot": "bot",
    "queued": "queue",
    "assigned": "operator",
    "waiting": "operator",
    "held": "operator",
    "closed": "bot",
}


class Moved(NamedTuple):
    """The session after a move, and the fact for reports."""

    session: Session
    record: Record


def may(session: Session, event: str) -> bool:
    """Whether the move is legal now."""
    return LIFE.target(session.status, event) is not None


def move(session: Session, event: str, now: datetime, who: str, why: str, **changes: Any) -> Moved:
    """Make one move, with `changes` of the session's other fields. Raises `Illegal`.

    `who` is an operator's id, `client`, `flow`, `clock`, `router` or `house`. The epoch grows exactly when the owner changes:
    the bot, the queue of one line, one operator. Nobody else writes status, owner or epoch.
    """
    if LIFE.target(session.status, event) is None:
        raise Illegal(f"{event} from {session.status}")
    status = cast(Status, LIFE.fire(session.status, event))
    after = msgspec.structs.replace(session, status=status, owner=OWNERS[status], last_at=now.timestamp(), **changes)
    if owner(after) != owner(session):
        after = msgspec.structs.replace(after, epoch=session.epoch + 1)
    data = {
        "session": after.number,
        "move": event,
        "from": session.status,
        "to": status,
        "who": who,
        "why": why,
        "epoch": after.epoch,
        "line": after.line or session.line,
        "operator": after.operator or session.operator,
    }
    if session.owner != "bot" and after.owner != "bot" and after.epoch != session.epoch:
        data |= {"from_line": session.line, "from_operator": session.operator}
    if status == "closed" and after.category:
        data["category"] = after.category
    return Moved(after, Record("session_moved", data))


def owner(session: Session) -> tuple[str, str]:
    """Who owns the session, told apart as far as the epoch does: line by line, operator by operator."""
    name = {"queue": session.line, "operator": session.operator}.get(session.owner, "")
    return session.owner, name


def open_session(conversation: Conversation, now: datetime, within: float = 0.0) -> Conversation:
    """A new session for the first message ever or after a close; otherwise the conversation as it is.

    A session that was closed at most `within` seconds ago is continued by the new one. One whose rating is still awaited
    leaves that to the new one, too: clients say thanks first.
    """
    session, at = conversation.session, now.timestamp()
    if session.number and session.status != "closed":
        return conversation
    continues = session.number if session.closed_at and at - session.closed_at <= within else 0
    asked = {RATE: session.memory[RATE]} if RATE in session.memory else {}
    fresh = Session(
        session.number + 1, epoch=session.epoch, opened_at=at, last_at=at, memory=asked, continues=continues
    )
    return msgspec.structs.replace(conversation, session=fresh)


def opened(conversation: Conversation, line: str) -> Record:
    """The fact that the conversation's session has begun. `line` is the channel's, `seq` the history's last place before."""
    session = conversation.session
    data = {
        "session": session.number,
        "channel": conversation.channel,
        "client": conversation.client,
        "line": line,
        "seq": conversation.seq,
    }
    return Record("session_opened", data | ({"continues": session.continues} if session.continues else {}))
