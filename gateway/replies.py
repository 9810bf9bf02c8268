"""Canned replies at work: what their variables stand for in a conversation, and what keeps one from being sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.book import Book
from bot.engine.collected import known_texts
from core.accounts import User
from core.conversation import Conversation
from core.normal import normal
from core.ports import Store
from core.turn import Facts
from handoff.replies import Filled, Hole, fill, key_of, left_open, parse_reply
from storage.rows import Row


async def values_of(
    store: Store, book: Book | None, conversation: Conversation, operator: User, line: str, now: datetime
) -> dict[str, str]:
    """What is known in a conversation, by `key_of` the names under which replies ask for it. `line` is its title."""
    card = await store.client(conversation.client) or {}
    known = known_texts(book, conversation, now, Facts(card, {})) if book is not None else {}
    known |= conversation.session.packet
    known |= {f"client.{name}": _plain(value) for name, value in card.items() if name not in ("id", "verified")}
    known |= {"operator.title": operator.title, "operator.name": operator.name, "line.title": line}
    tickets = await store.tickets(client=conversation.client, limit=1)
    for ticket in tickets:
        known = {**ticket.fields, **known}
        known |= {"ticket.number": str(ticket.number), "ticket.title": ticket.title}
    return {key_of(name): text for name, text in known.items() if text}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def filled(row: Row, values: Mapping[str, str]) -> Filled:
    return fill(parse_reply(row["text"]), values)


def open_in(row: Row, text: str) -> tuple[str, ...]:
    """Variables of a reply that a text made of it still shows in braces."""
    return left_open(parse_reply(row["text"]), text)


def variables(text: str) -> list[str]:
    """The names of a template's variables. Raises `handoff.replies.BadReply`."""
    return [part.name for part in parse_reply(text) if isinstance(part, Hole)]


def rank(row: Row, q: str) -> tuple[int, int] | None:
    """How well a reply fits what was typed, best first; None when it does not."""
    said, shortcut = normal(q.lstrip("/")), normal(row["shortcut"])
    if not said or shortcut == said:
        return (0, -row["uses"])
    if shortcut.startswith(said):
        return (1, -row["uses"])
    words = normal(row["title"]) + " " + normal(row["text"])
    return (2, -row["uses"]) if all(word in words for word in said.split()) else None
