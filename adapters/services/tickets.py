"""`tickets`, built in: what a client may ask about their own tickets, for «Мои заявки»."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from core.deployment import CallInfo, Take
from core.locale import n_, texts
from core.ports import Outcome, Service, Store, Ticket

SHOWN = 10  # tickets in a list: the open ones first, then the latest
# First statuses of the built-in desk in words; an outer desk's are shown as it says them.
STATUSES = {"new": n_("new"), "open": n_("in work"), "waiting": n_("waiting for you"), "done": n_("solved")}


class Tickets:
    """`mine` gives `список` (a line per ticket) and `есть`."""

    kind: ClassVar[str] = "tickets"

    def __init__(self, store: Store, language: str = "ru") -> None:
        self._store, self._language = store, language

    @classmethod
    def build(cls, settings: Mapping[str, Any], store: Store) -> Service:
        """`settings` may hold the `language` of the statuses."""
        return cls(store, str(settings.get("language", "ru")))

    @classmethod
    def info(cls, settings: Mapping[str, Any]) -> dict[str, CallInfo]:
        """The one call, which needs nothing: the client is known."""
        return {"mine": CallInfo((), {"список": Take("text"), "есть": Take("yes_no")})}

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome:
        """The client's own tickets; never anybody else's, whatever the parameters say."""
        if call != "mine":
            return Outcome("failed", error=f"there is no call {call}")
        tickets = await self._store.tickets(client=client, limit=50)
        tickets.sort(key=lambda ticket: (ticket.done, -ticket.number))
        lines = [render_ticket(ticket, self._language) for ticket in tickets[:SHOWN]]
        return Outcome("ok", {"список": "\n".join(lines), "есть": bool(tickets)})

    async def close(self) -> None:
        """The store is not ours to close."""


def render_ticket(ticket: Ticket, language: str) -> str:
    """One line for the client: number, title, status."""
    t = texts(language)
    status = t(STATUSES[ticket.status]) if ticket.status in STATUSES else ticket.status
    return f"№ {ticket.number} · {ticket.title} — {status}"
