"""Who is who, for the dialogue: makes one-time codes with their links, tries codes, looks for a proved phone's owner."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from bot.engine.codes import MATCH, OFFER, USE
from core.codes import SECONDS, code_link, digest_code, make_code
from core.joins import Code, Linked
from core.ports import Channel, Outcome, Store
from gateway.failpoints import failpoint
from gateway.logs import logger
from gateway.metrics import Metrics

log = logger()
LINK_SECONDS = 3.0  # that a channel may think of its address


class Identity:
    """The built-in service `identity`. `choose` picks one of the signs by chance.

    A code is told to nobody but the client: what is stored and logged here is its hash at most.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        metrics: Metrics,
        choose: Callable[[str], str] = secrets.choice,
    ) -> None:
        self._store, self._channels, self._metrics, self._choose = store, channels, metrics, choose
        self._calls = {OFFER: self._offer, USE: self._use, MATCH: self._match}

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome:
        """One of the three; the same `key` does nothing twice."""
        return await self._calls[call](params, key, client)

    async def close(self) -> None:
        """Nothing is open."""

    async def _offer(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        home = await self._store.conversation(int(params["conversation"]))
        if home is None:
            return Outcome("failed", error="there is no such conversation")
        code = make_code(self._choose)
        kept = await self._store.offer_code(Code(home.id, digest_code(code), SECONDS, key))
        failpoint("identity.offered")
        self._metrics.codes.labels("offered" if kept else "offered_before").inc()
        return Outcome("ok", {"code": code, "links": await self._links(home.channel, code_link(code))})

    async def _links(self, own: str, payload: str) -> list[list[str]]:
        """(channel, address) of channels that can be opened with the code: the others, or else our own on another device."""
        linked = {name: channel for name, channel in self._channels.items() if isinstance(channel, Linked)}
        names = [name for name in linked if name != own] or list(linked)
        urls = await asyncio.gather(*(self._link(linked[name], payload) for name in names))
        return [[name, url] for name, url in zip(names, urls, strict=True) if url]

    async def _link(self, channel: Linked, payload: str) -> str:
        """A platform that does not answer now keeps nobody from the code."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINK_SECONDS):
                return await channel.link(payload)
        return ""

    async def _use(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        home = int(params["conversation"])
        answer = await self._store.use_code(home, str(params["digest"]), key)
        failpoint("identity.joined")
        self._metrics.codes.labels(answer).inc()
        if answer == "ok":
            log.info("code_used", conversation=home)
            return Outcome("ok")
        return Outcome("missing", {"why": answer})

    async def _match(self, params: dict[str, Any], key: str, client: int) -> Outcome:
        answer = await self._store.match_phone(client, str(params["phone"]))
        self._metrics.phones.labels(answer).inc()
        return Outcome("ok")
