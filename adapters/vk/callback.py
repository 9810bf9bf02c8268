"""The Callback API: who may speak, what is answered. `ok` only after the commit."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from typing import Any

import structlog
from aiohttp import web

from adapters.doors import knows, read_body
from adapters.payloads import Unreadable, parse_json
from adapters.vk.capabilities import EVENT_BYTES
from adapters.vk.parse import event_time
from core.ports import Gate, StorageFull

log = structlog.get_logger("frontline")

REPLAY_SECONDS = 86_400.0  # an older event is a copy of somebody's, not VK's
MOST_AFTER = 3 * 3600.0  # VK takes no later `Retry-After`
RETRY_HEADER = "X-Retry-Counter"
CONFIRM = "confirmation"

Json = Mapping[str, Any]


class Callback:
    """One community's door. `take` makes an event durable; `confirm` gives the string that VK wants to read."""

    def __init__(
        self,
        name: str,
        group: int,
        secret: str,
        take: Callable[[Gate, Json], Awaitable[None]],
        confirm: Callable[[], Awaitable[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name, self._group, self._secret = name, group, secret
        self._take, self._confirm, self._clock = take, confirm, clock

    async def serve(self, request: web.Request, gate: Gate | None) -> web.Response:
        """The answer to one delivery. Whoever does not know the secret leaves no trace but a number."""
        if gate is None:
            return self._later(5.0)
        raw = await read_body(request, EVENT_BYTES)
        if raw is None:
            return self._away(gate, "too_large", 413)
        event = _event(raw)
        what = self._stranger(event)
        if event is None or what:
            return self._away(gate, what)
        if event.get("type") == CONFIRM:
            return await self._confirmed()
        return await self._accept(event, gate, request.headers.get(RETRY_HEADER, ""))

    def _stranger(self, event: Json | None) -> str:
        """Why an event is not VK's, or not for us. VK asks for the confirmation before it knows the secret, too."""
        if event is None:
            return "unreadable"  # the secret stands inside: without it nobody is known
        if event.get("group_id") != self._group:
            return "foreign_account"
        asks = event.get("type") == CONFIRM and "secret" not in event
        return "" if asks or self._knows(event) else "wrong_secret"

    async def _accept(self, event: Json, gate: Gate, retry: str) -> web.Response:
        at = event_time(event) if event.get("type") in {"message_new", "message_reply"} else 0.0
        if at and self._clock() - at > REPLAY_SECONDS:
            return self._away(gate, "replay")
        if retry.isdecimal() and int(retry):
            gate.count(self._name, "redelivery")
            log.info("vk_redelivery", channel=self._name, count=int(retry[:6]))
        try:
            await self._take(gate, event)
        except StorageFull as full:
            return self._later(full.after)
        return web.Response(text="ok")

    async def _confirmed(self) -> web.Response:
        code = await self._confirm()
        return web.Response(text=code) if code else self._later(60.0)

    def _knows(self, event: Json) -> bool:
        given = event.get("secret")
        return knows(self._secret, given if isinstance(given, str) else "")

    def _away(self, gate: Gate, what: str, status: int = 403) -> web.Response:
        gate.count(self._name, what)
        return web.Response(status=status)

    def _later(self, seconds: float) -> web.Response:
        """VK reads the time of `Retry-After` as a date."""
        at = self._clock() + min(MOST_AFTER, max(1.0, seconds))
        return web.Response(status=503, headers={"Retry-After": formatdate(at, usegmt=True)})


def _event(raw: bytes) -> Json | None:
    try:
        event = parse_json(raw)
    except Unreadable:
        return None
    return event if isinstance(event, dict) else None
