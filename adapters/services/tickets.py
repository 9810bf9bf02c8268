"""`tickets`, built in: what a client may see of their own tickets, and do with them, for «Мои заявки»."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from core.deployment import CallInfo, Take
from core.locale import texts
from core.normal import clean
from core.ports import Outcome, Service, Store, Ticket
from core.tickets import CLIENT, Desk, TicketChange

SHOWN = 10  # tickets in a list: the open ones first, then the latest
LONGEST = 4000  # characters of a comment
NUMBER = re.compile(r"\s*№?\s*(\d{1,15})\s*", re.ASCII)
_LISTED = {
    "список": Take("text"),
    "есть": Take("yes_no"),
    "одна": Take("yes_no"),
    "номер": Take("text"),
}
_CARD = {
    "номер": Take("text"),
    "название": Take("text"),
    "статус": Take("text"),
    "решена": Take("yes_no"),
    "комментарий": Take("text", optional=True),
    "оценка": Take("number", optional=True),
}


class Tickets:
    """`mine` lists the client's tickets, `get` shows one; `comment`, `reopen` and `rate` change one.

    `missing` is a number that is none of the client's, and what cannot be done with the ticket now.
    """

    kind: ClassVar[str] = "tickets"

    def __init__(self, store: Store, language: str = "ru", desks: Mapping[str, Desk] | None = None) -> None:
        self._store, self._language, self._desks = store, language, desks or {}
        self._calls: dict[str, Callable[[dict[str, Any], str, int], Awaitable[Outcome]]] = {
            "mine": self._mine,
            "get": self._get,
            "comment": self._comment,
            "reopen": self._reopen,
            "rate": self._rate,
        }

    @classmethod
    def build(cls, settings: Mapping[str, Any], store: Store) -> Service:
        """`settings` may hold the `language` of the clients and the `desks` by name."""
        return cls(store, str(settings.get("language", "ru")), settings.get("desks"))

    @classmethod
    def info(cls, settings: Mapping[str, Any]) -> dict[str, CallInfo]:
        """The calls. None needs the client, who is known."""
        return {
            "mine": CallInfo((), _LISTED),
            "get": CallInfo(("number",), _CARD),
            "comment": CallInfo(("number", "text"), _CARD, safe=False),
            "reopen": CallInfo(("number",), _CARD, safe=False),
            "rate": CallInfo(("number", "rating"), _CARD, safe=False),
        }

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome:
        """The client's own tickets; never anybody else's, whatever the parameters say."""
        do = self._calls.get(call)
        return await do(params, key, client) if do else Outcome("failed", error=f"there is no call {call}")

    async def close(self) -> None:
        """The store is not ours to close."""

    # --- looking ---

    async def _mine(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        tickets = await self._store.tickets(client=client, limit=50)
        pairs = [(ticket, await self._shown(ticket)) for ticket in tickets]
        pairs.sort(key=lambda pair: (pair[1].done, -pair[0].number))
        lines = [self._line(own, shown) for own, shown in pairs[:SHOWN]]
        first = str(pairs[0][0].number) if pairs else ""
        return Outcome("ok", {"список": "\n".join(lines), "есть": bool(pairs), "одна": len(pairs) == 1, "номер": first})

    async def _get(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        own = await self._own(params, client)
        return Outcome("missing") if own is None else await self._card(own)

    async def _own(self, params: dict[str, Any], client: int) -> Ticket | None:
        """The ticket of the number, if it is this client's."""
        said = NUMBER.fullmatch(str(params.get("number", "")))
        found = await self._store.ticket(int(said[1])) if said else None
        return found if found is not None and found.client == client else None

    async def _shown(self, own: Ticket) -> Ticket:
        """The ticket whose status counts: that which it was joined to, or itself."""
        master = await self._store.ticket(own.master) if own.master else None
        return master or own

    async def _card(self, own: Ticket) -> Outcome:
        shown = await self._shown(own)
        comments = public_comments(own, shown)
        take = {
            "номер": str(own.number),
            "название": own.title,
            "статус": self._status(shown),
            "решена": shown.done,
            "комментарий": comments[-1] if comments else None,
            "оценка": own.rating or None,
        }
        return Outcome("ok", take)

    def _line(self, own: Ticket, shown: Ticket) -> str:
        """One line for the client: number, title, status."""
        return f"№ {own.number} · {own.title} — {self._status(shown)}"

    def _status(self, ticket: Ticket) -> str:
        desk = self._desks.get(ticket.desk) or Desk(ticket.desk, ticket.desk)
        return texts(self._language)(desk.status(ticket.status, ticket.done).title)

    # --- changing ---

    async def _comment(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        """What waited for the client is open again."""
        text = clean(str(params.get("text") or "")).strip()[:LONGEST]
        own = await self._own(params, client)
        if own is None or not text:
            return Outcome("missing")
        desk = self._desk(own)
        answered = desk.again if own.means == "waiting" and not own.master else None
        change = TicketChange(own.number, CLIENT, client=client, key=key, comment=text, status=answered, desk=desk)
        return await self._change(change)

    async def _reopen(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        own = await self._own(params, client)
        if own is None:
            return Outcome("missing")
        desk = self._desk(own)
        return await self._change(
            TicketChange(own.number, CLIENT, client=client, key=key, status=desk.again, desk=desk)
        )

    async def _rate(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        said = str(params.get("rating") or "").strip()
        own = await self._own(params, client)
        if own is None or said not in {"1", "2", "3", "4", "5"}:
            return Outcome("missing")
        return await self._change(TicketChange(own.number, CLIENT, client=client, key=key, rating=int(said)))

    def _desk(self, ticket: Ticket) -> Desk:
        return self._desks.get(ticket.desk) or Desk(ticket.desk, ticket.desk)

    async def _change(self, change: TicketChange) -> Outcome:
        if await self._store.change_ticket(change):
            return Outcome("missing")
        after = await self._store.ticket(change.number)
        return Outcome("missing") if after is None else await self._card(after)


def public_comments(own: Ticket, shown: Ticket) -> list[str]:
    """What this client may read, the oldest first: their own words, and what people said to the clients of the ticket that
    theirs was joined to; never another client's words."""
    entries = [entry for entry in own.comments if entry.get("by") == CLIENT or entry.get("told", True)]
    if shown.number != own.number:
        entries += [entry for entry in shown.comments if entry.get("by") != CLIENT and entry.get("told", True)]
    return [str(entry["comment"]) for entry in sorted(entries, key=lambda entry: float(entry["at"]))]
