"""The part of every store that knows who is who (`core.joins.Joins`), over its way to read and to write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from core.joins import Code, CodeAnswer, Identity, Join, JoinRefused, Suggestion
from storage.codec import decode_dict
from storage.joining import codes, rules
from storage.joining.cards import part_of
from storage.joining.tables import JoinReads, Unlocked
from storage.ledger import Ledger
from storage.rows import Row

T = TypeVar("T")

ROUNDS = 5  # a conversation may come to a client while the unit waits for its locks


class JoinsOfStore:
    """`core.joins.Joins`. A store says how it reads committed data and how it runs a unit that locks conversations."""

    # Called after a commit with the conversations whose state was written, and the clients whose card was.
    on_touched: Callable[[Collection[int], Collection[int]], None] | None = None

    def _tell_touched(self, homes: Collection[int], clients: Collection[int]) -> None:
        if self.on_touched is not None:
            self.on_touched(homes, clients)

    async def look(self, question: Callable[[JoinReads], T]) -> T:
        """A question to committed data."""
        raise NotImplementedError

    async def locked(self, homes: Sequence[int], work: Callable[[Ledger], T]) -> T:
        """A unit of writing that has these conversations to itself, locked in the order given."""
        raise NotImplementedError

    async def _together(self, clients: Callable[[JoinReads], Iterable[int]], work: Callable[[Ledger], T]) -> T:
        """A unit that has all conversations of some clients. Raises `StorageFull` … and `Unlocked` when they never rest."""
        for _ in range(ROUNDS - 1):
            try:
                return await self.locked(await self._homes(clients), work)
            except Unlocked:
                continue
        return await self.locked(await self._homes(clients), work)

    async def _homes(self, clients: Callable[[JoinReads], Iterable[int]]) -> list[int]:
        return await self.look(lambda reads: rules.homes_of(reads, list(clients(reads))))

    # --- codes ---

    async def offer_code(self, code: Code) -> bool:
        return await self.locked([code.conversation], lambda ledger: codes.offer(ledger, code))

    async def use_code(self, conversation: int, digest: str, key: str) -> CodeAnswer:
        def clients(reads: JoinReads) -> list[int]:
            row = reads.code_row(digest)
            homes = [conversation, *([row["conversation"]] if row is not None else [])]
            return [client for home in homes if (client := reads.home_client(home)) is not None]

        return await self._together(clients, lambda ledger: codes.use(ledger, conversation, digest, key))

    # --- joins ---

    async def match_phone(self, client: int, phone: str) -> str:
        def clients(reads: JoinReads) -> list[int]:
            return [client, *reads.owners_of(phone)]

        return await self._together(clients, lambda ledger: rules.match_phone(ledger, client, phone))

    async def join(self, one: int, other: int, by: str, reason: str = "") -> int:
        return await self._together(
            lambda _: (one, other), lambda ledger: rules.join(ledger, one, other, "hand", by, reason)
        )

    async def unjoin(self, join: int, by: str) -> None:
        def clients(reads: JoinReads) -> list[int]:
            row = reads.join_row(join)
            if row is None:
                raise JoinRefused("unknown", join)
            return [row["kept"]]

        await self._together(clients, lambda ledger: rules.unjoin(ledger, join, by))

    # --- what people read ---

    async def joins(self, client: int | None = None, limit: int = 50) -> list[Join]:
        def found(reads: JoinReads) -> list[Row]:
            return reads.newest_joins(limit) if client is None else reads.joins_of(client)[::-1][:limit]

        return [join_of(row) for row in await self.look(found)]

    async def suggestions(self, limit: int = 50) -> list[Suggestion]:
        return await self.look(partial(_suggestions, limit=limit))

    async def clients(self, limit: int = 50) -> list[dict[str, Any]]:
        cards = await self.look(lambda reads: reads.newest_cards(2 * limit))
        return [card for card in cards if rules.stands_alone(card)][:limit]

    async def identities(self, client: int) -> list[Identity]:
        return await self.look(lambda reads: reads.identities_of(client))

    async def conversations_of(self, client: int) -> list[int]:
        return await self.look(lambda reads: reads.conversations_of(client))


def _suggestions(reads: JoinReads, limit: int) -> list[Suggestion]:
    """Recorded ones whose clients still are two, then clients that share a phone which one of them has only typed."""
    found = []
    for row in reads.suggested(limit):
        pair = (row["kept"], row["gone"])
        if not any(part_of(reads.known_card(client) or {}) for client in pair):
            why, _, phone = row["proof"].partition(" ")
            found.append(Suggestion(pair, phone, why, row["id"]))
    recorded = {it.clients for it in found}
    for phone in reads.shared_phones(limit):
        clients = tuple(reads.owners_of(phone))
        if clients not in recorded:
            found.append(Suggestion(clients, phone, "typed"))
    return found[:limit]


def join_of(row: Row) -> Join:
    """A row as a value."""
    moved = rules.moved_of(row)
    return Join(
        id=row["id"],
        at=row["at"],
        how=row["how"],
        by=row["by"],
        proof=row["proof"],
        state=row["state"],
        kept=row["kept"],
        gone=row["gone"],
        kept_card=decode_dict.decode(row["kept_card"]),
        gone_card=decode_dict.decode(row["gone_card"]),
        conversations=moved.conversations,
        identities=moved.identities,
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
    )
