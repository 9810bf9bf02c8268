"""A VK for tests: a real HTTP server with the API, its judge, callbacks, long poll, uploads, and people to act with.

`python -m tests.emulators.vk --port 8082 [--rates]` runs it as a process of its own; tests in the same process use
`async with VkEmulator() as vk`. The same deeds are under `POST /control/<deed>` with JSON keywords.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from tests.emulators.serving import WAIT, Server, bad_gateway, cut, serve
from tests.emulators.vk_delivery import Delivery
from tests.emulators.vk_methods import EVENTS, Refuse, VkMethods
from tests.emulators.vk_world import Call, Fault, World, bytes_of

GROUP = 229_000_001
TOKEN = "vk1.a.token-of-nobody"
CODE = "c0de1234"
VERSION = "5.199"
CLIENT_INFO = {
    "button_actions": ["text", "callback", "location", "open_link"], "keyboard": True, "inline_keyboard": True, "carousel": False,
    "lang_id": 0,
}  # fmt: skip


class VkEmulator(Server[World, Delivery]):
    """One community's VK. `rates` switches the 20 requests a second on; `factor` scales the pauses between callbacks' retries."""

    deeds = frozenset((
        "person", "say", "open", "press", "press_payload", "photo", "document", "reply", "react", "voice", "album",
        "location", "long", "edit", "colleague", "deny", "allow", "push", "fail", "callback", "repeat", "long_poll",
        "settings", "sent", "texts", "wait", "wait_call", "state",
    ))  # fmt: skip

    def __init__(self, *, port: int = 0, rates: bool = False, factor: float = 0.02, group: int = GROUP) -> None:
        super().__init__(port, World(group), Delivery(group, factor))
        self.methods = VkMethods(self.world, self.delivery, rates=rates, code=CODE)
        self.listeners: list[Callable[[Call], None]] = []

    def route(self, router: web.UrlDispatcher) -> None:
        router.add_post("/method/{method}", self._serve)
        router.add_get("/lp/{group}", self._poll)
        router.add_post("/upload/{kind}/{number}", self._upload)
        router.add_get("/files/{path:.+}", self._file)

    async def start(self, host: str = "127.0.0.1") -> None:
        await super().start(host)
        self.world.upload_base = self.url

    # --- the API -----------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        form = {name: str(value) for name, value in (await request.post()).items()}
        peer = form.get("peer_id") or form.get("peer_ids", "")
        chat = int(peer) if peer.isdecimal() else 0
        fault = self.world.fault(method, chat, answers=False)
        if fault is not None and fault.kind not in {"lost", "late"}:
            spoiled = await self._spoil(request, fault)
            if spoiled is not None:
                return spoiled
        answer = self._run(method, form)
        await self._tell()
        if fault is not None and fault.kind == "late":
            await asyncio.sleep(fault.seconds)
        return cut(request) if fault is not None and fault.kind == "lost" else _answer(answer)

    def _run(self, method: str, form: Mapping[str, str]) -> dict[str, Any]:
        try:
            self.methods.check_rate()
            if form.get("v") != VERSION:
                self.world.violations.append(f"{method}: v is {form.get('v')}")
            if form.get("access_token") != TOKEN:
                raise Refuse(5)
            if method == "execute":
                return self.methods.execute(form.get("code", ""))
            return {"response": self.methods.run(method, form)}
        except Refuse as refuse:
            return {"error": {**refuse.json(), "request_params": [{"key": "method", "value": method}]}}

    async def _spoil(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "hang":
            await self._hang(fault.seconds)
        if fault.kind == "html":
            return bad_gateway()
        return cut(request)

    async def _tell(self) -> None:
        await self._notify()

    # --- long poll, uploads, files -----------------------------------------------------------------------------------

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        if self.delivery.down:
            return web.Response(status=502)
        query = request.query
        if query.get("act") != "a_check" or int(request.match_info["group"]) != self.world.group:
            return web.Response(status=404)
        answer = await self.delivery.check(query.get("key", ""), query.get("ts", ""), float(query.get("wait", "25")))
        return web.Response(status=502) if self.delivery.down else _answer(answer)

    async def _upload(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField) and name == {"photo": "photo", "doc": "file"}[kind]:
                return _answer(self.methods.take_upload(kind, value.filename, value.file.read()))
        return _answer({"error": "no_file"})

    async def _file(self, request: web.Request) -> web.Response:
        data = self.world.files.get(request.match_info["path"])
        return web.Response(status=404) if data is None else web.Response(body=data, content_type="image/jpeg")

    # --- deeds of people ---------------------------------------------------------------------------------------------

    def person(self, chat: int, name: str = "Анна") -> dict[str, Any]:
        """Makes a client known who has not written yet."""
        return {"id": self.world.person(chat, name).id}

    def say(self, chat: int, text: str, ref: str = "", payload: str = "", **content: Any) -> dict[str, Any]:
        """A message; a text that stands on a key of the keyboard is that key."""
        self.world.person(chat)
        more: dict[str, Any] = {**content, **({"ref": ref, "ref_source": "qr"} if ref else {})}
        return self._new(chat, {"text": text, **more, **({"payload": payload} if payload else {})})

    def open(self, chat: int, ref: str = "") -> dict[str, Any]:
        """The button «Начать», perhaps after a link."""
        return self.say(chat, "Начать", ref=ref, payload='{"command":"start"}')

    def press(self, chat: int, label: str = "") -> dict[str, Any]:
        """The newest callback button with this label (none: the last button), else a key of the keyboard."""
        try:
            message, action = self.world.button(chat, label)
        except LookupError:
            action = self.world.key(chat, label)
            self.world.person(chat).keyboard = None
            return self.say(chat, label, payload=action["payload"])
        return self.press_payload(chat, json.loads(action["payload"]), message["conversation_message_id"])

    def press_payload(self, chat: int, payload: Any, number: int = 1) -> dict[str, Any]:
        """A callback button with any payload."""
        event_id = f"{self.world.next_object():012x}"
        self.world.pressed[event_id] = time.monotonic()
        body = {
            "user_id": chat, "peer_id": chat, "event_id": event_id, "payload": payload, "conversation_message_id": number,
        }  # fmt: skip
        return self.methods.push("message_event", body)

    def photo(self, chat: int, content: str = "", caption: str = "") -> dict[str, Any]:
        """A picture in two sizes; `content` is base64."""
        data = bytes_of(content) or b"\xff\xd8\xff\xe0 a picture"
        sizes = [
            {"type": kind, "url": self.world.store("photo.jpg", bytes_), "width": width, "height": width}
            for kind, width, bytes_ in (("m", 130, data[: len(data) // 2]), ("z", 1280, data))
        ]
        photo = {
            "id": self.world.next_object(), "album_id": -9, "owner_id": chat, "date": int(time.time()), "has_tags": False,
            "sizes": sizes, "access_key": "k",
        }  # fmt: skip
        return self.say(chat, caption, attachments=[{"type": "photo", "photo": photo}])

    def document(self, chat: int, name: str = "счёт.pdf", content: str = "") -> dict[str, Any]:
        """A file; `content` is base64."""
        data = bytes_of(content) or b"%PDF-1.4 a document"
        doc = {
            "id": self.world.next_object(), "owner_id": chat, "title": name, "size": len(data),
            "ext": name.rpartition(".")[2], "date": int(time.time()), "type": 1, "url": self.world.store("doc", data),
        }  # fmt: skip
        return self.say(chat, "", attachments=[{"type": "doc", "doc": doc}])

    def location(self, chat: int, latitude: float = 55.75, longitude: float = 37.61) -> dict[str, Any]:
        geo = {"type": "point", "coordinates": {"latitude": latitude, "longitude": longitude}}
        return self.say(chat, "", geo=geo)

    def long(self, chat: int, text: str) -> dict[str, Any]:
        """A message that is too large for an event: it comes cut."""
        self.world.person(chat)
        message = self.world.message(chat, False, text=text)
        cut = {**message, "text": text[:10], "is_cropped": True}
        return self.methods.push("message_new", {"message": cut, "client_info": CLIENT_INFO})

    def edit(self, chat: int, number: int, text: str) -> dict[str, Any]:
        """The client changes the message of this number."""
        (message,) = [one for one in self.world.shown(chat) if one["conversation_message_id"] == number]
        message |= {"text": text, "update_time": int(time.time())}
        return self.methods.push("message_edit", message)

    def reply(self, chat: int, number: int, text: str) -> dict[str, Any]:
        """An answer to the message of this number, ours or the client's own."""
        (answered,) = [one for one in self.world.shown(chat) if one["conversation_message_id"] == number]
        kept = ("id", "date", "from_id", "text", "attachments", "conversation_message_id", "peer_id")
        return self.say(chat, text, reply_message={name: answered[name] for name in kept})

    def react(self, chat: int, number: int, mark: int = 0) -> dict[str, Any]:
        """The client's mark on a message from now on; 0 takes it away."""
        body = {"reacted_id": chat, "peer_id": chat, "cmid": number, **({"reaction_id": mark} if mark else {})}
        return self.methods.push("message_reaction_event", body)

    def voice(self, chat: int, seconds: int = 7) -> dict[str, Any]:
        url = self.world.store("voice.ogg", b"OggS a voice")
        voice = {
            "id": self.world.next_object(), "owner_id": chat, "duration": seconds, "link_ogg": url, "link_mp3": url,
            "waveform": [1, 2, 3], "access_key": "k",
        }  # fmt: skip
        return self.say(chat, "", attachments=[{"type": "audio_message", "audio_message": voice}])

    def album(self, chat: int, count: int = 3, caption: str = "") -> dict[str, Any]:
        """So many pictures in one message."""
        photos = []
        for _ in range(count):
            url = self.world.store("photo.jpg", b"\xff\xd8\xff\xe0 a picture")
            photo = {
                "id": self.world.next_object(), "album_id": -9, "owner_id": chat, "date": int(time.time()),
                "has_tags": False, "sizes": [{"type": "z", "url": url, "width": 1280, "height": 1280}],
            }  # fmt: skip
            photos.append({"type": "photo", "photo": photo})
        return self.say(chat, caption, attachments=photos)

    def colleague(self, chat: int, text: str, admin: int = 77) -> dict[str, Any]:
        """An administrator answers in VK itself."""
        self.world.person(chat)
        message = self.world.message(chat, True, text=text, admin_author_id=admin)
        return self.methods.push("message_reply", message)

    def deny(self, chat: int) -> dict[str, Any]:
        """The client forbids messages: 901 from now on."""
        self.world.person(chat).denied = True
        return self.methods.push("message_deny", {"user_id": chat})

    def allow(self, chat: int) -> dict[str, Any]:
        self.world.person(chat).denied = False
        return self.methods.push("message_allow", {"user_id": chat, "key": ""})

    def push(self, event: dict[str, Any]) -> dict[str, Any]:
        """Any event, as raw as it is given."""
        self.delivery.push(event)
        return event

    def _new(self, chat: int, content: Mapping[str, Any]) -> dict[str, Any]:
        message = self.world.message(chat, False, **content)
        return self.methods.push("message_new", {"message": message, "client_info": CLIENT_INFO})

    # --- trouble -----------------------------------------------------------------------------------------------------

    def fail(self, **how: Any) -> None:
        """Plants a fault (`Fault`)."""
        self.world.faults.append(Fault(**how))

    def callback(self, url: str, secret: str) -> dict[str, Any]:
        """A callback server that people set up by hand."""
        settings = dict.fromkeys(EVENTS, True)
        server = {
            "id": len(self.delivery.servers) + 1, "title": "by hand", "creator_id": 1, "url": url, "secret_key": secret,
            "status": "ok", "settings": settings,
        }  # fmt: skip
        self.delivery.servers.append(server)
        return {"id": server["id"]}

    async def repeat(self, event: dict[str, Any], times: int = 5, pause: float = 0.0) -> None:
        """Brings one event so many times to the first server, slowly, with the counter of retries."""
        await self.delivery.deliver(self.delivery.servers[0], event, always=times, pause=pause)

    def long_poll(self, **how: Any) -> None:
        """`down`: no answer · `deaf`: answers without events · `forget`: the past is gone (failed 1) · `key`: a new key
        (failed 2) · `polls`: events are kept at all."""
        for name in ("down", "deaf", "polls", "key"):
            if name in how:
                setattr(self.delivery, name, how[name])
        if how.get("forget"):
            self.delivery.forget()
        news, self.delivery.news = self.delivery.news, asyncio.Event()
        news.set()

    def settings(self, **how: Any) -> None:
        """`buttons`: bot features of the community · `manages`: the right of the key · `rates`: the 20 requests a second."""
        for name, value in how.items():
            setattr(self.methods, name, value)

    # --- what can be seen --------------------------------------------------------------------------------------------

    def sent(self, chat: int = 0, method: str = "messages.send") -> list[Call]:
        """Calls carried out or refused, in order."""
        return [call for call in self.world.calls if call.method == method and chat in {0, call.chat}]

    def texts(self, chat: int) -> list[str]:
        """What the community said in the chat, in order, as it stands there now."""
        return [one["text"] for one in self.world.shown(chat) if one["out"]]

    async def wait(self, chat: int, count: int = 1, timeout: float = WAIT) -> list[Call]:  # noqa: ASYNC109
        """Waits until so many messages were sent into the chat. Raises TimeoutError."""

        def done() -> list[Call]:
            return [call for call in self.sent(chat) if call.message_id]

        await self._until(lambda: len(done()) >= count, timeout)
        return done()

    async def wait_call(self, method: str, count: int = 1, timeout: float = WAIT) -> list[Call]:  # noqa: ASYNC109
        """Waits for calls of a method, refused ones too. Raises TimeoutError."""
        await self._until(lambda: len(self.sent(method=method)) >= count, timeout)
        return self.sent(method=method)

    def state(self) -> dict[str, Any]:
        """Counts, violations, what waits."""
        return {
            "violations": self.world.violations, "waiting": self.delivery.waiting, "unread": self.delivery.unread,
            "delivered": self.delivery.delivered, "intruders": self.world.intruders, "typing": self.world.typing,
            "refused": self.delivery.refused, "given_up": len(self.delivery.given_up), "calls": len(self.world.calls),
            "events": len(self.delivery.events), "servers": [
                {name: one[name] for name in ("url", "status")} for one in self.delivery.servers
            ],
        }  # fmt: skip


def _answer(answer: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")


if __name__ == "__main__":
    serve("vk", 8082, lambda given: VkEmulator(port=given.port, rates=given.rates, factor=given.factor))
