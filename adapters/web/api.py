"""The HTTP half of the web chat: sessions, history, messages, files."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from adapters.serving import serve
from adapters.web.limits import address_key
from adapters.web.parse import Post, parse_event, parse_number, parse_post
from adapters.web.refusal import Refused
from adapters.web.render import file_ids, quoted, render_files, render_item, render_own
from adapters.web.room import Room, bearer, now, read_json, reply
from adapters.web.uploads import Landed, land, read_part, render_size
from core.conversation import Conversation
from core.kinds import INLINE, is_inert
from core.messages import Quote
from core.ports import HistoryItem, StoredFile

PAGE = 200  # history items of one answer
TAIL = 100  # … and of a fresh page, which loads earlier ones when asked


class Api:
    """Handlers of one room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def session(self, request: web.Request) -> web.StreamResponse:
        """A new chat: answers its secret, once."""
        if wait := self._room.newcomers.take(address_key(request.remote or "")):
            raise Refused("flood", wait)
        return reply({"token": await self._room.newcomer()}, 201)

    async def history(self, request: web.Request) -> web.StreamResponse:
        """History items after a place, in order; without `after`, the newest ones."""
        chat = await self._room.chat(bearer(request))
        limit = parse_number(request.query.get("limit"), PAGE, 1, PAGE)
        after = parse_number(request.query.get("after"), -1, -1, 2**53)
        return reply(await read_history(self._room, chat, after, limit))

    async def message(self, request: web.Request) -> web.StreamResponse:
        """Takes a message, a pressed button, an opened link. 200 means: it is on the disk."""
        chat = await self._room.chat(bearer(request))
        if wait := self._room.flood.take(chat):
            raise Refused("flood", wait)
        post = parse_post(await read_json(request))
        files = await self._own_files(chat, post)
        event = parse_event(post, files, await self._quote(chat, post.quote))
        receipt = await self._room.accept(chat, post.client_id, event)
        self._room.signs.said(receipt.conversation)
        item = render_own(receipt.seq, post.client_id, event, now(), files)
        if item is not None and not receipt.duplicate:
            self._room.hub.publish(chat, {"type": "item", "item": item})
        if self._room.follower is not None and not receipt.duplicate:
            self._room.follower.tell(receipt.conversation)
        return reply({"id": post.client_id, "seq": receipt.seq, "duplicate": receipt.duplicate})

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Takes one file; its id goes into a message afterwards."""
        room = self._room
        chat = await room.chat(bearer(request))
        address = address_key(request.remote or "")
        limit, left = room.settings.file_size, min(room.quota.left(chat), room.address_quota.left(address))
        if not left:
            raise Refused("quota", 600)
        if (request.content_length or 0) > limit + 8192:
            raise Refused("too_large", limit=render_size(limit))
        conversation = await room.conversation_id(chat)
        landed = await land(await read_part(request), room.gate.files, min(limit, left))
        room.quota.add(chat, landed.size)
        room.address_quota.add(address, landed.size)
        if is_inert(landed.name, landed.mime):
            room.gate.count(room.name, "inert_file")
        if landed.trap:
            room.gate.count(room.name, "odd_name")
        file = await self._keep(conversation, landed)
        return reply(render_files([file.id], {file.id: file})[0], 201)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, to the owner of the conversation it belongs to."""
        file = await self._readable(request)
        try:
            path = await self._room.gate.files.path(file.sha256)
            return await serve(request, path, file.sha256, file.name, file.mime)
        except FileNotFoundError as error:
            raise Refused("not_found") from error

    async def thumbnail(self, request: web.Request) -> web.StreamResponse:
        """A small picture of a picture, to whoever may have the file."""
        file = await self._readable(request)
        if file.mime not in INLINE:
            raise Refused("not_found")
        try:
            path = await self._room.gate.files.thumbnail(file.sha256)
            return await serve(request, path, f"{file.sha256}-thumb", f"{file.name}.webp", "image/webp")
        except FileNotFoundError as error:
            raise Refused("not_found") from error

    async def _readable(self, request: web.Request) -> StoredFile:
        """The file of the address, if it is here and the client may read it. Raises `Refused`."""
        chat = await self._room.chat(bearer(request))
        file = await self._room.gate.store.file(request.match_info["file"])
        conversation = await self._room.conversation(chat)
        if file is None or conversation is None or not file.sha256 or not await self._may_read(conversation, file):
            raise Refused("not_found")
        return file

    async def _keep(self, conversation: int, landed: Landed) -> StoredFile:
        """Writes the row of a file whose bytes are on the disk already."""
        kind = "photo" if landed.mime in INLINE else "file"
        file = StoredFile(
            secrets.token_urlsafe(16),
            conversation,
            landed.name,
            landed.mime,
            landed.size,
            kind,
            self._room.name,
        )
        await self._room.gate.store.add_file(file)
        await self._room.gate.store.store_file(file.id, landed.sha256, landed.size, landed.mime)
        return file

    async def _own_files(self, chat: str, post: Post) -> dict[str, StoredFile]:
        """The files of a message, each the client's own. Raises `Refused`."""
        if not post.files:
            return {}
        found, conversation = await self._room.files(post.files), await self._room.conversation(chat)
        if conversation is None or any(
            id not in found or found[id].conversation != conversation.id for id in post.files
        ):
            raise Refused("not_found")
        return found

    async def _quote(self, chat: str, seq: int) -> Quote | None:
        """The message at a place of the client's own history. Raises `Refused` when it was never shown."""
        if not seq:
            return None
        conversation = await self._room.conversation(chat)
        items = await self._room.gate.store.history(conversation.id, seq - 1, 1) if conversation and seq > 0 else []
        quote = quoted(items[0]) if items and items[0].seq == seq else None
        if quote is None:
            raise Refused("not_found")
        return quote

    async def _may_read(self, conversation: Conversation, file: StoredFile) -> bool:
        """Own files, and those that a flow or an operator sent into this conversation."""
        if file.conversation == conversation.id:
            return True
        after = 0
        while items := await self._room.gate.store.history(conversation.id, after, PAGE):
            if any(file.id in file_ids(item) for item in items if item.message is not None):
                return True
            after = items[-1].seq
        return False


async def read_history(room: Room, chat: str, after: int, limit: int = PAGE) -> dict[str, Any]:
    """`items` after the place `after` (-1: the newest ones) and the `cursor`: up to there nothing can appear any more.

    Messages that are still on their way are left out, and the cursor stops before the first of them.
    """
    conversation = await room.conversation(chat)
    if conversation is None:
        return {"items": [], "cursor": max(after, 0), "more": False, "last": 0}
    start = max(conversation.seq - TAIL, 0) if after < 0 else after
    items = await room.gate.store.history(conversation.id, start, limit)
    shown = await render_items(room, items)
    pending = next((item.seq for item in items if item.state == "pending"), None)
    cursor = pending - 1 if pending is not None else items[-1].seq if items else start
    return {"items": shown, "cursor": cursor, "more": len(items) == limit, "last": items[-1].seq if items else start}


async def render_items(room: Room, items: list[HistoryItem]) -> list[dict[str, Any]]:
    """The items for the page, those under way left out."""
    files = await room.files_of(items)
    return [shown for item in items if (shown := render_item(item, files)) is not None]
