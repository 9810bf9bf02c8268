"""MAX: long polling, and the webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.acceptance.hands.hand import LINK, Deeds, Stage, Way
from tests.acceptance.house import SECRET, Gateway, Max
from tests.emulators.max import TOKEN


class MaxHand(Deeds):
    """A link comes with the button «Начать»; MAX leaves the plus of a card away."""

    async def begin(self, *expected: str) -> list[str]:
        return await self._do(expected, "start_bot", payload=LINK)

    async def phone(self, phone: str, *expected: str) -> list[str]:
        return await super().phone(phone.lstrip("+"), *expected)


@asynccontextmanager
async def stage(folder: Path, mode: str) -> AsyncIterator[Stage]:
    async with Max(folder, "--rates") as max_:
        account = {"token": TOKEN, "mode": mode, "secret": SECRET, "api_url": max_.url}
        async with Gateway(folder, channels__max=account) as gateway:

            async def hand() -> MaxHand:
                return MaxHand(max_)

            yield Stage(gateway, hand, "max", max_)


WAYS = tuple(Way(f"max-{mode}", partial(stage, mode=mode)) for mode in ("polling", "webhook"))
