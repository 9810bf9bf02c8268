"""A Telegram for tests: a real HTTP server with the Bot API, its judge, its delivery, and people to act with.

`python -m tests.emulators.telegram --port 8081 [--fast] [--rates]` runs it as a process of its own; tests in the same
process use `async with TelegramEmulator() as telegram`. The same deeds are under `POST /control/<deed>` with JSON keywords.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import orjson
from aiohttp import web

from tests.emulators.bot_api import BotApi, Files, Params, Refuse
from tests.emulators.delivery import Delivery, Disturb
from tests.emulators.schema import telegram_schema
from tests.emulators.serving import WAIT, Server, bad_gateway, cut, serve
from tests.emulators.telegram_people import People
from tests.emulators.world import Fault, Recorded, World


class TelegramEmulator(People, Server[World, Delivery]):
    """One bot's Telegram. `strict` validates and knows only chats that wrote; `fast` (not strict) is for load.

    `listeners` hear of every finished call, which is cheaper under load than `wait`.
    `rates` switches the platform's own 429s on; `factor` scales its pauses between webhook retries.
    """

    deeds = frozenset((
        "person", "say", "press", "contact", "location", "photo", "document", "edit", "block", "unblock", "push",
        "album", "voice", "sticker", "video", "reply", "forward", "react", "speak_in_group", "migrate",
        "fail", "disturb", "sent", "texts", "wait", "wait_call", "state",
    ))  # fmt: skip

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
        super().__init__(port, World(strict), Delivery(self._in_answer, factor, seed))
        self.strict, self.token = strict, token
        self.api = BotApi(self.world, self.delivery, strict=strict, rates=rates)
        self.listeners: list[Callable[[Recorded], None]] = []

    def route(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/bot{token}/{method}", self._serve)
        router.add_get("/file/bot{token}/{path:.+}", self._serve_file)
        router.add_get("/control/{deed}", self._control)

    async def keywords(self, request: web.Request) -> dict[str, Any]:
        """A deed may also be asked for by a browser."""
        return await super().keywords(request) if request.method == "POST" else _numbers(request.query)

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
            return cut(request)
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
            await self._hang(fault.seconds)
            return cut(request)
        if fault.kind == "cut":
            return cut(request)
        if fault.kind == "html":
            return bad_gateway()
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
        await self._notify()

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

    async def wait(self, chat: int, count: int = 1, after: int = 0, timeout: float = WAIT) -> list[Recorded]:  # noqa: ASYNC109
        """Waits until so many sends were carried out in the chat (after the call number `after`). Raises TimeoutError."""

        def done() -> list[Recorded]:
            return [call for call in self.world.sends.get(chat, []) if call.n > after and call.message_id]

        await self._until(lambda: len(done()) >= count, timeout)
        return done()

    async def wait_call(self, method: str, count: int = 1, timeout: float = WAIT) -> list[Recorded]:  # noqa: ASYNC109
        """Waits for calls of a method, refused ones too. Raises TimeoutError."""
        await self._until(lambda: len(self.sent(method=method)) >= count, timeout)
        return self.sent(method=method)

    def state(self) -> dict[str, Any]:
        """Counts, violations, what waits."""
        return {
            "violations": self.world.violations, "waiting": self.delivery.waiting, "delivered": self.delivery.delivered,
            "refused": self.delivery.refused, "webhook": self.delivery.webhook.url, "calls": len(self.world.calls),
            "intruders": self.world.intruders, "commands": self.world.commands, "left": self.world.left,
        }  # fmt: skip


WORDS = {
    400: "Bad Request: chat not found", 401: "Unauthorized", 403: "Forbidden: bot was blocked by the user", 404: "Not Found",
    500: "Internal Server Error: restart",
}  # fmt: skip


def _answer(status: int, answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json", headers=headers)


def _attached(params: Params, files: dict[str, tuple[str, bytes]]) -> tuple[Params, Files]:
    """`attach://name` in a field stands for the file part of that name; inside an album it stays where it is."""
    for name, value in list(params.items()):
        if isinstance(value, str) and value.startswith("attach://") and value[9:] in files:
            files[name] = files.pop(value[9:])
            del params[name]
    return params, files


def _numbers(query: Mapping[str, str]) -> dict[str, Any]:
    return {name: int(value) if value.lstrip("-").isdigit() else value for name, value in query.items()}


if __name__ == "__main__":
    serve(
        "telegram",
        8081,
        lambda given: TelegramEmulator(port=given.port, strict=not given.fast, rates=given.rates, factor=given.factor),
        fast="no validation, any chat is known",
    )
