"""The community's conversations read back: what events have not told, or not yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import structlog

from adapters.vk.api import Api
from adapters.vk.methods import Refusal
from adapters.vk.parse import GROUP_CHATS
from adapters.vk.verdicts import judge

log = structlog.get_logger("frontline")

CONVERSATIONS = 100  # of one page
MESSAGES = 200  # of one page; VK gives no more
MOST_PAGES = 50
AT_ONCE = 10  # conversations that are read side by side
# What is older is not answered any more: nobody waits for it.
MOST_SECONDS = 7 * 86_400.0


async def read_history(api: Api, since: float) -> list[dict[str, Any]]:
    """All messages of private conversations since then (seconds since the epoch, VK's clock), in the order in which they
    were written. Raises Refusal, Trouble, Closed."""
    peers = [peer async for peer in _peers(api, since)]
    found: list[dict[str, Any]] = []
    for at in range(0, len(peers), AT_ONCE):
        pages = await asyncio.gather(*(_messages(api, peer, since) for peer in peers[at : at + AT_ONCE]))
        found += [message for page in pages for message in page]
    return sorted(found, key=lambda message: (_date(message), _number(message.get("id"))))


async def _peers(api: Api, since: float) -> AsyncIterator[int]:
    """Who has talked with the community since then; VK tells the latest first."""
    for page in range(MOST_PAGES):
        params: dict[str, str | int] = {"count": CONVERSATIONS, "offset": page * CONVERSATIONS}
        items = _items(await api.call("messages.getConversations", params))
        fresh = [item for item in items if _date(item.get("last_message")) >= since]
        for item in fresh:
            peer = _peer(item)
            if 0 < peer < GROUP_CHATS:
                yield peer
        if len(fresh) < CONVERSATIONS:
            return
    log.warning("vk_history_is_long", pages=MOST_PAGES)


async def _messages(api: Api, peer: int, since: float) -> list[dict[str, Any]]:
    """One conversation's messages since then. One that VK does not give out must not hide the others."""
    try:
        return await _pages(api, peer, since)
    except Refusal as refusal:
        if judge(refusal.refused, 0).verdict == "retry":
            raise
        log.warning("vk_history_refused", status=refusal.refused.code)
        return []


async def _pages(api: Api, peer: int, since: float) -> list[dict[str, Any]]:
    """All pages; VK tells the latest first."""
    found: list[dict[str, Any]] = []
    for page in range(MOST_PAGES):
        params: dict[str, str | int] = {"peer_id": peer, "count": MESSAGES, "offset": page * MESSAGES}
        items = _items(await api.call("messages.getHistory", params))
        fresh = [item for item in items if _date(item) >= since]
        found += [{"peer_id": peer, **item} for item in fresh]
        if len(fresh) < MESSAGES:
            break
    return found


def _items(answer: Any) -> list[dict[str, Any]]:
    items = answer.get("items") if isinstance(answer, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _peer(item: dict[str, Any]) -> int:
    conversation = item.get("conversation")
    peer = conversation.get("peer") if isinstance(conversation, dict) else None
    return _number(peer.get("id")) if isinstance(peer, dict) else 0


def _date(message: Any) -> int:
    return _number(message.get("date")) if isinstance(message, dict) else 0


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
