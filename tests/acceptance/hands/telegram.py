"""Telegram: long polling, and the webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.acceptance.hands.hand import LINK, Deeds, Stage, Way
from tests.acceptance.house import SECRET, TOKEN, Gateway, Telegram


class TelegramHand(Deeds):
    """Links are commands, phones are cards."""

    async def begin(self, *expected: str) -> list[str]:
        return await self.say(f"/start {LINK}", *expected)

    async def phone(self, phone: str, *expected: str) -> list[str]:
        """Telegram leaves the plus away."""
        return await super().phone(phone.lstrip("+"), *expected)

    async def forge(self, token: str, *expected: str) -> list[str]:
        person = {"id": self.chat, "is_bot": False, "first_name": "Анна"}
        query = {"id": f"forged-{self.chat}", "from": person, "chat_instance": "1", "data": token}
        await self.messenger.do("push", update={"callback_query": query})
        return await self.hear(*expected)


@asynccontextmanager
async def stage(folder: Path, mode: str) -> AsyncIterator[Stage]:
    async with Telegram(folder, "--rates") as telegram:
        account = {"token": TOKEN, "mode": mode, "secret": SECRET, "api_url": telegram.url}
        async with Gateway(folder, channels__telegram=account) as gateway:

            async def hand() -> TelegramHand:
                return TelegramHand(telegram)

            yield Stage(gateway, hand, "telegram", telegram)


WAYS = tuple(Way(f"telegram-{mode}", partial(stage, mode=mode)) for mode in ("polling", "webhook"))
