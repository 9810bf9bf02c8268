"""The channel `api`: signed webhooks both ways, files by upload and by address."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.acceptance.hands.hand import Deeds, Stage, Way
from tests.acceptance.house import Api, Gateway
from tests.emulators.api_secrets import SECRET


class ApiHand(Deeds):
    """`way` is how its photos come: `upload` to us, or the `url` of one that we fetch."""

    way = "upload"

    async def photo(self, data: bytes, *expected: str) -> list[str]:
        return await self._do(expected, "photo", content=base64.b64encode(data).decode(), way=self.way)

    async def forge(self, token: str, *expected: str) -> list[str]:
        press = {"type": "press", "chat": str(self.chat), "id": f"forged-{self.chat}-{token}", "token": token}
        await self.messenger.do("push", event=press)
        return await self.hear(*expected)

    async def document(self, name: str, data: bytes, *expected: str) -> list[str]:
        content = base64.b64encode(data).decode()
        return await self._do(expected, "document", name=name, content=content, way=self.way)


@asynccontextmanager
async def stage(folder: Path, way: str) -> AsyncIterator[Stage]:
    async with Api(folder) as api:
        shop = {"kind": "api", "line": "support", "secret": SECRET, "url": f"{api.url}/calls", "file_private": True}
        async with Gateway(folder, channels__shop=shop) as gateway:
            await api.do("connect", hook=f"{gateway.url}/hooks/shop", secret=SECRET)

            async def hand() -> ApiHand:
                person = ApiHand(api)
                person.way = way
                return person

            yield Stage(gateway, hand, "shop", api, forms=way == "upload")


WAYS = tuple(Way(f"api-{way}", partial(stage, way=way)) for way in ("upload", "url"))
