"""The tables of joins in SQL, for both engines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from core.conversation import Conversation
from core.joins import Identity
from storage import queries as q
from storage.asked import Asked
from storage.cards import statements as cards
from storage.codec import decode_conversation
from storage.joining.tables import Row, card_of, identity_of


class SqlJoinReads(Asked, Protocol):
    """`JoinReads` over whoever runs statements."""

    def identities_of(self, client: int) -> list[Identity]:
        return [identity_of(row) for row in self.all(q.IDENTITIES, client=client)]

    def conversations_of(self, client: int) -> list[int]:
        return self.column(q.CONVERSATIONS_OF, client=client)

    def spoke_at(self, client: int) -> float:
        return float(self.value(q.SPOKE_AT, client=client) or 0.0)

    def known_card(self, client: int) -> dict[str, Any] | None:
        return card_of(self.value(q.CARD, the_id=client))

    def newest_cards(self, limit: int) -> list[dict[str, Any]]:
        return [card for (stored,) in self.run(q.CLIENTS, n=limit) if (card := card_of(stored)) is not None]

    def owners_of(self, phone: str) -> list[int]:
        return self.column(q.CLIENTS_BY_PHONE, phone=phone)

    def shared_phones(self, limit: int) -> list[str]:
        return [phone for (phone,) in self.run(q.SHARED_PHONES, n=limit)]

    def join_row(self, id: int) -> Row | None:
        return self.one(q.JOIN, the_id=id)

    def joins_of(self, client: int) -> list[Row]:
        rows = self.all(q.JOINS_KEPT, client=client) + self.all(q.JOINS_GONE, client=client)
        return sorted(rows, key=lambda row: int(row["id"]))

    def newest_joins(self, limit: int) -> list[Row]:
        return self.all(q.JOINS, n=limit)

    def suggested(self, limit: int) -> list[Row]:
        return self.all(q.SUGGESTED, n=limit)

    def code_row(self, digest: str) -> Row | None:
        return self.one(q.CODE, digest=digest)

    def has_heard(self, conversation: int, key: str) -> bool:
        return self.value(q.SEEN, channel="", account=str(conversation), external_id=key) is not None

    def home_client(self, conversation: int) -> int | None:
        state = self.value(q.CONVERSATION, the_id=conversation)
        return None if state is None else decode_conversation.decode(state).client

    def sessions_of(self, client: int) -> list[Row]:
        return self.all(cards.SESSIONS_OF, client=client)


class SqlJoinRows(SqlJoinReads, Protocol):
    """`JoinRows` over whoever runs statements within a unit. One process owns the file; for many, see `PostgresRows`."""

    def require_locked(self, conversations: Iterable[int]) -> None:
        """Nobody else writes."""
        return

    def save_conversation(self, conversation: Conversation, was: int, last_at: float) -> None: ...

    def give_conversation(self, conversation: Conversation, client: int) -> None:
        version = conversation.version
        conversation.client, conversation.version = client, version + 1
        self.run(q.GIVE_CONVERSATION, the_id=conversation.id, client=client)
        self.save_conversation(conversation, version, 0.0)
        self.run(cards.GIVE_SESSIONS, home=conversation.id, client=client)

    def give_written(self, conversation: int, was: int, client: int) -> None:
        for statement in (cards.GIVE_NOTES, cards.GIVE_EDITS):
            self.run(statement, home=conversation, was=was, client=client)

    def save_tags(self, client: int, tags: Iterable[str]) -> None:
        self.run(cards.DROP_TAGS, client=client)
        for tag in tags:
            self.run(cards.ADD_TAG, client=client, tag=tag)

    def give_identity(self, identity: Identity, client: int) -> None:
        self.run(
            q.GIVE_IDENTITY,
            the_channel=identity.channel,
            the_account=identity.account,
            the_sender=identity.sender,
            client=client,
        )

    def give_tickets(self, conversation: int, was: int, client: int) -> None:
        self.run(q.GIVE_TICKETS, home=conversation, was=was, client=client)

    def save_join(self, row: Row) -> None:
        self.run(q.SAVE_JOIN, **row)

    def save_code(self, row: Row, before: float) -> None:
        self.run(q.DROP_OLD_CODES, before=before)
        for old in self.codes_of(row["conversation"]):
            if not old["used_key"]:
                self.run(q.DROP_CODE, digest=old["digest"])
        self.run(q.INSERTS["codes"], **row)

    def codes_of(self, conversation: int) -> list[Row]:
        return self.all(q.CODES_OF, conversation=conversation)

    def use_code(self, digest: str, key: str) -> None:
        self.run(q.USE_CODE, the_digest=digest, used_key=key)

    def tries(self, scope: str) -> Row | None:
        return self.one(q.TRIES, scope=scope)

    def save_tries(self, row: Row, before: float) -> None:
        self.run(q.DROP_OLD_TRIES, before=before)
        self.run(q.SAVE_TRIES, **row)
