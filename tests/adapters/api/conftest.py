"""A channel at a real door, an emulated messenger behind it, and a gate that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from adapters.api.channel import Api
from core.messages import Button, Outgoing, Quote
from core.outbox import OutboxRow
from core.ports import StoredFile
from core.rich import Rich
from gateway.files import Downloads
from gateway.metrics import Metrics
from storage.files.local import LocalFiles
from tests.adapters.telegram.gate import FakeGate, FakeStore
from tests.emulators.api import ApiMessenger
from tests.emulators.api_secrets import SECRET
from tests.ports import free_port


class Store(FakeStore):
    """Takes new files, too."""

    async def add_file(self, file: StoredFile) -> None:
        self.files.setdefault(file.id, file)

    async def store_file(self, id: str, sha256: str, size: int, mime: str, error: str = "") -> None:
        self.files[id] = msgspec.structs.replace(self.files[id], sha256=sha256, size=size, mime=mime, error=error)


class House:
    """One channel, its door and its gate."""

    def __init__(self, channel: Api, gate: FakeGate, url: str, http: aiohttp.ClientSession) -> None:
        self.channel, self.gate, self.url, self.http = channel, gate, url, http

    @property
    def hook(self) -> str:
        return f"{self.url}/hooks/shop"

    @property
    def files(self) -> dict[str, StoredFile]:
        return self.gate.fake_store.files

    async def post(self, raw: bytes, headers: dict[str, str], path: str = "") -> tuple[int, dict[str, Any], Any]:
        async with self.http.post(self.hook + path, data=BytesIO(raw), headers=headers) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers


Build = Callable[..., Awaitable[House]]


@pytest.fixture
async def api() -> AsyncIterator[ApiMessenger]:
    """The messenger; at the end the test fails when any call broke the published schema or a limit."""
    async with ApiMessenger() as emulator:
        yield emulator
        emulator.check()


@asynccontextmanager
async def a_house(api: ApiMessenger, folder: Path, **settings: Any) -> AsyncIterator[House]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    defaults = {"secret": SECRET, "url": f"{api.url}/calls", "public_url": url, "limits": "off", "file_private": True}
    channel = Api("shop", {**defaults, **settings})
    gate = FakeGate(folder)
    gate.fake_store = Store()
    gate.files = LocalFiles(folder, url)
    await gate.files.open()
    app = web.Application()
    for method, path, handler in [*channel.routes(), *Downloads(gate.store, gate.files, Metrics()).routes()]:
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await channel.start(gate)
    api.connect(f"{url}/hooks/shop", str(settings.get("secret", "")))
    async with aiohttp.ClientSession() as http:
        yield House(channel, gate, url, http)
    await channel.stop()
    await runner.cleanup()


@pytest.fixture
async def build(api: ApiMessenger, tmp_path: Path) -> AsyncIterator[Build]:
    """Makes houses with settings of their own."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> House:
            return await stack.enter_async_context(a_house(api, tmp_path, **settings))

        yield make


@pytest.fixture
async def house(build: Build) -> House:
    return await build()


def row(text: str = "Здравствуйте", **values: Any) -> OutboxRow:
    """An outbox row to chat 7."""
    named = {name: values.pop(name) for name in ("rows", "files", "quote") if name in values}
    message = Outgoing(Rich(text), **named)
    fields: dict[str, Any] = {
        "id": 1, "conversation": 1, "kind": "send", "channel": "shop", "account": "shop", "chat": "7", "key": "ab12-1",
        "message": message,
    }  # fmt: skip
    return OutboxRow(**{**fields, **values})


__all__ = ["Button", "House", "Quote", "row"]
