"""Words of an operator: a reply to the client, a note for the colleagues."""

from __future__ import annotations

from core.effects import Note, Send
from core.events import OperatorAct
from core.messages import Outgoing
from core.normal import clean
from core.rich import plain
from handoff.acts.act import Act
from handoff.decision import Decision


def _reply(on: Decision, event: OperatorAct) -> None:
    on.move("reply", event.operator, "reply")
    on.out(Send(Outgoing(plain(clean(event.text)), quote=event.quote), "operator", event.operator))


def _nothing_said(_: Decision, event: OperatorAct) -> str:
    return "" if clean(event.text).strip() else "empty"


def _note(on: Decision, event: OperatorAct) -> None:
    on.out(Note(clean(event.text), event.operator))


REPLY = Act(_reply, move="reply", against=_nothing_said)
NOTE = Act(_note, owner=False, fresh=False, against=_nothing_said)
