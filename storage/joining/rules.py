"""Rules of joins: two clients become one and are what they were again. All conversations of both are locked, in id order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from core.conversation import Conversation
from core.effects import UpdateClient
from core.events import MoveAsked
from core.joins import How, Identity, JoinRefused
from storage.cards.card import tags_of
from storage.cards.telling import tell_client
from storage.codec import encode
from storage.joining.cards import (
    INTO,
    JOIN,
    Card,
    Written,
    join_cards,
    note_written,
    part_of,
    replay_written,
    rest_of,
)
from storage.joining.tables import JoinReads
from storage.ledger import Ledger
from storage.rows import Row, Rows

ORIGIN = "moved_from"  # a run that came from another conversation says so in the memory of its first frame


class Moved(msgspec.Struct, frozen=True):
    """What changed hands in a join."""

    conversations: tuple[int, ...] = ()
    identities: tuple[tuple[str, str, str], ...] = ()


_decode_moved = msgspec.json.Decoder(Moved).decode
_decode_written = msgspec.json.Decoder(list[Written]).decode


def moved_of(row: Row) -> Moved:
    return _decode_moved(row["moved"])


def homes_of(reads: JoinReads, clients: Sequence[int]) -> list[int]:
    """The conversations that a join of these clients changes, in the order in which they are locked."""
    return sorted({home for client in clients for home in reads.conversations_of(client)})


# --- joining ---------------------------------------------------------------------------------------------------------


def join(ledger: Ledger, one: int, other: int, how: How, by: str, proof: str = "") -> int:
    """Make one client of two; the number of the join. Raises `JoinRefused`, `Unlocked`."""
    rows = ledger.rows
    if one == other:
        raise JoinRefused("same", one)
    kept, gone = sorted((one, other))
    for client in (kept, gone):
        _require_whole(rows, client)
    homes = rows.conversations_of(gone)
    rows.require_locked(sorted([*homes, *rows.conversations_of(kept)]))
    kept_card, gone_card = (rows.card(client, own=True) for client in (kept, gone))
    id, newer = ledger.numbers.take("join"), gone_card if rows.spoke_at(gone) > rows.spoke_at(kept) else kept_card
    identities = rows.identities_of(gone)
    _hand_over(rows, homes, identities, gone, kept)
    _write_card(rows, kept, join_cards(kept_card, gone_card, newer, id))
    _write_card(rows, gone, rest_of(gone, kept))
    moved = Moved(tuple(homes), tuple((it.channel, it.account, it.sender) for it in identities))
    rows.save_join(_row(id, ledger.clock(), how, by, proof, kept, gone, kept_card, gone_card, moved))
    tell_client(ledger, kept, ledger.clock(), {"what": "joined", "join": id, "gone": gone})
    return id


def _write_card(rows: Rows, client: int, card: Card) -> None:
    rows.save_card(client, card)
    rows.save_tags(client, tags_of(card))


def _require_whole(reads: JoinReads, client: int) -> None:
    card = reads.known_card(client)
    if card is None:
        raise JoinRefused("unknown", client)
    if part_of(card):
        raise JoinRefused("part", part_of(card))


def _row(
    id: int,
    at: float,
    how: str,
    by: str,
    proof: str,
    kept: int,
    gone: int,
    kept_card: Card,
    gone_card: Card,
    moved: Moved,
    state: str = "done",
) -> Row:
    return {
        "id": id,
        "at": at,
        "how": how,
        "by": by,
        "proof": proof,
        "state": state,
        "kept": kept,
        "gone": gone,
        "kept_card": encode(kept_card),
        "gone_card": encode(gone_card),
        "moved": encode(moved),
        "written": b"[]",
        "undone_at": 0.0,
        "undone_by": "",
    }


def _hand_over(rows: Rows, homes: Sequence[int], identities: Sequence[Identity], was: int, client: int) -> None:
    """Conversations with their tickets, and identities, are another client's from now on."""
    for home in homes:
        conversation = _conversation(rows, home)
        if conversation.client == was:
            rows.give_conversation(conversation, client)
        rows.give_tickets(home, was, client)
    for identity in identities:
        rows.give_identity(identity, client)


def _conversation(rows: Rows, home: int) -> Conversation:
    found = rows.conversation(home)
    if found is None:
        raise LookupError(f"conversation {home} is gone")
    return found


# --- what is written on a joined card --------------------------------------------------------------------------------


def note_write(ledger: Ledger, card: Card, conversation: int, effect: UpdateClient, at: float) -> None:
    """A conversation writes on a card that was made of two: remember which. The card is locked."""
    if JOIN in card:
        _note(ledger.rows, int(card[JOIN]), lambda known: note_written(known, conversation, effect, at))


def _note(rows: Rows, join: int, change: Any) -> None:
    row = rows.join_row(join)
    if row is not None:
        rows.save_join(row | {"written": encode(change(_decode_written(row["written"])))})


# --- undoing ---------------------------------------------------------------------------------------------------------


def unjoin(ledger: Ledger, id: int, by: str) -> None:
    """Both clients are what they were, with what their own conversations wrote since. Raises `JoinRefused`, `Unlocked`."""
    rows = ledger.rows
    row = _require_undoable(rows, id)
    kept, gone, moved = row["kept"], row["gone"], moved_of(row)
    everywhere = rows.conversations_of(kept)
    rows.require_locked(everywhere)
    for client in (kept, gone):
        rows.card(client, own=True)
    row = _require_undoable(rows, id)
    homes = [home for home in everywhere if _is_theirs(_conversation(rows, home), moved)]
    taken_back = [it for it in rows.identities_of(kept) if (it.channel, it.account, it.sender) in moved.identities]
    _send_runs_home(ledger, everywhere, frozenset(homes), f"unjoin:{id}")
    _hand_over(rows, homes, taken_back, kept, gone)
    written = _decode_written(row["written"])
    for client, stored, its in (
        (kept, row["kept_card"], [it for it in written if it.conversation not in homes]),
        (gone, row["gone_card"], [it for it in written if it.conversation in homes]),
    ):
        _restore(rows, client, stored, its)
    rows.save_join(row | {"state": "undone", "undone_at": ledger.clock(), "undone_by": by})
    for home in homes:
        rows.give_written(home, kept, gone)
    for client in (kept, gone):
        tell_client(ledger, client, ledger.clock(), {"what": "unjoined", "join": id, "kept": kept, "gone": gone})


def _is_theirs(conversation: Conversation, moved: Moved) -> bool:
    """Whether a conversation changed hands, or began since with an identity that did."""
    begun = (conversation.channel, conversation.account, conversation.chat)
    return conversation.id in moved.conversations or begun in moved.identities


def _restore(rows: Rows, client: int, stored: bytes, written: list[Written]) -> None:
    card = msgspec.json.decode(stored, type=dict[str, Any])
    if JOIN in card and written:  # the join before it must know, too, who wrote what
        _note(rows, int(card[JOIN]), lambda known: _append(known, written))
    _write_card(rows, client, replay_written(card, written))


def _append(known: list[Written], written: list[Written]) -> list[Written]:
    for it in sorted(written, key=lambda one: one.order):
        effect = UpdateClient({it.name: it.value}, (it.name,) if it.verified else ())
        known = note_written(known, it.conversation, effect, it.at)
    return known


def _require_undoable(rows: JoinReads, id: int) -> Row:
    """Joins are undone the newest first: a later one stands on this one's cards."""
    row = rows.join_row(id)
    if row is None:
        raise JoinRefused("unknown", id)
    if row["state"] != "done":
        raise JoinRefused(row["state"], id)
    later = [it["id"] for it in rows.joins_of(row["kept"]) if it["id"] > id and it["state"] == "done"]
    if later:
        raise JoinRefused("later", max(later))
    return row


def _send_runs_home(ledger: Ledger, homes: Sequence[int], leaving: frozenset[int], key: str) -> None:
    """Runs that came over from the other client's conversations go back there."""
    for home in homes:
        talk = _conversation(ledger.rows, home).talk
        for run in (talk.run, talk.suspended):
            origin = int(run.frames[0].memory.get(ORIGIN, 0)) if run is not None else 0
            if origin in homes and (origin in leaving) != (home in leaving):
                asked = MoveAsked(origin, _conversation(ledger.rows, origin).channel, back=True)
                ledger.put_event(home, asked, f"{key}:{origin}")


# --- suggestions -----------------------------------------------------------------------------------------------------


def suggest(ledger: Ledger, one: int, other: int, why: str, phone: str) -> None:
    """Write down, once, that two clients may be one person."""
    rows = ledger.rows
    kept, gone = sorted((one, other))
    known = [
        row for row in rows.joins_of(gone) if (row["kept"], row["gone"], row["state"]) == (kept, gone, "suggested")
    ]
    if not known:
        id = ledger.numbers.take("join")
        proof = f"{why} {phone}"
        rows.save_join(_row(id, ledger.clock(), "phone", "", proof, kept, gone, {}, {}, Moved(), state="suggested"))


def match_phone(ledger: Ledger, client: int, phone: str) -> str:
    """Join the one other client whose messenger proved the same phone; several, or two proved names, only suggest."""
    rows = ledger.rows
    card = rows.known_card(client)
    if card is None or part_of(card) or not has_proved(card, phone):
        return "nobody"
    others = [it for it in rows.owners_of(phone) if it != client and has_proved(rows.known_card(it) or {}, phone)]
    if not others:
        return "nobody"
    why = _why_not(rows, client, card, others)
    if why:
        for other in others:
            suggest(ledger, client, other, why, phone)
        return why
    join(ledger, client, others[0], "phone", "", phone)
    return "joined"


def has_proved(card: Card, phone: str) -> bool:
    return card.get("phone") == phone and "phone" in card.get("verified", ())


def _why_not(rows: JoinReads, client: int, card: Card, others: list[int]) -> str:
    if len(others) > 1:
        return "several"
    other = rows.known_card(others[0]) or {}
    names = [it.get("name") for it in (card, other) if "name" in it.get("verified", ())]
    if len(set(names)) > 1:
        return "names"
    pair = {client, others[0]}
    if any({row["kept"], row["gone"]} == pair and row["state"] == "undone" for row in rows.joins_of(client)):
        return "undone"  # people have said that they are two
    return ""


# --- what is left of a client ----------------------------------------------------------------------------------------


def stands_alone(card: Card) -> bool:
    """Whether the client is one, not a part of another."""
    return INTO not in card
