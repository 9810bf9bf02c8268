"""What the parts of one web chat share: its name, settings, the gate behind it, and who is asking."""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from adapters.serving import SAFE
from adapters.web.follow import Follower
from adapters.web.hub import Hub
from adapters.web.limits import Buckets, Quota
from adapters.web.refusal import Refused
from adapters.web.render import file_ids
from adapters.web.settings import Settings
from adapters.web.signs import Signs
from adapters.web.words import choose_language
from core.conversation import Conversation
from core.events import Event, Inbound, Opened
from core.ports import Gate, HistoryItem, Receipt, StorageFull, StoredFile

FIRST = "open"  # the client id of a chat's very first event: once in its life
WORDS = (30.0, 30.0)  # that a client types, and what was seen: a page says them every 3 s; more is not heard
RETRY_STORAGE = 5.0  # seconds after which a page may knock again when the store is full
COUNTED = {"origin": "foreign_origin", "token": "wrong_secret", "too_large": "too_large", "flood": "flood"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Room:
    """One web chat channel at work."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.account, self.settings = name, name, settings
        self.hub = Hub()
        self.flood = Buckets(settings.flood)
        self.newcomers = Buckets(settings.sessions)
        self.quota = Quota(settings.quota_files, settings.quota_bytes)
        # Chats cost nothing, so the files of one who opens many are counted by the address, too.
        many = settings.neighbours
        self.address_quota = Quota(settings.quota_files * many, settings.quota_bytes * many)
        self.words = Buckets(WORDS)
        self.follower: Follower | None = None  # where other processes write into the chats, too
        self.signs = Signs(name, None)
        self._unlisten: Callable[[], None] = lambda: None
        self._gate: Gate | None = None

    def open(self, gate: Gate) -> None:
        """From now on messages can be taken."""
        self._gate = gate
        self.signs = Signs(self.name, gate.hints)
        if gate.hints is not None:
            self.follower = Follower(self, gate.hints)
            self._unlisten = gate.hints.listen(f"typing:{self.name}", self._show_typing)

    async def close(self) -> None:
        """Closes all sockets; the pages come again by themselves."""
        self.hub.close()
        self._unlisten()
        self.signs.stop()
        if self.follower is not None:
            await self.follower.stop()

    def typing(self, chat: str) -> None:
        """Shows in all open pages of the chat that an answer is being written, also in those of other processes."""
        if self._gate is not None and self._gate.hints is not None:
            self._gate.hints.tell(f"typing:{self.name}", chat)
        else:
            self._show_typing(chat)

    def _show_typing(self, chat: str) -> None:
        self.hub.publish(chat, {"type": "typing"})

    @property
    def gate(self) -> Gate:
        """The gateway. Raises `Refused` (503) while the channel has not started."""
        if self._gate is None:
            raise Refused("busy", RETRY_STORAGE)
        return self._gate

    async def newcomer(self) -> str:
        """A new chat with its secret: 256 random bits, of which the store gets only the hash."""
        token = secrets.token_urlsafe(32)
        await self.gate.store.add_web_client(self.name, hash_token(token), secrets.token_hex(16))
        return token

    async def chat(self, token: str) -> str:
        """The chat that the secret opens. Raises `Refused`."""
        chat = await self.gate.store.web_client(self.name, hash_token(token)) if 0 < len(token) <= 128 else None
        if chat is None:
            raise Refused("token")
        return chat

    async def conversation(self, chat: str) -> Conversation | None:
        """The conversation of a chat; None before its first event."""
        return await self.gate.store.find_conversation(self.name, self.account, chat)

    async def conversation_id(self, chat: str) -> int:
        """The id of the chat's conversation, which is opened when there is none yet."""
        found = await self.conversation(chat)
        return found.id if found else (await self.accept(chat, FIRST, Opened())).conversation

    async def accept(self, chat: str, client_id: str, event: Event) -> Receipt:
        """Hands an event in; durable when it returns. Raises `StorageFull`."""
        inbound = Inbound(
            channel=self.name,
            account=self.account,
            external_id=f"{chat}:{client_id}",
            chat=chat,
            event=event,
            sent_at=datetime.now(UTC),
            sender_id=chat,
            sender_language=self.settings.language,
            message_id=client_id,
        )
        return (await self.gate.accept([inbound]))[0]

    def refuse(self, request: web.Request, refused: Refused) -> web.Response:
        """The JSON answer of a refusal. What was turned away at the door is counted."""
        if refused.code in COUNTED and self._gate is not None:
            self._gate.count(self.name, COUNTED[refused.code])
        language = choose_language("", request.headers.get("Accept-Language", ""), self.settings.language)
        headers = {"Retry-After": str(math.ceil(refused.after))} if refused.after else {}
        return reply(refused.body(language), refused.status, headers)

    async def files(self, ids: Iterable[str]) -> dict[str, StoredFile]:
        """The files that exist, by id."""
        found = [(id, await self.gate.store.file(id)) for id in dict.fromkeys(ids)]
        return {id: file for id, file in found if file is not None}

    async def files_of(self, items: Iterable[HistoryItem]) -> dict[str, StoredFile]:
        """The files of all items, by id."""
        return await self.files(id for item in items for id in file_ids(item))


def hash_token(token: str) -> str:
    """What the store keeps of a secret. It has 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def bearer(request: web.Request) -> str:
    """The secret of the request's header, empty when there is none. It never travels in an address."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def require_origin(request: web.Request, settings: Settings) -> None:
    """A browser says which page talks to us; only our own may. Raises `Refused`.

    Embedding sites show our page in a frame, so their pages never talk to us themselves. Simple requests carry no Origin;
    there `Sec-Fetch-Site` says the same (Fetch Metadata).
    """
    origin = request.headers.get("Origin")
    if origin is not None and not same_origin(origin, request.host, settings.public_url):
        raise Refused("origin")
    if origin is None and request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
        raise Refused("origin")


def same_origin(origin: str, host: str, public_url: str) -> bool:
    """Whether the origin is this server, by the Host header or by its public address."""
    try:
        asked, public = urlsplit(origin), urlsplit(public_url)
    except ValueError:
        return False
    if asked.scheme not in ("http", "https") or not asked.netloc:
        return False
    known = {host.lower(), public.netloc.lower()} - {""}
    return asked.netloc.lower() in known


async def read_json(request: web.Request, limit: int = 1024**2) -> bytes:
    """The body of a JSON request. Raises `Refused` when it is another type, compressed, or above `limit` bytes."""
    if request.content_type != "application/json":
        raise Refused("bad_request", reason="application/json")
    require_plain(request)
    if (request.content_length or 0) > limit:
        raise Refused("too_large", limit="1 MiB")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise Refused("too_large", limit="1 MiB")
    return bytes(body)


def require_plain(request: web.Request) -> None:
    """Compressed bodies are refused: a few kilobytes could unfold into gigabytes. Raises `Refused`."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("encoding")


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer with safe headers."""
    body = msgspec.json.encode(value)
    return web.Response(body=body, status=status, content_type="application/json", headers=SAFE | (headers or {}))


def answering(room: Room, handler: Handler) -> Handler:
    """The handler with refusals and a full store turned into answers, in the language of the page."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            require_origin(request, room.settings)
            return await handler(request)
        except Refused as refused:
            return room.refuse(request, refused)
        except web.RequestPayloadError:
            return room.refuse(request, Refused("bad_request", reason="body"))
        except StorageFull as full:
            return room.refuse(request, Refused("busy", full.after))

    return answer


def now() -> float:
    """Seconds since the epoch, UTC."""
    return time.time()
