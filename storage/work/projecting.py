"""After every turn: the row of the session that lists read, and a line of the feed for those who watch."""

from __future__ import annotations

from typing import Any

import msgspec

from core.conversation import Conversation, Session
from core.effects import Record
from core.events import ColleagueReply, Edited, Event, Message, Opened, OperatorAct, Press
from core.ports import Done
from storage.codec import encode
from storage.ledger import Ledger
from storage.routing.following import follow
from storage.rows import Row
from storage.work.schema import NEVER

_WORDS = (Message, Press, Opened, Edited, ColleagueReply)
ALARMS = {"sla_warned": "warned", "sla_missed": "missed"}  # facts of the clocks → what the feed says
URGENCY = "urgency"  # in the session's memory: its priority as a number


def project(ledger: Ledger, before: Session, after: Conversation, done: list[Done], now: float) -> None:
    """Follow a conversation from the session `before` its turn. A talk with the bot alone costs nothing but its beginning."""
    session = after.session
    if not session.number:
        return
    changed, spoken = _changed(before, session), any(_is_said(it.pending.event) for it in done)
    if changed:
        if before.number and before.number != session.number:
            ledger.rows.put_session(session_row(after, before, now, current=0))
        ledger.rows.put_session(session_row(after, session, now, said=spoken))
        follow(ledger, before, after, done, now)
    elif session.owner != "bot" and spoken:
        ledger.rows.put_session(session_row(after, session, now, said=True) | {"moved_at": session.last_at})
    if session.owner != "bot" or before.owner != "bot":
        what = [it.pending.event.__struct_config__.tag for it in done]
        moved = {"from": [before.line, before.operator], "now": _stand(session)} if changed else {}
        tell(ledger, after, "session" if changed else "message", now, {"seq": after.seq, "what": what, **moved})
        _tell_alarms(ledger, after, done, now)


def _tell_alarms(ledger: Ledger, after: Conversation, done: list[Done], now: float) -> None:
    """A promise that is about to be broken, or is, is told to whoever leads the line."""
    for effect in (effect for it in done for effect in it.effects):
        if isinstance(effect, Record) and effect.kind in ALARMS:
            about = {name: effect.data[name] for name in ("session", "promise", "due")}
            tell(ledger, after, "alarm", now, {"alarm": ALARMS[effect.kind], **about})


def _changed(before: Session, after: Session) -> bool:
    """Whether anything but the time of the last move is new."""
    if before is after:
        return False
    return before != msgspec.structs.replace(after, last_at=before.last_at)


def _stand(session: Session) -> dict[str, Any]:
    """What a change of the session came to: later its row says something else."""
    names = ("number", "status", "owner", "epoch", "category", "rating")
    return {name: getattr(session, name) for name in names if getattr(session, name)}


def _is_said(event: Event) -> bool:
    """Whether an event is a word between the client and people, which brings a session to the top of lists."""
    return isinstance(event, _WORDS) or (isinstance(event, OperatorAct) and event.act == "reply")


def session_row(home: Conversation, session: Session, now: float, current: int = 1, said: bool = False) -> Row:
    """A session as a row of `sessions`. `said`: somebody has said something just now; else `last_at` stays what it was."""
    due = float(session.sla.get("due", 0.0))
    return {
        "conversation": home.id,
        "number": session.number,
        "current": current,
        "client": home.client,
        "channel": home.channel,
        "status": session.status,
        "owner": session.owner,
        "line": session.line,
        "operator": session.operator,
        "epoch": session.epoch,
        "priority": int(session.memory.get(URGENCY, 0)),
        "opened_at": session.opened_at,
        "queued_at": session.queued_at,
        "assigned_at": session.assigned_at,
        "first_reply_at": session.first_reply_at,
        "moved_at": now,
        "closed_at": session.closed_at,
        "due": due,
        "category": session.category,
        "rating": session.rating,
        "state": encode(session),
        "last_at": now if said else session.opened_at,
        "order_due": due if due > 0 and session.status != "closed" else NEVER,
    }


def tell(ledger: Ledger, home: Conversation, kind: str, now: float, data: dict[str, Any], person: str = "") -> None:
    """A line of the feed about a conversation. `data` is small: places and marks, never what was said."""
    write_feed(
        ledger,
        {
            "at": now,
            "kind": kind,
            "conversation": home.id,
            "client": home.client,
            "channel": home.channel,
            "line": home.session.line,
            "operator": home.session.operator,
            "person": person,
            "data": encode(data),
        },
    )


def write_feed(ledger: Ledger, row: Row) -> None:
    """A line of the feed, numbered when it is read. Columns as in `storage.work.schema.feed`, without `id` and `seq`."""
    ledger.rows.insert("feed", {**row, "seq": 0})
    ledger.unit.fed = True
