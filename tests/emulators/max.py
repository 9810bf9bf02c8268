"""A MAX for tests: a real HTTP server with the Bot API, its judge, its delivery, its servers of files, and people to act with.

`python -m tests.emulators.max --port 8084 [--rates]` runs it as a process of its own; tests in the same process use
`async with MaxEmulator() as max_`. The same deeds are under `POST /control/<deed>` with JSON keywords.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import orjson
from aiohttp import web

from tests.emulators.max_delivery import Delivery, Disturb
from tests.emulators.max_methods import MaxMethods, Refuse
from tests.emulators.max_schema import max_schema
from tests.emulators.max_world import Call, Fault, World, bytes_of, plain
from tests.emulators.serving import WAIT, Server, bad_gateway, cut, serve

BOT = 229_229_229
TOKEN = "f9LHodD0cOI-token-of-nobody"
CODES = {400: "proto.payload", 401: "verify.token", 403: "chat.denied", 404: "not.found", 429: "too.many.requests"}


class MaxEmulator(Server[World, Delivery]):
    """One bot's MAX. `rates` switches the platform's own 429s on; `factor` scales the pauses between webhook retries."""

    deeds = frozenset((
        "person", "say", "start_bot", "block", "unblock", "press", "press_payload", "contact", "location", "photo", "document",
        "video", "group", "add_to_group", "edit", "remove", "push", "fail", "disturb", "settings", "sent", "texts", "wait",
        "wait_call", "state",
    ))  # fmt: skip

    def __init__(self, *, port: int = 0, rates: bool = False, factor: float = 0.02) -> None:
        super().__init__(port, World(BOT, TOKEN), Delivery(factor))
        self.methods = MaxMethods(self.world, self.delivery, rates=rates)
        self.listeners: list[Callable[[Call], None]] = []

    def route(self, router: web.UrlDispatcher) -> None:
        router.add_post("/upload/{kind}/{number}", self._upload)
        router.add_get("/files/{path:.+}", self._file)
        router.add_route("*", "/{path:.*}", self._serve)

    async def start(self, host: str = "127.0.0.1") -> None:
        await super().start(host)
        self.world.base = self.url

    # --- the API -----------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path, query = f"/{request.match_info['path']}", dict(request.query)
        raw = await request.read()
        if raw and request.content_type != "application/json":
            self.world.violations.append(f"{path}: a body of {request.content_type}")
        message = self.world.messages.get(query.get("message_id", ""), {})
        chat = int(query.get("user_id") or message.get("recipient", {}).get("user_id") or 0)
        call = self.world.record(f"{request.method} {_named(path)}", chat, query, orjson.loads(raw) if raw else None)
        if path == "/updates":
            await self._tell(call)  # it may take long, and who waits for a poll wants to know of its begin
        if request.headers.get("Authorization") != TOKEN:
            call.error = "401"
            return _answer({"code": "verify.token", "message": "Invalid access_token"}, 401)
        fault = self.world.fault(call.method, chat)
        if fault is not None and fault.kind != "lost":
            spoiled = await self._spoil(request, fault, call)
            if spoiled is not None:
                await self._tell(call)
                return spoiled
        response = await self._run(call, request.method, path)
        await self._tell(call)
        return cut(request) if fault is not None and fault.kind == "lost" else response

    async def _run(self, call: Call, method: str, path: str) -> web.Response:
        try:
            return _answer(await self.methods.run(call, method, path))
        except Refuse as refuse:
            call.error = f"{refuse.status} {refuse.code}"
            return _answer({"code": refuse.code, "message": refuse.words}, refuse.status, refuse.after)

    async def _spoil(self, request: web.Request, fault: Fault, call: Call) -> web.StreamResponse | None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return None
        call.error = fault.kind
        if fault.kind == "hang":
            await self._hang(fault.seconds)
            return cut(request)
        if fault.kind == "cut":
            return cut(request)
        if fault.kind == "html":
            return bad_gateway()
        status = int(fault.kind)
        if status == 429:
            self.world.closed[0 if fault.all else call.chat] = time.time() + (fault.retry_after or 1) - 0.05
        code = fault.code or CODES.get(status, "internal")
        return _answer({"code": code, "message": fault.words}, status, fault.retry_after)

    async def _upload(self, request: web.Request) -> web.Response:
        kind, number = request.match_info["kind"], request.match_info["number"]
        fault = self.world.fault("upload", 0)
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField) and name == "data" and fault is None:
                made = self.methods.take_upload(kind, number, value.filename, value.file.read())
                return web.Response(text=made, content_type="text/xml") if isinstance(made, str) else _answer(made)
        return _answer({"code": "upload.error", "message": "no data"}, int(fault.kind) if fault else 400)

    async def _file(self, request: web.Request) -> web.Response:
        mime, data = self.world.files.get(request.match_info["path"], ("", b""))
        return web.Response(body=data, content_type=mime) if mime else web.Response(status=404)

    async def _tell(self, call: Call) -> None:
        for listener in self.listeners:
            listener(call)
        await self._notify()

    # --- deeds of people ---------------------------------------------------------------------------------------------

    def person(self, chat: int, name: str = "Анна") -> dict[str, Any]:
        """Makes a client known who has not written yet."""
        return self.world.person(chat, name).user()

    def say(self, chat: int, text: str, quote: str = "", **more: Any) -> dict[str, Any]:
        """A text or a command; `quote` is the message that it answers."""
        link = self._linked("reply", quote) if quote else None
        return self._new(chat, text, link=link, **more)

    def start_bot(self, chat: int, payload: str = "") -> dict[str, Any]:
        """The button «Начать», perhaps after a link; it also lets a stopped bot write again."""
        person = self.world.person(chat)
        person.stopped = False
        return self._push("bot_started", self._dialog(chat) | ({"payload": payload} if payload else {}))

    def block(self, chat: int) -> dict[str, Any]:
        """The client stops the bot: 403 from now on."""
        self.world.person(chat).stopped = True
        return self._push("bot_stopped", self._dialog(chat))

    def unblock(self, chat: int) -> dict[str, Any]:
        return self.start_bot(chat)

    def press(self, chat: int, label: str = "", gone: bool = False) -> dict[str, Any]:
        """The newest callback button with this label (none: the last button); `gone`: its message is deleted meanwhile."""
        message, button = self.world.button(chat, label)
        return self.press_payload(chat, button["payload"], None if gone else _public(message))

    def press_payload(self, chat: int, payload: str, message: Any = None) -> dict[str, Any]:
        """A button with any payload."""
        callback = {
            "timestamp": self.world.now(), "callback_id": f"cb-{self.world.next_number()}-{chat}", "payload": payload,
            "user": self.world.person(chat).user(),
        }  # fmt: skip
        return self._push("message_callback", {"callback": callback, "message": message, "user_locale": "ru"})

    def contact(self, chat: int, phone: str, own: bool = True, signed: bool = True) -> dict[str, Any]:
        """A card: the client's own as the button sends it, or somebody else's, which MAX signs as well."""
        whose = self.world.person(chat) if own else self.world.person(chat + 1_000_000, "Борис")
        card, signature = self.world.card(phone, whose.name)
        payload = {"vcf_info": card, "max_info": whose.user(), "hash": signature if signed else "0" * 64}
        return self._new(chat, "", [{"type": "contact", "payload": payload}])

    def location(self, chat: int, latitude: float = 55.75, longitude: float = 37.61) -> dict[str, Any]:
        return self._new(chat, "", [{"type": "location", "latitude": latitude, "longitude": longitude}])

    def photo(self, chat: int, content: str = "", caption: str = "") -> dict[str, Any]:
        """A picture; `content` is base64."""
        url = self.world.store("photo", bytes_of(content) or b"\xff\xd8\xff\xe0 a picture")
        payload = {"photo_id": self.world.next_number(), "token": "t", "url": url}
        return self._new(chat, caption, [{"type": "image", "payload": payload}])

    def document(self, chat: int, name: str = "счёт.pdf", content: str = "") -> dict[str, Any]:
        """A file; `content` is base64."""
        data = bytes_of(content) or b"%PDF-1.4 a document"
        payload = {"token": "t", "url": self.world.store("file", data, "application/pdf")}
        return self._new(chat, "", [{"type": "file", "payload": payload, "filename": name, "size": len(data)}])

    def video(self, chat: int, content: str = "", missing: bool = False) -> dict[str, Any]:
        """A video, whose addresses MAX tells when it is asked."""
        token = f"video-{self.world.next_number()}"
        if not missing:
            self.world.videos[token] = self.world.store(
                "a.mp4", bytes_of(content) or b"\0\0\0\x18ftypmp42", "video/mp4"
            )
        payload = {"token": token, "url": "https://maxvd.example/play"}
        return self._new(chat, "", [{"type": "video", "payload": payload, "width": 640, "height": 480, "duration": 3}])

    def group(self, chat: int, text: str) -> dict[str, Any]:
        """A message in a chat of several people."""
        message = self.world.message(chat, False, text)
        message["recipient"] = {"chat_id": -70_801_090_403_050, "chat_type": "chat"}
        return self._push("message_created", {"message": message})

    def add_to_group(self, chat: int, group: int = -70_801_090_403_050) -> dict[str, Any]:
        """Somebody puts the bot into a chat of several people."""
        self.world.groups.setdefault(group, [])
        body = {"chat_id": group, "user": self.world.person(chat).user(), "is_channel": False}
        return self._push("bot_added", body)

    def edit(self, chat: int, mid: str, text: str) -> dict[str, Any]:
        """The client changes a message."""
        self.world.messages[mid]["body"]["text"] = text
        return self._push("message_edited", {"message": self.world.messages[mid]})

    def remove(self, chat: int, mid: str) -> dict[str, Any]:
        """The client takes a message away."""
        del self.world.messages[mid]
        dialog = self.world.person(chat).dialog
        return self._push("message_removed", {"message_id": mid, "chat_id": dialog, "user_id": chat})

    def push(self, update: dict[str, Any]) -> dict[str, Any]:
        """Any update, as raw as it is given."""
        self.delivery.push(update)
        return update

    def _new(self, chat: int, text: str, attachments: list[Any] | None = None, link: Any = None) -> dict[str, Any]:
        message = self.world.message(chat, False, text, attachments, link)
        return self._push("message_created", {"message": message, "user_locale": "ru"})

    def _linked(self, kind: str, mid: str) -> dict[str, Any]:
        linked = _public(self.world.messages[mid])
        return {"type": kind, "sender": linked["sender"], "message": linked["body"]}

    def _dialog(self, chat: int) -> dict[str, Any]:
        person = self.world.person(chat)
        return {"chat_id": person.dialog, "user": person.user(), "user_locale": "ru"}

    def _push(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        update = {"update_type": kind, "timestamp": self.world.now(), **body}
        self.world.violations += [f"ours: {problem}" for problem in max_schema().update_problems(update)]
        self.delivery.push(update)
        return update

    # --- trouble -----------------------------------------------------------------------------------------------------

    def fail(self, **fault: Any) -> None:
        """Plants a `Fault`."""
        self.world.faults.append(msgspec.convert(fault, Fault, strict=False))

    def disturb(self, **how: float) -> None:
        """From now on updates come twice, out of order or late, as often as said (`Disturb`)."""
        self.delivery.disturb = Disturb(**how)

    def settings(self, **how: Any) -> None:
        """`rates`: the platform's limits · `processing`: seconds of work on an upload."""
        for name, value in how.items():
            setattr(self.methods, name, value)

    # --- what can be seen --------------------------------------------------------------------------------------------

    def sent(self, chat: int = 0, method: str = "POST /messages") -> list[Call]:
        """Calls carried out or refused, in order."""
        return [call for call in self.world.calls if call.method == method and chat in {0, call.chat}]

    def texts(self, chat: int) -> list[str]:
        """What the bot said in the dialog, in order, as it stands there now."""
        return [plain(one["body"]) for one in self.world.shown(chat) if one["sender"]["is_bot"]]

    async def wait(self, chat: int, count: int = 1, timeout: float = WAIT) -> list[Call]:  # noqa: ASYNC109
        """Waits until so many messages were sent into the dialog. Raises TimeoutError."""
        await self._until(lambda: sum(bool(one.mid) for one in self.sent(chat)) >= count, timeout)
        return [call for call in self.sent(chat) if call.mid]

    async def wait_call(self, method: str, count: int = 1, timeout: float = WAIT) -> list[Call]:  # noqa: ASYNC109
        """Waits for calls of a method, refused ones too. Raises TimeoutError."""
        await self._until(lambda: len(self.sent(method=method)) >= count, timeout)
        return self.sent(method=method)

    def state(self) -> dict[str, Any]:
        """Counts, violations, what waits."""
        return {
            "violations": self.world.violations, "waiting": self.delivery.waiting, "delivered": self.delivery.delivered,
            "refused": self.delivery.refused, "webhooks": list(self.delivery.subscriptions), "polls": self.delivery.polls,
            "calls": len(self.world.calls), "commands": self.world.commands, "answered": len(self.world.answered),
        }  # fmt: skip


def _public(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as MAX sends it: how it was written is not told."""
    return {**message, "body": {name: value for name, value in message["body"].items() if name != "format"}}


def _named(path: str) -> str:
    """A path without ids: `/chats/5/actions` is `/chats/actions`."""
    return "/" + "/".join(part for part in path.split("/")[1:] if part.isalpha()) if path.startswith("/chats") else path


def _answer(answer: Any, status: int = 200, after: int = 0) -> web.Response:
    headers = {"Retry-After": str(after)} if after else None
    return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json", headers=headers)


if __name__ == "__main__":
    serve("max", 8084, lambda given: MaxEmulator(port=given.port, rates=given.rates, factor=given.factor))
