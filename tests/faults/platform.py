"""A recording Bot API over real HTTP: what each chat was told and when, and every trouble a platform can make."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import orjson
from aiohttp import web

from tests.emulators.delivery import Conflict, Delivery

PICTURE = b"\xff\xd8\xff\xe0" + b"\x00" * 2048  # bytes that begin like a JPEG


@dataclass(frozen=True)
class Trouble:
    """What happens to one call.

    429 and 500: that answer · cut: closed, nothing carried out · hang: no answer for `seconds`, nothing carried out ·
    slow: carried out, answered `seconds` later · lost: carried out, closed without an answer.
    """

    kind: Literal["429", "500", "cut", "hang", "slow", "lost"]
    seconds: float = 0.0


@dataclass(frozen=True)
class Said:
    """A message a client got. `at` is on the monotonic clock."""

    text: str
    at: float


@dataclass(frozen=True)
class Called:
    """A send that arrived, and what became of it: `ok` or the kind of its trouble."""

    chat: int
    at: float
    outcome: str
    seconds: float = 0.0


@dataclass
class Platform:
    """One bot's Telegram. `trouble` is asked at every send; `polling` keeps updates for `getUpdates`."""

    trouble: Callable[[int], Trouble | None] = lambda chat: None
    told: dict[int, list[Said]] = field(default_factory=lambda: defaultdict(list))
    calls: list[Called] = field(default_factory=list)
    unanswered: Counter[int] = field(default_factory=Counter)  # chat → carried out, and the sender cannot know
    offsets: list[int] = field(default_factory=list)
    conflicts: int = 0
    url: str = ""
    _message_id: int = 0
    _places: dict[int, int] = field(default_factory=dict)  # message → where it is among those of its chat
    _hears: dict[int, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    async def __aenter__(self) -> Self:
        self.delivery = Delivery(_no_reply, 0.0, 1)
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._method)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.delivery.close()
        await self._runner.cleanup()

    # --- Bot API -----------------------------------------------------------------------------------------------------

    async def _method(self, request: web.Request) -> web.StreamResponse:
        params = orjson.loads(await request.read() or b"{}")
        match request.match_info["method"].lower():
            case "sendmessage":
                return await self._send(request, int(params["chat_id"]), params["text"])
            case "editmessagetext":
                return self._edit(int(params["chat_id"]), int(params["message_id"]), params["text"])
            case "getupdates":
                return await self._updates(params)
            case "getfile":
                return _ok({"file_id": params["file_id"], "file_path": "photos/1.jpg", "file_size": len(PICTURE)})
            case "getwebhookinfo":
                return _ok({"url": "", "has_custom_certificate": False, "pending_update_count": 0})
        return _ok(True)

    async def _send(self, request: web.Request, chat: int, text: str) -> web.StreamResponse:
        trouble = self.trouble(chat)
        kind, seconds = (trouble.kind, trouble.seconds) if trouble else ("ok", 0.0)
        self.calls.append(Called(chat, time.monotonic(), kind, seconds))
        if kind in {"429", "500"}:
            return _refuse(int(kind), seconds)
        if kind == "hang":
            await asyncio.sleep(seconds)
        if kind in {"hang", "cut"}:
            return _close(request)
        self._message_id += 1
        result = {
            "message_id": self._message_id, "date": int(time.time()), "chat": {"id": chat, "type": "private"}, "text": text,
        }  # fmt: skip
        self._places[self._message_id] = len(self.told[chat])
        self.told[chat].append(Said(text, time.monotonic()))
        self._hears[chat].set()
        if kind == "lost":
            self.unanswered[chat] += 1
            return _close(request)
        if kind == "slow":
            await asyncio.sleep(seconds)
            if request.transport is None or request.transport.is_closing():
                self.unanswered[chat] += 1  # nobody waited so long
        return _ok(result)

    def _edit(self, chat: int, message: int, text: str) -> web.Response:
        """The client reads other words in the same place, as who waits in a queue does."""
        if message not in self._places:
            return _refuse(400, words="Bad Request: message to edit not found")
        self.told[chat][self._places[message]] = Said(text, time.monotonic())
        return _ok(True)

    async def _updates(self, params: dict[str, Any]) -> web.Response:
        self.offsets.append(params.get("offset", 0))
        try:
            found = await self.delivery.get_updates(
                params.get("offset", 0), params.get("limit", 100), params.get("timeout", 0)
            )
        except Conflict as conflict:
            self.conflicts += 1
            return _refuse(409, words=str(conflict))
        return _ok(found)

    async def _file(self, _: web.Request) -> web.Response:
        return web.Response(body=PICTURE, content_type="image/jpeg")

    # --- clients -----------------------------------------------------------------------------------------------------

    async def hear(self, chat: int, wanted: Callable[[str], bool], since: int, seconds: float) -> Said:
        """The first wanted message of a chat after its first `since`. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                self._hears[chat].clear()
                for said in self.told[chat][since:]:
                    if wanted(said.text):
                        return said
                await self._hears[chat].wait()


async def _no_reply(_: dict[str, Any]) -> None:
    """Calls in the answer of a webhook are not asked for here."""


def _ok(result: Any) -> web.Response:
    return web.Response(body=orjson.dumps({"ok": True, "result": result}), content_type="application/json")


def _refuse(code: int, after: float = 0.0, words: str = "trouble") -> web.Response:
    answer: dict[str, Any] = {"ok": False, "error_code": code, "description": words}
    if code == 429:
        answer["parameters"] = {"retry_after": int(after)}
    return web.Response(body=orjson.dumps(answer), status=code, content_type="application/json")


def _close(request: web.Request) -> web.Response:
    with suppress(AttributeError):
        request.transport.abort()  # type: ignore[union-attr]
    return web.Response()
