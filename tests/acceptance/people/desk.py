"""A house with an operator who has a client's session: over SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from core.accounts import User
from tests.gateway.api.house import CONFIG, Answer, Browser, House, open_house


@dataclass
class Desk:
    """`anna` works on the line `support` and has the session of `home`; `browser` is hers."""

    house: House
    anna: User
    browser: Browser
    home: int

    async def do(self, act: str, body: dict[str, Any], **headers: str) -> Answer:
        """An act in the conversation."""
        return await self.browser.ask("POST", f"/conversations/{self.home}/{act}", body, **headers)

    async def look(self, path: str) -> Any:
        """What the API says of the conversation."""
        answer = await self.browser.ask("GET", f"/conversations/{self.home}/{path}")
        assert answer.status == 200, answer.body
        return answer.body

    async def reply(self, text: str) -> int:
        """Anna answers; everything has settled when the place of her words is returned."""
        answer = await self.do("reply", {"epoch": 2, "text": text})
        assert answer.status == 200, answer.body
        await self.house.quiet()
        found = await self.house.store.conversation(self.home)
        assert found is not None
        return found.seq

    async def shown(self, seq: int) -> Any:
        """The message at a place of the history."""
        (item,) = await self.house.store.history(self.home, seq - 1, 1)
        return item


async def open_desk(url: str = "", config: str = CONFIG) -> AsyncIterator[Desk]:
    """For fixtures. `url` is the address of a database, empty for a file of SQLite."""
    config = config.replace("sqlite:///house.db", url) if url else config
    async for house in open_house(config=config):
        anna = await house.add("anna", support="operator")
        browser = await house.browser("anna")
        await house.client("привет")
        home = (await house.client("человек")).conversation
        taken = await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
        assert taken.status == 200, taken.body
        yield Desk(house, anna, browser, home)
