"""A small messenger with an integrator of the channel `api`: a real HTTP server, its judge, its clients to act with.

`python -m tests.emulators.api --port 8083` runs it as a process of its own; tests in the same process use
`async with ApiMessenger() as api`. The same deeds are under `POST /control/<deed>` with JSON keywords.

It is the reference of `frontline channel-test`; `flaws` break it on purpose, one each.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.emulators.api_delivery import BACK_FLAWS, Delivery
from tests.emulators.api_secrets import SECRET
from tests.emulators.api_world import TEXT_LIMIT, Call, Fault, World
from tests.emulators.serving import WAIT, Server, bad_gateway, cut, serve
from tests.emulators.world import bytes_of

RATE = 20  # calls a second with `rates`
FLAWS = frozenset((
    "unsigned", "any_signature", "first_signature", "any_time", "no_keys", "new_id", "racing", "no_id", "html", "crash_on_junk",
    "crash_on_unknown", "strict_fields", "short_texts", "crash_on_unicode", "no_edit", "gone_is_410", "no_retry_after", "slow",
    "no_quote", *BACK_FLAWS,
))  # fmt: skip


class ApiMessenger(Server[World, Delivery]):
    """One messenger. `rates` switches its 429s on, `factor` scales the pauses between repetitions of events."""

    deeds = frozenset((
        "connect", "person", "say", "open", "press", "contact", "location", "photo", "document", "edit", "react", "colleague",
        "block", "seen", "push", "repeat", "fail", "sent", "texts", "wait", "wait_calls", "state",
    ))  # fmt: skip
    most_bytes = 4 * 1024 * 1024

    def __init__(
        self,
        *,
        port: int = 0,
        rates: bool = False,
        factor: float = 0.02,
        secret: str = SECRET,
        flaws: tuple[str, ...] = (),
    ) -> None:
        assert set(flaws) <= FLAWS, flaws
        self._rates, self.flaws = rates, frozenset(flaws)
        super().__init__(port, World(), Delivery(factor, secret, self.flaws))
        self._times: deque[float] = deque()
        self._busy: set[str] = set()

    def route(self, router: web.UrlDispatcher) -> None:
        router.add_post("/calls", self._serve)
        router.add_get("/files/{path:.+}", self._file)

    # --- calls of the bot --------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if not self._trusts(request, raw):
            return _answer({"title": "the signature does not fit"}, 401)
        key = request.headers.get("webhook-id", "")
        try:
            body = orjson.loads(raw)
            if not isinstance(body, dict):
                raise ValueError
        except ValueError:
            return _answer({"title": "not a JSON object"}, 500 if "crash_on_junk" in self.flaws else 400)
        call = self.world.record(body, key or str(body.get("key", "")))
        fault = self.world.fault(call) if self.world.faults else None
        if fault is not None and fault.kind not in {"lost", "late"}:
            spoiled = await self._spoil(request, fault)
            if spoiled is not None:
                call.status = spoiled.status
                await self._notify()
                return spoiled
        status, said = await self._once(call, request)
        call.status, call.message_id = status, str(said.get("message_id", ""))
        await self._notify()
        if fault is not None and fault.kind == "late":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "lost":
            return cut(request)
        return await self._said(status, said)

    def _trusts(self, request: web.Request, raw: bytes) -> bool:
        if "unsigned" in self.flaws or ("any_signature" in self.flaws and "webhook-signature" in request.headers):
            return True
        headers = {name.lower(): value for name, value in request.headers.items()}
        if "any_time" in self.flaws and headers.get("webhook-timestamp", "").isdecimal():
            return headers.get("webhook-signature", "") in self._sign(headers, raw)
        if "first_signature" in self.flaws:
            headers["webhook-signature"] = headers.get("webhook-signature", "").split(" ")[0]
        try:
            Webhook(self.delivery.secret).verify(raw, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            return False
        return True

    def _sign(self, headers: dict[str, str], raw: bytes) -> list[str]:
        """The signatures that fit; none for bytes that are no text, which the library does not sign."""
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        try:
            return [Webhook(self.delivery.secret).sign(headers.get("webhook-id", ""), at, raw.decode())]
        except UnicodeDecodeError:
            return []

    async def _once(self, call: Call, request: web.Request) -> tuple[int, dict[str, Any]]:
        """Each key is carried out once; one that is under way twice waits for itself."""
        if self._too_fast():
            return 429, {"title": "too fast"}
        while call.key in self._busy and "racing" not in self.flaws:
            await asyncio.sleep(0.01)
        known = self.world.answers.get(call.key)
        if known is not None and not self.flaws & {"no_keys", "new_id"}:
            return known
        self._busy.add(call.key)
        if "racing" in self.flaws:
            await asyncio.sleep(0.05)
        try:
            status, said = await self._carry_out(call, request)
        finally:
            self._busy.discard(call.key)
        if "new_id" in self.flaws and known is not None:
            said = {**said, "message_id": self.world.next("m")}
        if status < 400:
            self.world.answers[call.key] = status, said
        return status, said

    async def _carry_out(self, call: Call, request: web.Request) -> tuple[int, dict[str, Any]]:
        body, broken = call.body, self._broken(call)
        if broken is not None:
            return broken
        wrong = self.world.judge.faults(body, call.key, request.headers)
        if wrong:
            self.world.violations += wrong
            return 422, {"title": "it does not fit the schema", "detail": wrong[0]}
        if call.type != "menu" and self.world.person(call.chat).blocked:
            return 410, {"code": "unreachable", "title": "the client has blocked the bot"}
        if call.type in {"typing", "menu"}:
            self.world.typed += [call.chat] if call.type == "typing" else []
            self.world.menu = body.get("commands", self.world.menu)
            return 200, {}
        if call.type == "send":
            return await self._show(call)
        return self._change(call)

    async def _show(self, call: Call) -> tuple[int, dict[str, Any]]:
        body = call.body
        for file in body.get("files", []):
            self.world.fetched[file["id"]] = await self._fetch(file["url"])
        content = {name: body[name] for name in ("text", "marks", "buttons", "files", "quote") if name in body}
        return 200, {"message_id": self.world.show(call.chat, True, **content).id}

    def _change(self, call: Call) -> tuple[int, dict[str, Any]]:
        message = self.world.shown.get(call.body["message_id"])
        if message is None or message.chat != call.chat or message.deleted or not message.out:
            if "gone_is_410" in self.flaws:
                return 410, {"title": "gone"}
            return 404, {"code": "message_not_found", "title": "there is no such message"}
        if call.type == "delete":
            message.deleted = True
            return 200, {}
        for name, none in (("text", ""), ("marks", []), ("buttons", [])):
            setattr(message, name, call.body.get(name, none))
        return 200, {"message_id": message.id}

    def _broken(self, call: Call) -> tuple[int, dict[str, Any]] | None:
        """What a flaw answers instead."""
        text = str(call.body.get("text", ""))
        known = {"type", "key", "chat", "text", "marks", "buttons", "files", "quote", "message_id", "commands"}
        crashes = {
            "crash_on_unknown": call.type not in {"send", "edit", "delete", "typing", "menu"},
            "strict_fields": not set(call.body) <= known,
            "short_texts": len(text) > TEXT_LIMIT // 2,
            "crash_on_unicode": any(symbol > "\uffff" for symbol in text),
            "no_edit": call.type == "edit",
            "no_quote": "quote" in call.body,
        }
        hit = next((flaw for flaw, happens in crashes.items() if happens and flaw in self.flaws), "")
        return (422 if hit == "strict_fields" else 500, {"title": hit}) if hit else None

    async def _said(self, status: int, said: dict[str, Any]) -> web.Response:
        if "slow" in self.flaws:
            await asyncio.sleep(1.5)
        if "html" in self.flaws and status < 300:
            return web.Response(text="<html>OK</html>", content_type="text/html")
        if "no_id" in self.flaws:
            said = {name: value for name, value in said.items() if name != "message_id"}
        after = {} if status != 429 or "no_retry_after" in self.flaws else {"Retry-After": "1"}
        return _answer(said, status, after)

    def _too_fast(self) -> bool:
        now = time.monotonic()
        while self._times and now - self._times[0] > 1.0:
            self._times.popleft()
        if self._rates and len(self._times) >= RATE:
            return True
        self._times.append(now)
        return False

    async def _fetch(self, url: str) -> bytes:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _spoil(self, request: web.Request, fault: Fault) -> web.Response | None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "hang":
            await self._hang(fault.seconds)
        if fault.kind == "html":
            return bad_gateway()
        if fault.kind == "bare":
            return web.Response()
        if fault.kind.isdecimal():
            after = {"Retry-After": f"{fault.seconds:g}"} if fault.seconds else {}
            return _answer(fault.said, int(fault.kind), after)
        return cut(request)

    async def _file(self, request: web.Request) -> web.Response:
        data = self.world.files.get(request.match_info["path"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    # --- deeds of people ---------------------------------------------------------------------------------------------

    def connect(self, hook: str, secret: str = "") -> None:
        """Where events go, and what is signed with."""
        self.delivery.hook, self.delivery.secret = hook, secret or self.delivery.secret

    def person(self, chat: int | str, name: str = "Анна Иванова") -> dict[str, Any]:
        """Makes a client known who has not written yet."""
        return {"id": self.world.person(str(chat), name).id}

    def say(self, chat: int | str, text: str = "", **content: Any) -> dict[str, Any]:
        message = self.world.show(str(chat), False, text=text)
        return self._event("message", chat, message_id=message.id, **({"text": text} if text else {}), **content)

    def open(self, chat: int | str, ref: str = "") -> dict[str, Any]:
        """The client comes, perhaps by a link."""
        return self._event("opened", chat, link=ref)

    def press(self, chat: int | str, label: str = "") -> dict[str, Any]:
        """The newest button with this label (none: the last button)."""
        message, button = self.world.button(str(chat), label)
        return self._event("press", chat, token=button["token"], label=button["label"], message_id=message.id)

    def contact(self, chat: int | str, phone: str, own: bool = True) -> dict[str, Any]:
        return self.say(chat, contact={"phone": phone, "name": "Анна", "own": own})

    def location(self, chat: int | str, latitude: float = 55.75, longitude: float = 37.61) -> dict[str, Any]:
        return self.say(chat, location={"latitude": latitude, "longitude": longitude})

    async def photo(self, chat: int | str, content: str = "", caption: str = "", way: str = "upload") -> dict[str, Any]:
        """A picture; `content` is base64. `way`: uploaded first, or by its address (`url`)."""
        return await self.document(chat, "photo.jpg", content, "photo", caption, way)

    async def document(
        self, chat: int | str, name: str, content: str = "", kind: str = "file", caption: str = "", way: str = "upload"
    ) -> dict[str, Any]:
        data = bytes_of(content) or b"\xff\xd8\xff\xe0 a picture"
        attachment = {"kind": kind, "name": name}
        if way == "upload":
            attachment["file"] = await self.delivery.upload(name, data)
        else:
            path = f"{self.world.next('f')}/file"  # what it is called stands beside it
            self.world.files[path] = data
            attachment["url"] = f"{self.url}/files/{path}"
        return self.say(chat, caption, attachments=[attachment])

    def edit(self, chat: int | str, message: str, text: str) -> dict[str, Any]:
        self.world.shown[message].text = text
        return self._event("edited", chat, message_id=message, text=text)

    def react(self, chat: int | str, message: str, *emojis: str) -> dict[str, Any]:
        return self._event("reacted", chat, message_id=message, emojis=list(emojis))

    def colleague(self, chat: int | str, text: str, operator: str = "77") -> dict[str, Any]:
        """A colleague answers in the messenger itself."""
        message = self.world.show(str(chat), True, text=text)
        return self._event("colleague_reply", chat, operator=operator, text=text, message_id=message.id)

    def block(self, chat: int | str, blocked: bool = True) -> dict[str, Any]:
        """The client forbids messages (410 from now on), or allows them again."""
        self.world.person(str(chat)).blocked = blocked
        return self._event("reachability", chat, reachable=not blocked)

    def seen(self, chat: int | str, message: str) -> dict[str, Any]:
        return self._event("seen", chat, message_id=message)

    def push(self, event: dict[str, Any]) -> dict[str, Any]:
        """Any body, as raw as it is given."""
        self.delivery.push(event)
        return event

    async def repeat(self, event: dict[str, Any], times: int = 5, pause: float = 0.0) -> None:
        """Brings one event so many times, slowly."""
        await self.delivery.deliver(event, always=times, pause=pause)

    def _event(self, kind: str, chat: int | str, **content: Any) -> dict[str, Any]:
        person = self.world.person(str(chat))
        sender = {"id": person.id, "name": person.name, "language": "ru"}
        event = {"type": kind, "id": self.world.next("e"), "chat": person.id, "sender": sender, **content}
        self.delivery.push(event)
        return event

    def fail(self, **how: Any) -> None:
        """Plants a fault (`Fault`)."""
        self.world.faults.append(Fault(**{**how, "chat": str(how.get("chat", ""))}))

    # --- what can be seen --------------------------------------------------------------------------------------------

    def sent(self, chat: int | str = "", type: str = "") -> list[Call]:
        """Calls, in order; of one chat and one type when they are named."""
        return [one for one in self.world.calls if str(chat) in {"", one.chat} and type in {"", one.type}]

    def texts(self, chat: int | str) -> list[str]:
        """What the bot said in the chat, in order, as it stands there now."""
        return [one.text for one in self.world.chat(str(chat)) if one.out]

    async def wait(self, chat: int | str, count: int = 1, timeout: float = WAIT) -> list[str]:  # noqa: ASYNC109
        """Waits until so many messages of the bot stand in the chat. Raises TimeoutError."""
        await self._until(lambda: len(self.texts(chat)) >= count, timeout)
        return self.texts(chat)

    async def wait_calls(self, count: int, timeout: float = WAIT) -> list[Call]:  # noqa: ASYNC109
        """Waits for so many answered calls. Raises TimeoutError."""

        def done() -> list[Call]:
            return [call for call in self.world.calls if call.status]

        await self._until(lambda: len(done()) >= count, timeout)
        return done()

    async def wait_delivered(self) -> None:
        """Waits until no delivery is under way."""
        await self.delivery.idle()

    def state(self) -> dict[str, Any]:
        """Counts, violations, what waits."""
        return {
            "violations": self.world.violations, "waiting": self.delivery.waiting, "delivered": self.delivery.delivered,
            "statuses": self.delivery.statuses, "given_up": len(self.delivery.given_up), "calls": len(self.world.calls),
            "menu": self.world.menu, "answers": self.delivery.answers[-5:],
        }  # fmt: skip


def _answer(answer: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=json.dumps(answer), content_type="application/json", headers=headers)


if __name__ == "__main__":
    serve("api", 8083, lambda given: ApiMessenger(port=given.port, rates=given.rates, factor=given.factor))
