"""Fields of the card: what flows keep there, read and shown as the flows' own types do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bot.book import Book
from bot.engine.ground import Ground
from bot.fields import Accepted, Unclear, Wrong, kind_of
from bot.heard import Heard
from bot.model import Field
from bot.show import shown
from core.conversation import Conversation
from core.findings import Position
from core.locale import n_, texts
from core.turn import Facts
from gateway.api.models_clients import CardField, ContactView
from gateway.api.problems import Problem
from gateway.api.route import Call
from storage.cards.card import TAG, TIER, Card

OURS = frozenset({"id", "verified", "name", "username", "language", "channel", TIER})  # shown in places of their own
BY_HAND = frozenset({"photo", "file", "location", "contact"})  # types that nobody can type
CONTACTS = ("phone", "email")


def kept_fields(book: Book | None) -> dict[str, Field]:
    """Name on the card → the field that keeps it. Phone and e-mail are there even where no flow asks for them."""
    found: dict[str, Field] = {}
    for flow in book.flows.values() if book is not None else ():
        for field in flow.flow.fields.values():
            if field.keep:
                found.setdefault(field.keep.removeprefix("client."), field)
    for name in CONTACTS:
        found.setdefault(name, _plain(name))
    return found


def _plain(name: str) -> Field:
    """A field that no flow has: its name is its type."""
    return Field(name=name, at=Position(""), label=name, ask=None, type=name)  # type: ignore[arg-type]


def card_fields(call: Call, card: Card) -> list[CardField]:
    """What is known of the client, what could be known of them included."""
    kept, language = kept_fields(call.floor.book()), call.floor.config.language
    names = [name for name in card if name not in OURS and not name.startswith("_")]
    verified = card.get("verified", ())
    found = []
    for name in dict.fromkeys([*kept, *names]):
        if name in OURS:
            continue
        field, value = kept.get(name), card.get(name)
        hand = field is not None and field.type not in BY_HAND and name not in verified
        label, type = (field.label, field.type) if field is not None else (name, "")
        text = _text(field, value, language)
        found.append(CardField(name=name, label=label, type=type, value=value, text=text, editable=hand))
    return found


def _text(field: Field | None, value: Any, language: str) -> str:
    if value in (None, ""):
        return ""
    return shown(value, language) if field is None else kind_of(field).show(field, value, texts(language))


def contacts_of(card: Card) -> list[ContactView]:
    """Phone and e-mail, and whether the messenger proved them."""
    verified = card.get("verified", ())
    return [
        ContactView(kind=kind, value=str(card[kind]), proof="messenger" if kind in verified else "typed")  # type: ignore[arg-type]
        for kind in CONTACTS
        if card.get(kind)
    ]


def read_fields(call: Call, given: Mapping[str, str | None], home: Conversation | None) -> dict[str, Any]:
    """Values of fields, read as the client's answers in the conversation `home` would be. Raises `Problem` that names each
    that is none."""
    kept, wrong = kept_fields(call.floor.book()), []
    values: dict[str, Any] = {}
    for name, text in given.items():
        field = kept.get(name)
        if field is None or name in OURS or name.startswith(TAG) or field.type in BY_HAND:
            wrong.append({"pointer": f"/fields/{name}", "detail": n_("There is no such field that people can write.")})
        elif not (text or "").strip():
            values[name] = ""
        else:
            value, why = _read(call, field, str(text), home)
            values[name] = value
            wrong += [{"pointer": f"/fields/{name}", "detail": why}] if why else []
    if wrong:
        raise Problem("invalid", errors=wrong)
    return values


def _read(call: Call, field: Field, text: str, home: Conversation | None) -> tuple[Any, str]:
    """The value, or what is wrong with it."""
    t = texts(call.floor.config.language)
    now = call.floor.now().astimezone(ZoneInfo(call.floor.config.timezone))
    parsed = kind_of(field).parse(field, Heard(text), now, t)
    if isinstance(parsed, Accepted):
        book = call.floor.book()
        if book is None or home is None or not field.check:
            return parsed.value, ""
        broken = Ground(book, home, now, Facts({}, {})).broken_rule(field, parsed.value)
        return parsed.value, "" if broken is None else broken.text
    if isinstance(parsed, Unclear):
        return None, parsed.question
    return None, parsed.reason if isinstance(parsed, Wrong) else "This is no value of the field."
