"""What the rules of joins ask of the tables: the same questions for SQL and for the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from core.conversation import Conversation
from core.joins import Identity
from storage.codec import decode_dict

Row = dict[str, Any]  # as in `storage.rows`, which builds on this


class Unlocked(ValueError):
    """A conversation that the unit needs is not locked: one came to a client meanwhile. Look again and repeat."""


class JoinReads(Protocol):
    """Questions; the same within a unit of writing and beside it."""

    def identities_of(self, client: int) -> list[Identity]: ...
    def conversations_of(self, client: int) -> list[int]:
        """In the order of their ids."""
        ...

    def spoke_at(self, client: int) -> float:
        """When the client wrote last, in any conversation; 0 for never."""
        ...

    def known_card(self, client: int) -> dict[str, Any] | None:
        """The card, None where there is no such client."""
        ...

    def newest_cards(self, limit: int) -> list[dict[str, Any]]: ...
    def owners_of(self, phone: str) -> list[int]: ...
    def shared_phones(self, limit: int) -> list[str]: ...
    def join_row(self, id: int) -> Row | None: ...
    def joins_of(self, client: int) -> list[Row]:
        """Those that the client is or was a part of, the oldest first."""
        ...

    def newest_joins(self, limit: int) -> list[Row]: ...
    def suggested(self, limit: int) -> list[Row]: ...
    def code_row(self, digest: str) -> Row | None: ...
    def has_heard(self, conversation: int, key: str) -> bool:
        """Whether an internal event of this key has come into a conversation."""
        ...

    def home_client(self, conversation: int) -> int | None:
        """The client of a conversation."""
        ...

    def sessions_of(self, client: int) -> list[Row]:
        """`conversation`, `channel`, `line` and `operator` of the last session of each conversation."""
        ...


class JoinRows(JoinReads, Protocol):
    """… and changes, within a unit of writing."""

    def require_locked(self, conversations: Iterable[int]) -> None:
        """Raises `Unlocked` when another process might change one of them now."""
        ...

    def give_conversation(self, conversation: Conversation, client: int) -> None:
        """With its sessions."""
        ...

    def give_written(self, conversation: int, was: int, client: int) -> None:
        """What people wrote about a client from a conversation: notes and edits of the card."""
        ...

    def save_tags(self, client: int, tags: Iterable[str]) -> None:
        """By which tags a client is found from now on."""
        ...

    def give_identity(self, identity: Identity, client: int) -> None: ...
    def give_tickets(self, conversation: int, was: int, client: int) -> None: ...
    def save_join(self, row: Row) -> None: ...
    def save_code(self, row: Row, before: float) -> None:
        """Keep a code in place of the conversation's others; forget those that ended before `before`."""
        ...

    def codes_of(self, conversation: int) -> list[Row]: ...
    def use_code(self, digest: str, key: str) -> None: ...
    def tries(self, scope: str) -> Row | None: ...
    def save_tries(self, row: Row, before: float) -> None:
        """Count attempts; forget those that began before `before`."""
        ...


def identity_of(row: Row) -> Identity:
    """A row as a value."""
    return Identity(row["channel"], row["account"], row["sender"], row["client"], row["proof"], row["created_at"])


def card_of(stored: bytes | None) -> dict[str, Any] | None:
    return None if stored is None else decode_dict.decode(stored)
