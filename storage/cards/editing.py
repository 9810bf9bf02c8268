"""People write on a card, and about a client. Every edit of theirs goes through here and is kept with who and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.effects import UpdateClient
from storage.cards.card import TAG, Card, tags_of
from storage.cards.reading import version_of
from storage.cards.statements import ADD_EDIT, ADD_NOTE
from storage.cards.telling import tell_client
from storage.codec import encode
from storage.joining.cards import part_of, write_card
from storage.joining.rules import note_write
from storage.ledger import Ledger
from storage.work.units import asked


class CardChanged(Exception):
    """The card is not what was seen: somebody, or the bot, has written on it since."""


class NotAlone(Exception):
    """The client has become part of another."""


class Proved(ValueError):
    """What the messenger proved is not changed by hand; the text is the name."""


class By(NamedTuple):
    """Who writes, from which of the client's conversations (0: from none), and why."""

    author: str
    conversation: int = 0
    reason: str = ""


def edit_card(ledger: Ledger, client: int, version: str, values: Mapping[str, Any], by: By, now: float) -> Card:
    """Write values into names of the card as it was seen. Raises LookupError, `CardChanged`, `NotAlone`, `Proved`."""
    card = _card(ledger, client)
    if version_of(card) != version:
        raise CardChanged
    changes = {name: value for name, value in values.items() if (card.get(name) or "") != value}
    for name in changes:
        if name in card.get("verified", ()):
            raise Proved(name)
    if not changes:
        return card
    effect = UpdateClient(changes)
    note_write(ledger, card, by.conversation, effect, now)
    fresh = write_card(card, effect)
    ledger.rows.save_card(client, fresh)
    if any(name.startswith(TAG) for name in changes):
        ledger.rows.save_tags(client, tags_of(fresh))
    _keep_edits(ledger, client, card, changes, by, now)
    tell_client(ledger, client, now, {"what": "card", "names": [_shown(name) for name in changes], "by": by.author})
    return fresh


def _card(ledger: Ledger, client: int) -> Card:
    """The card, ours until the end of the unit."""
    if ledger.rows.known_card(client) is None:
        raise LookupError(client)
    card = ledger.rows.card(client, own=True)
    if part_of(card):
        raise NotAlone
    return card


def _shown(name: str) -> str:
    return "tags" if name.startswith(TAG) else name


def _keep_edits(ledger: Ledger, client: int, card: Card, changes: Mapping[str, Any], by: By, now: float) -> None:
    for name, value in changes.items():
        asked(ledger).run(
            ADD_EDIT,
            client=client,
            conversation=by.conversation,
            at=now,
            author=by.author,
            name=name,
            was=encode(card.get(name)),
            now=encode(value),
            reason=by.reason,
        )


def add_note(ledger: Ledger, client: int, text: str, by: By, now: float) -> None:
    """A note about the client, for colleagues only. Raises LookupError, `NotAlone`."""
    _card(ledger, client)
    row = {"client": client, "conversation": by.conversation, "at": now, "author": by.author, "text": text}
    asked(ledger).run(ADD_NOTE, **row)
    tell_client(ledger, client, now, {"what": "note", "by": by.author})
