"""What commands ask about clients: who they are, where they write, which of them became one. JSON in and out."""

from __future__ import annotations

from typing import Any

import msgspec

from core.joins import JoinRefused
from core.ports import Store
from gateway.control import Refused


class Clientele:
    """A part of the office; the same inside `run` and over a store opened by the command."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def clients(self, limit: int = 50, phone: str = "") -> list[Any]:
        """Cards, the newest clients first; with `phone`, of those who have it."""
        if not phone:
            return list(await self._store.clients(limit))
        cards = [await self._store.client(client) for client in await self._store.find_clients(phone)]
        return [card for card in cards if card is not None][:limit]

    async def client(self, client: int) -> Any:
        """The card, identities, conversations, tickets and joins of a client. Raises Refused when there is none."""
        card = await self._store.client(client)
        if card is None:
            raise Refused("unknown")
        homes = [await self._store.conversation(id) for id in await self._store.conversations_of(client)]
        last = await self._store.last_conversation(client)
        tickets = await self._store.tickets(client=client)
        return msgspec.to_builtins(
            {
                "card": card,
                "identities": await self._store.identities(client),
                "conversations": [
                    {
                        "id": it.id,
                        "channel": it.channel,
                        "chat": it.chat,
                        "owner": it.session.owner,
                        "line": it.session.line,
                    }
                    for it in homes
                    if it is not None
                ],
                "last": last.id if last is not None else 0,
                "tickets": [{"number": it.number, "title": it.title, "status": it.status} for it in tickets],
                "joins": await self._store.joins(client=client),
            }
        )

    async def joins(self, client: int | None = None, limit: int = 50) -> list[Any]:
        """Joins, suggested ones included, the newest first."""
        return [msgspec.to_builtins(join) for join in await self._store.joins(client, limit)]

    async def suggestions(self, limit: int = 50) -> list[Any]:
        """Clients that may be one person."""
        return [msgspec.to_builtins(one) for one in await self._store.suggestions(limit)]

    async def join(self, one: int, other: int, by: str) -> int:
        """Join two clients by a person's word; the number of the join. Raises Refused with `why:detail`."""
        try:
            return await self._store.join(one, other, by)
        except JoinRefused as refused:
            raise Refused(f"{refused.why}:{refused.detail}") from None

    async def unjoin(self, join: int, by: str) -> bool:
        """Undo a join. Raises Refused with `why:detail`."""
        try:
            await self._store.unjoin(join, by)
        except JoinRefused as refused:
            raise Refused(f"{refused.why}:{refused.detail}") from None
        return True
