"""What people keep on a card beside what flows keep: a tier, and tags under names that no flow can spell. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.normal import clean
from storage.codec import encode

Card = dict[str, Any]

TIER = "tier"  # flows may read it: `client.tier`
TAG = "_tag:"
LONGEST_WORDS = 300  # characters, so that they fit into an index
_FOUND_BY = ("name", "username", "phone", "email")


def card_columns(card: Card) -> dict[str, Any]:
    """The columns of `clients` that follow the card: `card`, `phone`, `words`, `tier`."""
    return {
        "card": encode(card),
        "phone": str(card.get("phone") or ""),
        "words": words_of(card),
        "tier": str(card.get(TIER) or ""),
    }


def words_of(card: Card) -> str:
    """What a client is found by, folded."""
    return fold(" ".join(str(card.get(name) or "") for name in _FOUND_BY))[:LONGEST_WORDS]


def fold(text: str) -> str:
    """Small letters, ё as е, single spaces; signs stay, so that a phone or an address can be found by a part."""
    return " ".join(clean(text).lower().replace("ё", "е").split())


def tags_of(card: Card) -> tuple[str, ...]:
    return tuple(sorted(name.removeprefix(TAG) for name, value in card.items() if name.startswith(TAG) and value))


def tag_values(card: Card, tags: Iterable[str]) -> dict[str, Any]:
    """The values that make these the tags of the card. A tag that was taken away stays as an empty name: two cards that
    are joined have what one of them has, and each knows what was taken from it."""
    wanted = set(tags)
    gone = {TAG + tag: "" for tag in tags_of(card) if tag not in wanted}
    return gone | {TAG + tag: 1 for tag in sorted(wanted.difference(tags_of(card)))}
