"""What is known of a client's matter: fields that flows collected, that people put right, that the card holds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bot.engine.ground import COLLECTED, EDITED, LENT, Ground
from bot.model import Field
from bot.rules import CARD, card_value
from core.conversation import Conversation, Run
from core.turn import Facts

if TYPE_CHECKING:
    from bot.book import Book


class Known(msgspec.Struct, frozen=True):
    """A collected field as people see it. `by` is `bot`, or who wrote it last: `user:7`; `type` is empty for a field that no
    flow has any more."""

    label: str
    text: str
    by: str = "bot"
    type: str = ""
    private: bool = False


def known_fields(book: Book, conversation: Conversation, now: datetime, facts: Facts) -> list[Known]:
    """All that was collected in the talk, in the order in which it was asked."""
    ground = Ground(book, conversation, now, facts)
    edited, kinds = ground.talk.memory.get(EDITED, {}), fields_by_label(book)
    found = []
    for label, text in known_in(ground).items():
        field = kinds.get(label)
        kind, private = (field.type, field.private) if field is not None else ("", False)
        who, wrote = edited.get(label, ("bot", text))
        found.append(Known(label, text, who if wrote == text else "bot", kind, private))
    return found


def known_texts(book: Book, conversation: Conversation, now: datetime, facts: Facts) -> dict[str, str]:
    """Label → text of what was collected, and of what the client's card knows under the label of any field."""
    ground = Ground(book, conversation, now, facts)
    known = {label.capitalize(): str(ground.client[path]) for label, path in CARD.items() if ground.client.get(path)}
    known |= {label: text for label, field in fields_by_label(book).items() if (text := card_value(ground, field))}
    return known | known_in(ground)


def known_in(ground: Ground) -> dict[str, str]:
    """Label → text of what the talk has collected; the latest wins."""
    known: dict[str, str] = dict(ground.talk.memory.get(COLLECTED, {}))
    for run in runs_of(ground):
        known.update(ground.collected(run))
    return known


def runs_of(ground: Ground) -> list[Run]:
    """Every run of the talk, the oldest first: what a digression suspended, what a loan put aside."""
    lent: dict[str, Any] = ground.talk.memory.get(LENT, {})
    aside = [msgspec.convert(lent[name], Run) for name in ("suspended", "run") if lent.get(name) is not None]
    return [*aside, *(run for run in (ground.talk.suspended, ground.talk.run) if run is not None)]


def fields_by_label(book: Book) -> dict[str, Field]:
    """The fields of all flows that serve now, by what people call them."""
    return {field.label: field for flow in book.flows.values() for field in flow.flow.fields.values()}
