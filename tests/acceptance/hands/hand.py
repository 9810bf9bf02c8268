"""What every hand can do, and what it plays on: a gateway with one channel, and the messenger behind it."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.acceptance.house import Client, Gateway, Ground, Messenger

LINK = "vozvrat-qr"  # the shipped return begins with it


class Hand(Protocol):
    """A person in a chat. Each deed waits until the bot has said the expected words, and returns all that is new."""

    async def begin(self, *expected: str) -> list[str]:
        """Comes by the link of the shipped return."""
        ...

    async def say(self, text: str, *expected: str) -> list[str]: ...
    async def press(self, label: str, *expected: str) -> list[str]: ...

    async def phone(self, phone: str, *expected: str) -> list[str]:
        """Gives a phone as the messenger's users do: by its button where there is one, else typed."""
        ...

    async def photo(self, data: bytes, *expected: str) -> list[str]: ...
    async def document(self, name: str, data: bytes, *expected: str) -> list[str]: ...
    async def forge(self, token: str, *expected: str) -> list[str]:
        """Presses a button with a token that did not come from this chat."""
        ...

    async def texts(self) -> list[str]:
        """Everything that the bot has said, in order."""
        ...


@dataclass
class Stage(Ground):
    """Two processes: a gateway, and the messenger that its only channel besides the shipped web chat speaks to."""

    gateway: Gateway
    hand: Callable[[], Awaitable[Hand]]
    channel: str
    messenger: Messenger | None = None
    forms: bool = False  # files come to us in forms, whose headers hold no control characters

    async def quiet(self) -> None:
        await self.settled(*filter(None, (self.messenger,)))

    async def check(self) -> None:
        """Raises AssertionError when any call broke the official schema or a limit, or was not taken."""
        if self.messenger is not None:
            await self.messenger.check()
        _, page = await self.gateway.ask("GET", "/metrics")
        bad = ("frontline_quarantined_total", 'verdict="rejected"', 'verdict="unknown"', 'verdict="unreachable"')
        counted = [line for line in page.splitlines() if not line.startswith("#") and not line.endswith(" 0.0")]
        refused = [line for line in counted if any(word in line for word in bad)]
        assert not refused, refused

    async def end(self) -> None:
        """Stops the gateway when all is done. Raises AssertionError when any call was not as it must be."""
        await self.quiet()
        await self.check()
        await self.gateway.stop()
        assert "Traceback" not in self.gateway.process.said()


class Deeds(Client):
    """A hand that acts by the deeds of an emulator; what is said in other words there is said so by its messenger."""

    async def begin(self, *expected: str) -> list[str]:
        return await self._do(expected, "open", ref=LINK)

    async def phone(self, phone: str, *expected: str) -> list[str]:
        return await self.contact(phone, *expected)

    async def document(self, name: str, data: bytes, *expected: str) -> list[str]:
        return await self._do(expected, "document", name=name, content=base64.b64encode(data).decode())

    async def forge(self, token: str, *expected: str) -> list[str]:
        return await self._do(expected, "press_payload", payload=token)

    async def _do(self, expected: tuple[str, ...], deed: str, **keywords: Any) -> list[str]:
        await self.messenger.do(deed, chat=self.chat, **keywords)
        return await self.hear(*expected)


@dataclass(frozen=True)
class Way:
    """One way in which messages come and go: `vk-both`."""

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Stage]]
