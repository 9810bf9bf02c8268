"""A Telegram for tests: a real HTTP server with the Bot API, its judge, its delivery, and people to act with.

`python -m tests.emulators.telegram --port 8081 [--fast] [--rates]` runs it as a process of its own; tests in the same
process use `async with TelegramEmulator() as telegram`. The same deeds are under `POST /control/<deed>` with JSON keywords.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Self

import msgspec
import orjson
import uvloop
from aiohttp import web

from tests.emulators.bot_api import BotApi, Files, Params, Refuse
from tests.emulators.delivery import Delivery, Disturb
from tests.emulators.schema import telegram_schema
from tests.emulators.telegram_people import People
from tests.emulators.world import Fault, Recorded, World

MOST_BYTES = 60 * 1024 * 1024
SEND_WAIT = 10.0


class TelegramEmulator(People):
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
            if after:
                self.world.close(call.chat, after)
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
            self.world.close(call.chat, fault.retry_after)
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
            "intruders": self.world.intruders, "commands": self.world.commands, "left": self.world.left,
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
    "album", "voice", "sticker", "video", "reply", "forward", "react", "speak_in_group", "migrate",
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
    """`attach://name` in a field stands for the file part of that name; inside an album it stays where it is."""
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
