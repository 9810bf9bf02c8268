"""`event`: something happens that is not a text: the first message, a file, a ticket's change, an outside call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.expressions import Expression
from bot.loader import Node, Scalar
from bot.model import Trigger
from bot.shapes import EXPRESSION, Key, OneOf, Reader, Schema, Unread
from core.locale import n_

EVENTS = ("first_message", "message", "file", "contact", "ticket_changed", "ticket_solved", "session_closed")
OUTSIDE = "webhook."


@dataclass(frozen=True, slots=True)
class EventName:
    """One of `EVENTS`, or `webhook.<name>`."""

    told: ClassVar[str] = n_("event")

    def read(self, node: Node, reader: Reader) -> str | Unread:
        text = node.text if isinstance(node, Scalar) else ""
        return text if is_event(text) else OneOf((*EVENTS, f"{OUTSIDE}<name>")).read(node, reader)

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": list(EVENTS)}, {"type": "string", "pattern": r"^webhook\..+$"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrigger(Trigger):
    """`event` is one of `EVENTS` or `webhook.<name>`; `where` must hold for it to count."""

    word: ClassVar[str] = "event"
    level: ClassVar[int] = 7
    about: ClassVar[str] = n_("something happens that is not a text")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("event", "event", EventName(), required=True, about=n_("what happens")),
        Key("where", "where", EXPRESSION, about=n_("counts only when this is true")),
    )
    event: str
    where: Expression | None = None


def is_event(name: str) -> bool:
    """Whether a flow may wait for it."""
    return name in EVENTS or (name.startswith(OUTSIDE) and len(name) > len(OUTSIDE))
