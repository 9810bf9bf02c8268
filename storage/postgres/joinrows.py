"""The tables of joins within a transaction of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable

from core.conversation import Conversation
from core.joins import Identity
from storage.joining.sql import SqlJoinRows
from storage.joining.tables import Unlocked
from storage.postgres.collecting import Collecting
from storage.postgres.held import Loaded


class PostgresJoinRows(Collecting, SqlJoinRows):
    """The tables of joins within a transaction that may know rows by heart."""

    states: dict[int, Loaded]
    senders: dict[tuple[str, str, str], int | None]

    def require_locked(self, conversations: Iterable[int]) -> None:
        """What this transaction knows of a conversation it has read under its lock."""
        if any(id not in self.states for id in conversations):
            raise Unlocked

    def give_conversation(self, conversation: Conversation, client: int) -> None:
        super().give_conversation(conversation, client)
        self.states[conversation.id].client = client

    def give_identity(self, identity: Identity, client: int) -> None:
        super().give_identity(identity, client)
        self.senders.pop((identity.channel, identity.account, identity.sender), None)
