"""Cards of clients: joined so that nothing is lost, and taken apart again exactly. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from core.effects import UpdateClient

Card = dict[str, Any]
JOIN = "_join"  # the newest join that made the card; flows cannot name what begins with an underscore
INTO = "_into"  # what is left of a client who became part of another
_OURS = frozenset({"id", "verified", JOIN, INTO})


class Written(msgspec.Struct, frozen=True, array_like=True):
    """What a conversation wrote last into a name of a joined card."""

    conversation: int
    name: str
    value: Any
    verified: bool
    at: float
    order: int


def write_card(card: Card, effect: UpdateClient) -> Card:
    """The card with new values. What the messenger proved is never replaced by what was typed."""
    verified = set(card.get("verified", ()))
    values = {name: value for name, value in effect.values.items() if name in effect.verified or name not in verified}
    return {**card, **values, "id": card.get("id", 0), "verified": sorted(verified | set(effect.verified))} | {
        name: card[name] for name in (JOIN, INTO) if name in card
    }


def join_cards(kept: Card, gone: Card, newer: Card, join: int) -> Card:
    """One card of two: verified beats typed, then `newer` (one of the two) beats the other, and nothing beats something."""
    older = gone if newer is kept else kept
    names = [name for name in dict.fromkeys([*kept, *gone]) if name not in _OURS]
    winners = {name: _winner(name, newer, older) for name in names}
    card = {name: winner[name] for name, winner in winners.items()}
    verified = sorted(name for name, winner in winners.items() if name in winner.get("verified", ()))
    return {"id": kept["id"], **card, "verified": verified, JOIN: join}


def _winner(name: str, newer: Card, older: Card) -> Card:
    if not _has(older, name):
        return newer if name in newer else older
    if not _has(newer, name):
        return older
    proved = [card for card in (newer, older) if name in card.get("verified", ())]
    return proved[0] if len(proved) == 1 else newer


def _has(card: Card, name: str) -> bool:
    return card.get(name) not in (None, "")


def rest_of(gone: int, kept: int) -> Card:
    """What is left of the card of a client who became part of another."""
    return {"id": gone, "verified": [], INTO: kept}


def part_of(card: Card) -> int:
    """The client that this one became part of; 0 for one who stands alone."""
    return int(card.get(INTO, 0))


def note_written(written: Iterable[Written], conversation: int, effect: UpdateClient, at: float) -> list[Written]:
    """What conversations wrote, with a new write: only the last word on each name, unless it was typed over a proved one."""
    known = {(it.conversation, it.name): it for it in written}
    order = max((it.order for it in known.values()), default=0)
    for name, value in effect.values.items():
        before, proved = known.get((conversation, name)), name in effect.verified
        if proved or before is None or not before.verified:
            order += 1
            known[conversation, name] = Written(conversation, name, value, proved, at, order)
    return list(known.values())


def replay_written(card: Card, written: Iterable[Written]) -> Card:
    """The card with what was written since, in the order in which it was."""
    for it in sorted(written, key=lambda it: it.order):
        card = write_card(card, UpdateClient({it.name: it.value}, (it.name,) if it.verified else ()))
    return card
