"""A Telegram for tests: a real HTTP server with the Bot API, its judge, its delivery, and people to act with.

`python -m tests.emulators.telegram --port 8081 [--fast] [--rates]` runs it as a process of its own; tests in the same
process use `async with TelegramEmulator() as telegram`. The same deeds are under `POST /control/<deed>` with JSON keywords.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import msgspec
import orjson
import uvloop
from aiohttp import web

from tests.emulators.bot_api import BotApi, Files, Params, Refuse, query_id
from tests.emulators.delivery import Delivery, Disturb
from tests.emulators.schema import telegram_schema
from tests.emulators.world import Fault, Recorded, World, bytes_of

MOST_BYTES = 60 * 1024 * 1024
SEND_WAIT = 10.0


class TelegramEmulator:
    """One bot's Telegram. `strict` validates and knows only chats that wrote; `fast` (not strict) is for load.

    `listeners` hear of every finished call, which is cheaper under load than `wait`.
    `rates` switches the platform's own 429s on; `factor` scales its pauses between webhook retries.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        strict: bool = True,
        rates: bool = False,
        factor: float = 0.02,
        token: str = "",
        seed: int = 1,
    ) -> None:
        self._port, self.strict, self.token = port, strict, token
        self.world = World(strict)
        self.delivery = Delivery(self._in_answer, factor, seed)
        self.api = BotApi(self.world, self.delivery, strict=strict, rates=rates)
        self.listeners: list[Callable[[Recorded], None]] = []
        self._sent = asyncio.Condition()
        self._hung: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, host: str = "127.0.0.1") -> None:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._serve_file)
        app.router.add_post("/control/{deed}", self._control)
        app.router.add_get("/control/{deed}", self._control)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{self._port}"

    async def stop(self) -> None:
        await self.delivery.close()
        for task in list(self._hung):
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- Bot API -----------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if self._stranger(request.match_info["token"]):
            return _answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        params, files = await self._params(request, method)
        call = self.world.record(method, params, files)
        if method == "getUpdates":
            await self._tell(call)  # it may take long, and who waits for a poll wants to know of its begin
        fault = self.world.fault(method, call.chat) if self.world.faults else None
        if fault is not None and fault.kind != "lost":
            spoiled = await self._spoil(request, fault, call)
            if spoiled is not None:
                await self._tell(call)
                return spoiled
        status, answer, headers = await self._run(call, files)
        await self._tell(call)
        if fault is not None and fault.kind == "lost":
            return _cut(request)
        return _answer(status, answer, headers)

    async def _run(self, call: Recorded, files: Files) -> tuple[int, dict[str, Any], dict[str, str]]:
        try:
            return 200, {"ok": True, "result": await self.api.run(call, files)}, {}
        except Refuse as refuse:
            answer: dict[str, Any] = {"ok": False, "error_code": refuse.code, "description": refuse.words}
            if refuse.parameters:
                answer["parameters"] = refuse.parameters
            after = refuse.parameters.get("retry_after")
            return refuse.code, answer, {"Retry-After": str(after)} if after else {}

    def _stranger(self, token: str) -> bool:
        digits, _, rest = token.partition(":")
        if digits.isdigit():
            self.api.bot["id"] = int(digits)
        return not (digits.isdigit() and rest) or bool(self.token and token != self.token)

    async def _params(self, request: web.Request, method: str) -> tuple[Params, Files]:
        """Parameters of a query, a form, a multipart form or JSON."""
        if request.content_type == "application/json":
            return orjson.loads(await request.read() or b"{}"), {}
        form, files = dict(request.query), {}
        if request.method == "POST":
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    files[name] = (value.filename, value.file.read())
                else:
                    form[name] = str(value)
        return _attached(telegram_schema().decode(method, form), files)

    async def _spoil(self, request: web.Request, fault: Fault, call: Recorded) -> web.StreamResponse | None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return None
        call.error = fault.kind
        if fault.kind == "hang":
            await self._hang(fault.seconds or 3600.0)
            return _cut(request)
        if fault.kind == "cut":
            return _cut(request)
        if fault.kind == "html":
            return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
        code = int(fault.kind)
        answer: dict[str, Any] = {
            "ok": False,
            "error_code": code,
            "description": fault.words or WORDS.get(code, "Error"),
        }
        if code == 429:
            answer["description"] = f"Too Many Requests: retry after {fault.retry_after}"
            answer["parameters"] = {"retry_after": fault.retry_after}
        return _answer(code, answer)

    async def _hang(self, seconds: float) -> None:
        task = asyncio.ensure_future(asyncio.sleep(seconds))
        self._hung.add(task)
        try:
            await asyncio.wait({task})
        finally:
            self._hung.discard(task)

    async def _serve_file(self, request: web.Request) -> web.Response:
        data = self.world.file_at(request.match_info["path"])
        if data is None or self._stranger(request.match_info["token"]):
            return _answer(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        return web.Response(body=data)

    async def _in_answer(self, params: Params) -> None:
        call = self.world.record(str(params.pop("method")), params, {})
        await self.api.in_answer(call)
        await self._tell(call)

    async def _tell(self, call: Recorded) -> None:
        for listener in self.listeners:
            listener(call)
        async with self._sent:
            self._sent.notify_all()

    # --- deeds of people ---------------------------------------------------------------------------------------------

    def person(self, chat: int, name: str = "Анна") -> dict[str, Any]:
        """Makes a client known who has not written yet."""
        return self.world.person(chat, name).user()

    def say(self, chat: int, text: str, name: str = "Анна") -> dict[str, Any]:
        """A text or a command; a text that stands on a key of the reply keyboard is that key."""
        self.world.person(chat, name)
        content: dict[str, Any] = {"text": text}
        if text.startswith("/"):
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
        return self._push_message(chat, content)

    def press(self, chat: int, label: str = "", message_id: int = 0) -> dict[str, Any]:
        """The newest inline button with this label (none: the last button), else a key of the reply keyboard."""
        try:
            message, data = self.world.button(chat, label, message_id)
        except LookupError:
            return self._press_key(chat, label)
        query = query_id()
        self.world.queries[query] = time.monotonic()
        body = {
            "id": query, "from": self.world.person(chat).user(), "message": message, "chat_instance": "1", "data": data,
        }  # fmt: skip
        return self._push("callback_query", body)

    def _press_key(self, chat: int, label: str) -> dict[str, Any]:
        keyboard = self.world.person(chat).keyboard or {}
        for key in (key for row in keyboard.get("keyboard", ()) for key in row):
            if key["text"] == label and key.get("request_contact"):
                return self.contact(chat, f"7999{chat:07d}"[:11])
            if key["text"] == label and key.get("request_location"):
                return self.location(chat)
            if key["text"] == label:
                return self.say(chat, label)
        raise LookupError(f"no button {label!r} in chat {chat}")

    def contact(self, chat: int, phone: str, own: bool = True) -> dict[str, Any]:
        """A contact card: the client's own, or of somebody else."""
        card: dict[str, Any] = {"phone_number": phone, "first_name": self.world.person(chat).name}
        return self._push_message(chat, {"contact": {**card, "user_id": chat} if own else card})

    def location(self, chat: int, latitude: float = 55.75, longitude: float = 37.61) -> dict[str, Any]:
        return self._push_message(chat, {"location": {"latitude": latitude, "longitude": longitude}})

    def photo(self, chat: int, content: str = "", caption: str = "", album: str = "", size: int = 90) -> dict[str, Any]:
        """A picture in two sizes; `content` is base64."""
        data = bytes_of(content) or b"\xff\xd8\xff\xe0 a picture"
        sizes = []
        for width, bytes_ in ((size, data[: len(data) // 2]), (size * 4, data)):
            file_id = self.world.store_file("photo.jpg", bytes_)
            sizes.append(
                {
                    "file_id": file_id,
                    "file_unique_id": f"u-{file_id}",
                    "width": width,
                    "height": width,
                    "file_size": len(bytes_),
                }
            )
        extra = {"caption": caption, "media_group_id": album}
        return self._push_message(chat, {"photo": sizes, **{name: value for name, value in extra.items() if value}})

    def document(
        self, chat: int, name: str = "счёт.pdf", content: str = "", mime: str = "application/pdf", caption: str = ""
    ) -> dict[str, Any]:
        """A file; `content` is base64."""
        data = bytes_of(content) or b"%PDF-1.4 a document"
        file_id = self.world.store_file(name, data)
        document = {
            "file_id": file_id, "file_unique_id": f"u-{file_id}", "file_name": name, "mime_type": mime, "file_size": len(data),
        }  # fmt: skip
        return self._push_message(chat, {"document": document, **({"caption": caption} if caption else {})})

    def edit(self, chat: int, message_id: int, text: str) -> dict[str, Any]:
        """The client changes a message."""
        message = {**self.world.messages[chat, message_id], "text": text, "edit_date": int(time.time())}
        self.world.messages[chat, message_id] = message
        return self._push("edited_message", message)

    def block(self, chat: int) -> dict[str, Any]:
        """The client blocks the bot: 403 from now on."""
        return self._member(chat, blocked=True)

    def unblock(self, chat: int) -> dict[str, Any]:
        return self._member(chat, blocked=False)

    def _member(self, chat: int, *, blocked: bool) -> dict[str, Any]:
        person = self.world.person(chat)
        person.blocked = blocked
        status = ("member", "kicked") if blocked else ("kicked", "member")
        body = {
            "chat": person.chat(), "from": person.user(), "date": int(time.time()),
            "old_chat_member": {"user": self.api.bot, "status": status[0]},
            "new_chat_member": {"user": self.api.bot, "status": status[1], "until_date": 0},
        }  # fmt: skip
        return self._push("my_chat_member", body)

    def push(self, update: dict[str, Any]) -> dict[str, Any]:
        """Any update at all; it gets an id when it has none."""
        if "update_id" not in update:
            update = {**self.world.next_update("x", {}), **update}
            del update["x"]
        self.delivery.push(update)
        return update

    def _push_message(self, chat: int, content: Mapping[str, Any]) -> dict[str, Any]:
        return self._push("message", self.world.incoming(chat, **content))

    def _push(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        update = self.world.next_update(kind, body)
        self.delivery.push(update)
        return update

    # --- trouble -----------------------------------------------------------------------------------------------------

    def fail(self, **fault: Any) -> None:
        """Plants a `Fault`."""
        self.world.faults.append(msgspec.convert(fault, Fault, strict=False))

    def disturb(self, **how: float) -> None:
        """From now on updates come twice, out of order or late, as often as said (`Disturb`)."""
        self.delivery.disturb = Disturb(**how)

    # --- what can be seen --------------------------------------------------------------------------------------------

    def sent(self, chat: int = 0, after: int = 0, method: str = "") -> list[Recorded]:
        """Calls carried out or refused, in order: `send…` ones, or those of a method."""
        calls = self.world.calls if method or not chat else self.world.sends.get(chat, [])
        return [
            call for call in calls
            if call.n > after and (call.method == method or (not method and call.method.startswith("send")))
            and chat in {0, call.chat}
        ]  # fmt: skip

    def texts(self, chat: int) -> list[str]:
        """What the bot said in the chat, in order, as it stands there now."""
        mine = [message for message in self.world.shown(chat) if message["from"]["is_bot"]]
        return [message.get("text") or message.get("caption", "") for message in mine]

    async def wait(self, chat: int, count: int = 1, after: int = 0, timeout: float = SEND_WAIT) -> list[Recorded]:  # noqa: ASYNC109
        """Waits until so many sends were carried out in the chat (after the call number `after`). Raises TimeoutError."""

        def done() -> list[Recorded]:
            return [call for call in self.world.sends.get(chat, []) if call.n > after and call.message_id]

        async with asyncio.timeout(timeout), self._sent:
            await self._sent.wait_for(lambda: len(done()) >= count)
        return done()

    async def wait_call(self, method: str, count: int = 1, timeout: float = SEND_WAIT) -> list[Recorded]:  # noqa: ASYNC109
        """Waits for calls of a method, refused ones too. Raises TimeoutError."""
        async with asyncio.timeout(timeout), self._sent:
            await self._sent.wait_for(lambda: len(self.sent(method=method)) >= count)
        return self.sent(method=method)

    def state(self) -> dict[str, Any]:
        """Counts, violations, what waits."""
        return {
            "violations": self.world.violations, "waiting": self.delivery.waiting, "delivered": self.delivery.delivered,
            "refused": self.delivery.refused, "webhook": self.delivery.webhook.url, "calls": len(self.world.calls),
        }  # fmt: skip

    def check(self) -> None:
        """Raises AssertionError when a call broke the schema or a limit."""
        assert not self.world.violations, "\n".join(self.world.violations)

    # --- control over HTTP -------------------------------------------------------------------------------------------

    async def _control(self, request: web.Request) -> web.Response:
        deed = request.match_info["deed"]
        if deed not in DEEDS:
            return _answer(404, {"error": f"no deed {deed}; known: {', '.join(sorted(DEEDS))}"})
        keywords = orjson.loads(await request.read() or b"{}") if request.method == "POST" else _numbers(request.query)
        try:
            result = getattr(self, deed)(**keywords)
            if asyncio.iscoroutine(result):
                result = await result
        except (LookupError, TypeError, ValueError, TimeoutError) as error:
            return _answer(400, {"error": f"{type(error).__name__}: {error}"})
        return web.Response(body=msgspec.json.encode(result), content_type="application/json")


DEEDS = frozenset((
    "person", "say", "press", "contact", "location", "photo", "document", "edit", "block", "unblock", "push",
    "fail", "disturb", "sent", "texts", "wait", "wait_call", "state",
))  # fmt: skip
WORDS = {
    400: "Bad Request: chat not found", 401: "Unauthorized", 403: "Forbidden: bot was blocked by the user", 404: "Not Found",
    500: "Internal Server Error: restart",
}  # fmt: skip


def _answer(status: int, answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json", headers=headers)


def _cut(request: web.Request) -> web.Response:
    """Closes the connection without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


def _attached(params: Params, files: dict[str, tuple[str, bytes]]) -> tuple[Params, Files]:
    """`attach://name` in a field stands for the file part of that name."""
    for name, value in list(params.items()):
        if isinstance(value, str) and value.startswith("attach://") and value[9:] in files:
            files[name] = files.pop(value[9:])
            del params[name]
    return params, files


def _numbers(query: Mapping[str, str]) -> dict[str, Any]:
    return {name: int(value) if value.lstrip("-").isdigit() else value for name, value in query.items()}


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A Telegram for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--fast", action="store_true", help="no validation, any chat is known")
    parser.add_argument("--rates", action="store_true", help="the platform's own limits, with 429")
    parser.add_argument("--factor", type=float, default=1.0, help="scales the pauses between webhook retries")
    given = parser.parse_args()
    emulator = TelegramEmulator(port=given.port, strict=not given.fast, rates=given.rates, factor=given.factor)
    await emulator.start(given.host)
    print(f"telegram {emulator.url}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await emulator.stop()


if __name__ == "__main__":
    try:
        uvloop.run(_main())
    except KeyboardInterrupt:
        raise SystemExit(0) from None
