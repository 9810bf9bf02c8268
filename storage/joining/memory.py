"""The tables of joins in dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from core.conversation import Conversation
from core.joins import Identity
from storage.codec import decode_conversation
from storage.joining.tables import Row, card_of, identity_of


class MemoryJoins:
    """`JoinRows` over `MemoryRows`, whose part it is."""

    tables: dict[str, dict[tuple[Any, ...], Row]]

    def all(self, table: str, **wanted: Any) -> Iterator[Row]:
        raise NotImplementedError

    def get(self, table: str, *key: Any) -> Row | None:
        raise NotImplementedError

    def put(self, table: str, row: Row, *key: Any) -> None:
        raise NotImplementedError

    def change(self, table: str, *key: Any, **values: Any) -> bool:
        raise NotImplementedError

    def remove(self, table: str, *key: Any) -> None:
        raise NotImplementedError

    def save_conversation(self, conversation: Conversation, was: int, last_at: float) -> None:
        raise NotImplementedError

    # --- questions ---

    def identities_of(self, client: int) -> list[Identity]:
        found = [identity_of(row) for row in self.all("identities", client=client)]
        return sorted(found, key=lambda it: (it.channel, it.account, it.sender))

    def conversations_of(self, client: int) -> list[int]:
        return sorted(row["id"] for row in self.all("conversations", client=client))

    def spoke_at(self, client: int) -> float:
        return max((row["last_at"] for row in self.all("conversations", client=client)), default=0.0)

    def known_card(self, client: int) -> dict[str, Any] | None:
        row = self.get("clients", client)
        return None if row is None else card_of(row["card"])

    def newest_cards(self, limit: int) -> list[dict[str, Any]]:
        rows = sorted(self.all("clients"), key=lambda row: -row["id"])[:limit]
        return [card for row in rows if (card := card_of(row["card"])) is not None]

    def owners_of(self, phone: str) -> list[int]:
        return sorted(row["id"] for row in self.all("clients", phone=phone) if phone)

    def shared_phones(self, limit: int) -> list[str]:
        phones = sorted(row["phone"] for row in self.all("clients") if row["phone"])
        return sorted({one for one, other in pairwise(phones) if one == other})[:limit]

    def join_row(self, id: int) -> Row | None:
        return self.get("joins", id)

    def joins_of(self, client: int) -> list[Row]:
        return sorted(
            [*self.all("joins", kept=client), *self.all("joins", gone=client)], key=lambda row: int(row["id"])
        )

    def newest_joins(self, limit: int) -> list[Row]:
        return sorted(self.all("joins"), key=lambda row: -row["id"])[:limit]

    def suggested(self, limit: int) -> list[Row]:
        return sorted(self.all("joins", state="suggested"), key=lambda row: -row["id"])[:limit]

    def code_row(self, digest: str) -> Row | None:
        return self.get("codes", digest)

    def has_heard(self, conversation: int, key: str) -> bool:
        return any(self.all("inbox", channel="", account=str(conversation), external_id=key))

    def home_client(self, conversation: int) -> int | None:
        row = self.get("conversations", conversation)
        return None if row is None else decode_conversation.decode(row["state"]).client

    def sessions_of(self, client: int) -> list[Row]:
        names = ("conversation", "channel", "line", "operator")
        rows = [{name: row[name] for name in names} for row in self.all("sessions", client=client, current=1)]
        return sorted(rows, key=lambda row: int(row["conversation"]))

    # --- changes ---

    def require_locked(self, conversations: Iterable[int]) -> None:
        """Nobody else writes."""

    def give_conversation(self, conversation: Conversation, client: int) -> None:
        version = conversation.version
        conversation.client, conversation.version = client, version + 1
        self.change("conversations", conversation.id, client=client)
        self.save_conversation(conversation, version, 0.0)
        for row in list(self.all("sessions", conversation=conversation.id)):
            self.change("sessions", row["conversation"], row["number"], client=client)

    def give_written(self, conversation: int, was: int, client: int) -> None:
        """People write nothing here."""

    def save_tags(self, client: int, tags: Iterable[str]) -> None:
        """Nobody looks for clients here."""

    def give_identity(self, identity: Identity, client: int) -> None:
        self.change("identities", identity.channel, identity.account, identity.sender, client=client)

    def give_tickets(self, conversation: int, was: int, client: int) -> None:
        for row in list(self.all("tickets", conversation=conversation, client=was)):
            self.change("tickets", row["number"], client=client)

    def save_join(self, row: Row) -> None:
        self.put("joins", row, row["id"])

    def save_code(self, row: Row, before: float) -> None:
        for old in list(self.all("codes")):
            stale = old["conversation"] == row["conversation"] and not old["used_key"]
            if old["expires_at"] < before or stale:
                self.remove("codes", old["digest"])
        self.put("codes", row, row["digest"])

    def codes_of(self, conversation: int) -> list[Row]:
        return list(self.all("codes", conversation=conversation))

    def use_code(self, digest: str, key: str) -> None:
        self.change("codes", digest, used_key=key)

    def tries(self, scope: str) -> Row | None:
        return self.get("code_tries", scope)

    def save_tries(self, row: Row, before: float) -> None:
        for old in list(self.all("code_tries")):
            if old["since"] < before:
                self.remove("code_tries", old["scope"])
        self.put("code_tries", row, row["scope"])
