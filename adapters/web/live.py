"""The socket half of the web chat: what was missed first, then everything as it happens."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from adapters.web.api import PAGE, read_history, render_items
from adapters.web.hub import Listener
from adapters.web.parse import Hello, parse_hello, parse_word
from adapters.web.refusal import Refused
from adapters.web.room import Room
from core.ports import StorageFull

FRAME = 64 * 1024  # bytes of one frame from a page
HEARTBEAT = 25.0  # seconds
CLOSE_TOKEN = 4403  # the secret is not known
CLOSE_HELLO = 4400  # the first frame was no hello
CLOSE_AGAIN = 4503  # come again in a moment


class Live:
    """Sockets of one room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """One socket from its hello to its end."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=FRAME, compress=False, autoping=True)
        await socket.prepare(request)
        try:
            hello = await self._hello(socket)
            await self._talk(socket, await self._room.chat(hello.token), hello.after)
        except Refused as refused:
            code = CLOSE_TOKEN if refused.code == "token" else CLOSE_HELLO
            await socket.close(code=code, message=refused.code.encode())
        except (StorageFull, ConnectionError):
            await socket.close(code=CLOSE_AGAIN)
        return socket

    async def _hello(self, socket: web.WebSocketResponse) -> Hello:
        try:
            first = await socket.receive(self._room.settings.hello_timeout)
        except TimeoutError as error:
            raise Refused("bad_request", reason="hello") from error
        if first.type is not WSMsgType.TEXT:
            raise Refused("bad_request", reason="hello")
        return parse_hello(first.data)

    async def _talk(self, socket: web.WebSocketResponse, chat: str, after: int) -> None:
        """Listens first and reads the history second, so that nothing falls between the two."""
        listener = self._room.hub.join(chat)
        try:
            if self._room.follower is not None:
                await self._room.follower.begin(chat)
            await self._resume(socket, chat, after)
            pump = asyncio.create_task(_pump(socket, listener))
            try:
                await self._read(socket, listener, chat)
            finally:
                listener.close()
                await pump
        finally:
            self._room.hub.leave(chat, listener)

    async def _read(self, socket: web.WebSocketResponse, listener: Listener, chat: str) -> None:
        """After the hello pages say «ping», to learn whether the line is alive, that the client types, and what was seen."""
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                return
            if message.data == "ping":
                listener.put({"type": "pong"})
            elif not self._room.words.take(chat):
                await self._hear(chat, message.data)

    async def _hear(self, chat: str, raw: str) -> None:
        """What is said too often, before the first message or beyond the last place is no news."""
        word, conversation = parse_word(raw), await self._room.conversation(chat)
        if conversation is None:
            return
        if word.typing:
            self._room.signs.writes(conversation.id)
        if 0 < word.seen <= conversation.seq:
            self._room.signs.saw(conversation.id, word.seen)
            self._room.hub.publish(chat, {"type": "seen", "seq": word.seen})

    async def _resume(self, socket: web.WebSocketResponse, chat: str, after: int) -> None:
        """Sends what the page has not got, and what was edited since among the last messages it has."""
        if after > 0:
            await self._edited(socket, chat, after)
        page = await read_history(self._room, chat, after)
        while page["more"]:
            await _send(socket, {"type": "history", **page})
            page = await read_history(self._room, chat, page["last"])
        await _send(socket, {"type": "history", **page})

    async def _edited(self, socket: web.WebSocketResponse, chat: str, after: int) -> None:
        conversation = await self._room.conversation(chat)
        if conversation is None:
            return
        items = await self._room.gate.store.history(conversation.id, max(after - PAGE, 0), min(after, PAGE))
        changed = [item for item in items if (item.edited or item.removed) and item.seq <= after]
        for item in await render_items(self._room, changed):
            await _send(socket, {"type": "item", "item": item})


async def _pump(socket: web.WebSocketResponse, listener: Listener) -> None:
    """Frames of the hub to the page, until the listener is closed or the page is gone."""
    try:
        while (frame := await listener.frames.get()) is not None:
            await _send(socket, frame)
        await socket.close(code=CLOSE_AGAIN)
    except ConnectionError:
        return


async def _send(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
    await socket.send_str(msgspec.json.encode(frame).decode())
