"""Doors for other systems: `POST /events/<name>` into flows, `POST /desks/<desk>/status` into tickets. Signed bodies only."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from adapters.desks import parse_status, verify_signature
from adapters.desks.webhook import TOLERANCE
from bot.fields.phone import parse_phone
from core.events import Outside
from core.locale import texts
from core.ports import Store, Ticket
from core.tickets import Desk, TicketChange, TicketStatus
from gateway.config.lines import WebhookDeskSettings
from gateway.config.model import Config
from gateway.desks import build_desks
from gateway.server import Route, is_signed, parse_json, problem


class OutsideDoors:
    """`accounts` maps a channel's name to its account. `wake` tells the worker that events wait."""

    def __init__(self, store: Store, config: Config, accounts: dict[str, str], wake: Callable[[], None]) -> None:
        self._store, self._config, self._accounts, self._wake = store, config, accounts, wake
        self._desks = build_desks(config)
        self._taken: dict[str, float] = {}  # signatures of statuses → when they are no longer valid

    def routes(self) -> list[Route]:
        return [("POST", "/events/{name}", self.event), ("POST", "/desks/{desk}/status", self.status)]

    async def event(self, request: web.Request) -> web.StreamResponse:
        """202 when the event is in the inbox of every conversation it concerns; 403 unsigned; 404 nobody known."""
        body = await read_raw(request)
        secret = self._config.events.secret.get_secret_value()
        if not is_signed(secret, body, request.headers.get("X-Frontline-Signature", "")):
            return problem(403, "bad signature")
        said = parse_json(body)
        if said is None or not isinstance(said.get("client"), dict) or not isinstance(said.get("data", {}), dict):
            return problem(400, 'the body must be {"client": {...}, "data": {...}}')
        concerned = await self._conversations(said["client"])
        if not concerned:
            return problem(404, "no such client")
        name = request.match_info["name"]
        # From the body alone: headers are not signed, and a copied request must not count twice under another key.
        key = str(said.get("id") or "")[:200] or hashlib.sha256(body).hexdigest()
        fresh = [
            await self._store.push(one, Outside(name, said.get("data", {})), f"outside:{name}:{key}")
            for one in concerned
        ]
        self._wake()
        return web.json_response({"accepted": any(fresh)}, status=202)

    async def _conversations(self, client: dict[str, Any]) -> list[int]:
        """By channel and id of the chat, or by a phone: then the conversation the client used last.

        Only a phone that a messenger has proved: a typed one may be a stranger's.
        """
        if "phone" in client:
            found = [await self._store.last_conversation(one) for one in await self._owners(str(client["phone"]))]
            return [one.id for one in found if one is not None]
        channel, chat = str(client.get("channel", "")), str(client.get("id", ""))
        conversation = await self._store.find_conversation(channel, self._accounts.get(channel, ""), chat)
        return [conversation.id] if conversation else []

    async def _owners(self, said: str) -> list[int]:
        phone = parse_phone(said)
        known = await self._store.find_clients(phone) if phone else []
        cards = [(one, await self._store.client(one) or {}) for one in known]
        return [one for one, card in cards if "phone" in card.get("verified", ())]

    async def status(self, request: web.Request) -> web.StreamResponse:
        """A new status of one of our tickets: written, and told to the client in the channel used last."""
        desk = self._config.desks.get(request.match_info["desk"])
        if not isinstance(desk, WebhookDeskSettings):
            return problem(404, "no such desk")
        body = await read_raw(request)
        stamp = request.headers.get("X-Frontline-Timestamp", "")
        given = request.headers.get("X-Frontline-Signature", "")
        if not verify_signature(desk.secret.get_secret_value(), stamp, body, given, now=time.time()):
            return problem(403, "bad signature")
        said = parse_json(body)
        change = parse_status(said) if said is not None else None
        if change is None:
            return problem(400, texts("en")("the body must hold our ticket number and a status"))
        ticket = await self._store.ticket(change.number)
        if ticket is None or ticket.desk != request.match_info["desk"]:
            return problem(404, "no such ticket")
        status = self._desks[ticket.desk].status(change.status, change.done)
        if not (self._again(given) or is_known(ticket, status, change.comment)):
            await self._store.change_ticket(_wanted(self._desks[ticket.desk], ticket, status, change.comment))
            self._wake()
        self._taken[given] = time.time() + 2 * TOLERANCE  # a stamp may be that far ahead
        return web.json_response({"number": change.number})

    def _again(self, given: str) -> bool:
        """Whether this very request was taken before: a repeat of theirs, or a copy in other hands."""
        now = time.time()
        self._taken = {signature: until for signature, until in self._taken.items() if until > now}
        return given in self._taken


def _wanted(desk: Desk, ticket: Ticket, status: TicketStatus, comment: str) -> TicketChange:
    """The change they ask for. What they say of a ticket that was joined here is told by its master alone."""
    if not ticket.master:
        return TicketChange(ticket.number, "desk", status=status, comment=comment, desk=desk)
    return TicketChange(ticket.number, "desk", comment=f"{status.title}. {comment}".strip(), tell=False, desk=desk)


def is_known(ticket: Ticket, status: TicketStatus, comment: str) -> bool:
    """Whether the ticket says so already, and the comment is the one that came last."""
    last = ticket.comments[-1]["comment"] if ticket.comments else ""
    return (ticket.status, ticket.means) == (status.word, status.means) and comment in {"", last}


async def read_raw(request: web.Request) -> bytes:
    """The body as it travelled. Raises HTTPUnsupportedMediaType for a compressed one: the signature is not its own."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType
    return await request.read()
