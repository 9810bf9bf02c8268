"""A chat server in memory and a client of it, without a browser."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientWebSocketResponse, FormData
from aiohttp.test_utils import TestClient, TestServer

from storage.files.local import LocalFiles
from storage.memory import MemoryStore
from tests.adapters.web.house import House, settings


class Visitor:
    """A browser without a screen: one token, and the calls the page makes."""

    def __init__(self, client: TestClient[Any, Any], base: str, token: str) -> None:
        self.client, self.base, self.token = client, base, token

    @property
    def headers(self) -> dict[str, str]:
        """The header with the secret."""
        return {"Authorization": f"Bearer {self.token}"}

    async def post(self, client_id: str, **values: Any) -> ClientResponse:
        """Posts one message."""
        body = {"client_id": client_id, **values}
        return await self.client.post(f"{self.base}/messages", json=body, headers=self.headers)

    async def said(self, client_id: str, **values: Any) -> dict[str, Any]:
        """Posts one message that must be taken."""
        answer = await self.post(client_id, **values)
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())

    async def history(self, query: str = "") -> dict[str, Any]:
        """The history."""
        answer = await self.client.get(f"{self.base}/history{query}", headers=self.headers)
        assert answer.status == 200
        return dict(await answer.json())

    async def texts(self, query: str = "?after=0") -> list[str]:
        """The texts of the history that are shown."""
        return [item["text"] for item in (await self.history(query))["items"] if not item.get("hidden")]

    async def upload(self, data: bytes, name: str = "cat.png", mime: str = "image/png") -> ClientResponse:
        """Sends one file."""
        form = FormData()
        form.add_field("file", data, filename=name, content_type=mime)
        return await self.client.post(f"{self.base}/files", data=form, headers=self.headers)

    async def uploaded(self, data: bytes, name: str = "cat.png") -> dict[str, Any]:
        """Sends one file that must be taken."""
        answer = await self.upload(data, name)
        assert answer.status == 201, await answer.text()
        return dict(await answer.json())

    async def file(self, id: str) -> ClientResponse:
        """Asks for a file."""
        return await self.client.get(f"{self.base}/files/{id}", headers=self.headers)

    async def socket(self, after: int = -1) -> ClientWebSocketResponse:
        """Opens a socket and says hello."""
        socket = await self.client.ws_connect(f"{self.base}/socket")
        await socket.send_json({"token": self.token, "after": after})
        return socket


async def frame(socket: ClientWebSocketResponse) -> dict[str, Any]:
    """The next frame of a socket."""
    return dict(json.loads(await socket.receive_str(timeout=5)))


async def shown(socket: ClientWebSocketResponse, text: str) -> list[dict[str, Any]]:
    """The items of frames up to the one with this text."""
    items: list[dict[str, Any]] = []
    while not items or items[-1].get("text") != text:
        told = await frame(socket)
        items += told["items"] if told["type"] == "history" else [told["item"]]
    return items


Open = Callable[..., Awaitable[tuple[House, TestClient[Any, Any]]]]


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens chat servers with changed settings; all are closed at the end."""
    opened: list[tuple[House, TestClient[Any, Any]]] = []

    async def build(name: str = "site", **changes: Any) -> tuple[House, TestClient[Any, Any]]:
        house = House(name, settings(**changes), MemoryStore(time.time), LocalFiles(tmp_path / name))
        client = TestClient(TestServer(await house.open()))
        await client.start_server()
        opened.append((house, client))
        return house, client

    yield build
    for house, client in opened:
        await house.channel.stop()
        await client.close()
        await house.store.close()


@pytest.fixture
async def site(open_house: Open) -> tuple[House, TestClient[Any, Any]]:
    """A chat server with the usual settings."""
    return await open_house()


@pytest.fixture
def house(site: tuple[House, TestClient[Any, Any]]) -> House:
    """Its house."""
    return site[0]


@pytest.fixture
def client(site: tuple[House, TestClient[Any, Any]]) -> TestClient[Any, Any]:
    """Its client."""
    return site[1]


async def visit(client: TestClient[Any, Any], base: str = "/chat/site") -> Visitor:
    """A new visitor."""
    answer = await client.post(f"{base}/session")
    assert answer.status == 201
    return Visitor(client, base, (await answer.json())["token"])


@pytest.fixture
async def visitor(client: TestClient[Any, Any]) -> Visitor:
    """A visitor of the usual server."""
    return await visit(client)
