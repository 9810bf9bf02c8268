"""Words of an operator: a reply to the client, a note for the colleagues."""

from __future__ import annotations

from core.effects import Note, Send, StartTimer
from core.events import OperatorAct
from core.messages import Outgoing
from core.normal import clean
from core.rich import plain
from handoff.acts.act import Act
from handoff.acts.transferring import accepted
from handoff.decision import IDLE, IDLE_TIMER, Decision, mark


def _reply(on: Decision, event: OperatorAct) -> None:
    """The client has the word. An answer accepts the transfer that brought the session."""
    accepted(on, event)
    now = on.now.timestamp()
    on.move("reply", event.operator, "reply", first_reply_at=on.session.first_reply_at or now)
    files = tuple(attachment.file for attachment in event.attachments if attachment.file)
    on.out(Send(Outgoing(plain(clean(event.text)), files=files, quote=event.quote), "operator", event.operator))
    line = on.line(on.session.line)
    if line is not None and line.idle_close:
        on.remember(**{IDLE: now})
        on.out(StartTimer(IDLE_TIMER, line.idle_warn, {**mark(on), "since": now}))


def _nothing_said(_: Decision, event: OperatorAct) -> str:
    return "" if event.attachments or clean(event.text).strip() else "empty"


def _note(on: Decision, event: OperatorAct) -> None:
    """`mention` in the data are those whom it calls: `user:7`; a supervisor whispers to the owner so."""
    to = event.data.get("mention", ())
    called = tuple(one for one in to if isinstance(one, str)) if isinstance(to, list | tuple) else ()
    on.out(Note(clean(event.text), event.operator, called))


REPLY = Act(_reply, move="reply", against=_nothing_said)
NOTE = Act(_note, owner=False, fresh=False, against=_nothing_said)
