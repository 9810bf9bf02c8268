"""Names of clients: VK's events bring ids only, so who is new is asked for, a little, before the message goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from adapters.payloads import line
from adapters.vk.api import Api, Closed
from adapters.vk.methods import Refusal, Trouble
from core.events import Inbound

WAIT_SECONDS = 2.0  # a name is not worth more: the message goes on without it
MOST_REMEMBERED = 20_000
AT_ONCE = 500  # of one request; VK takes a thousand


class Name(NamedTuple):
    """What VK calls a person."""

    name: str = ""
    username: str = ""


class People:
    """Remembers whom it has asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Name] = {}

    async def named(self, inbounds: Sequence[Inbound]) -> list[Inbound]:
        """The inbounds with the names of their senders, as far as VK tells them in time."""
        unknown = sorted({one.sender_id for one in inbounds} - self._known.keys())
        if unknown:
            await self._ask(unknown[:AT_ONCE])
        return [self._with_name(one) for one in inbounds]

    def _with_name(self, inbound: Inbound) -> Inbound:
        known = self._known.get(inbound.sender_id)
        if known is None:
            return inbound
        return msgspec.structs.replace(inbound, sender_name=known.name, sender_username=known.username)

    async def _ask(self, ids: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                users = await self._api.call("users.get", {"user_ids": ",".join(ids), "fields": "screen_name"})
        except (TimeoutError, Refusal, Trouble, Closed):
            return
        for user in users if isinstance(users, list) else ():
            if isinstance(user, dict):
                self._known[str(user.get("id"))] = _name(user)
        while len(self._known) > MOST_REMEMBERED:
            del self._known[next(iter(self._known))]


def _name(user: dict[str, Any]) -> Name:
    return Name(line(f"{user.get('first_name') or ''} {user.get('last_name') or ''}"), line(user.get("screen_name")))
