"""VK: callbacks, long poll, and both at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.acceptance.hands.hand import Deeds, Stage, Way
from tests.acceptance.house import SECRET, Gateway, Vk, until
from tests.emulators.vk import GROUP, TOKEN


class VkHand(Deeds):
    """VK gives out no phones: they are typed."""

    async def phone(self, phone: str, *expected: str) -> list[str]:
        return await self.say(phone, *expected)

    async def forge(self, token: str, *expected: str) -> list[str]:
        return await self._do(expected, "press_payload", payload={"t": token})


@asynccontextmanager
async def stage(folder: Path, mode: str) -> AsyncIterator[Stage]:
    async with Vk(folder, "--rates") as vk:
        account = {"token": TOKEN, "group_id": GROUP, "mode": mode, "secret": SECRET, "api_url": vk.url}
        async with Gateway(folder, channels__vk=account) as gateway:
            await listening(vk, mode)

            async def hand() -> VkHand:
                return VkHand(vk)

            yield Stage(gateway, hand, "vk", vk)


async def listening(vk: Vk, mode: str) -> None:
    """What came before the gateway listened for the first time is none of its business. In callback modes it makes itself
    known, and VK has confirmed the address."""
    if mode != "callback":
        await vk.do("wait_call", method="groups.getLongPollServer", timeout=20)

    async def known() -> bool:
        servers = (await vk.do("state"))["servers"]
        return mode == "longpoll" or [one["status"] for one in servers] == ["ok"]

    await until(known, "the callback server is confirmed", 20)


WAYS = tuple(Way(f"vk-{mode}", partial(stage, mode=mode)) for mode in ("callback", "longpoll", "both"))
