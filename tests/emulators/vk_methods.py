"""The methods of the emulated VK: validated, limited, carried out, with VK's errors."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from tests.emulators.vk_delivery import Delivery
from tests.emulators.vk_schema import Wrong, check_limits, vk_schema
from tests.emulators.vk_world import Call, World

Params = dict[str, Any]
RATE = 20
EXECUTE = 25
CALL = re.compile(r"API\.([A-Za-z.]+)\(")
PRESS_SECONDS = 60.0
EVENTS = (
    "message_new", "message_reply", "message_edit", "message_allow", "message_deny", "message_event",
    "message_reaction_event",
)  # fmt: skip
OF_PEER = frozenset((18, 900, 901, 902, 917, 936, 945, 950))  # told of one of `peer_ids`, the call itself succeeds


class Refuse(Exception):
    """An answer with an error."""

    def __init__(self, code: int, words: str = "") -> None:
        self.code = code
        self.words = words or vk_schema().errors.get(str(code), {}).get("description", "Error")
        super().__init__(f"{code} {self.words}")

    def json(self) -> dict[str, Any]:
        extra = {"captcha_sid": "1", "captcha_img": "https://vk.ru/captcha"} if self.code == 14 else {}
        return {"error_code": self.code, "error_msg": self.words, **extra}


class VkMethods:
    """Carries calls out. `rates` switches the 20 requests a second on; `buttons` off is a community without bot features."""

    def __init__(self, world: World, delivery: Delivery, *, rates: bool, code: str) -> None:
        self.world, self.delivery, self.rates, self.code = world, delivery, rates, code
        self.broken = 0  # so many packs cannot be compiled
        self.buttons = True
        self.manages = True  # the key has the right of management
        self.polled: set[str] = set()  # what the long poll is switched on for
        self._recent: deque[float] = deque()
        self._methods: dict[str, Callable[[Params, Call], Any]] = {
            "messages.send": self._send,
            "messages.edit": self._edit,
            "messages.delete": self._delete,
            "messages.getHistory": self._history,
            "messages.getConversations": self._conversations,
            "messages.getByConversationMessageId": self._by_number,
            "messages.sendMessageEventAnswer": self._answer,
            "messages.setActivity": self._set_activity,
            "users.get": self._users,
            "groups.getLongPollServer": self._server,
            "groups.setLongPollSettings": self._set_polling,
            "groups.getLongPollSettings": self._polling,
            "groups.getTokenPermissions": self._permissions,
            "groups.getById": self._groups,
            "groups.getCallbackServers": self._servers,
            "groups.addCallbackServer": self._add_server,
            "groups.editCallbackServer": self._edit_server,
            "groups.setCallbackSettings": self._set_events,
            "groups.getCallbackConfirmationCode": self._confirmation,
            "photos.getMessagesUploadServer": lambda params, call: self._upload("photo"),
            "docs.getMessagesUploadServer": lambda params, call: self._upload("doc"),
            "photos.saveMessagesPhoto": self._save_photo,
            "docs.save": self._save_doc,
        }

    def check_rate(self) -> None:
        """Raises error 6."""
        now = time.monotonic()
        self.world.requests.append(time.time())
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        if self.rates and len(self._recent) >= RATE:
            raise Refuse(6)
        self._recent.append(now)

    def run(self, method: str, form: Mapping[str, str], packed: bool = False) -> Any:
        """The response of a call. Raises Refuse."""
        if method not in self._methods:
            raise Refuse(3)
        try:
            params = vk_schema().decode(method, form)
        except Wrong as wrong:
            self.world.violations.append(f"{method}: {wrong}")
            raise Refuse(100, str(wrong)) from None
        call = self.world.record(method, params, packed)
        try:
            self._judge(method, params, call)
            response = self._methods[method](params, call)
        except Refuse as refuse:
            call.error = str(refuse.code)
            raise
        self.world.violations += [f"answer of {problem}" for problem in vk_schema().answer_problems(method, response)]
        return response

    def execute(self, code: str) -> dict[str, Any]:
        """`return [API.a.b({…}),…];`: results, and the errors of the refused calls apart. Raises Refuse."""
        calls = parse_code(code)
        if self.broken:
            self.broken -= 1
            raise Refuse(12)
        if len(calls) > EXECUTE:
            raise Refuse(13, "Runtime error occurred during code invocation: Too many api calls")
        results: list[Any] = []
        errors: list[dict[str, Any]] = []
        for method, form in calls:
            try:
                results.append(self.run(method, form, packed=True))
            except Refuse as refuse:
                results.append(False)
                errors.append({"method": method, **refuse.json()})
        return {"response": results, **({"execute_errors": errors} if errors else {})}

    def _judge(self, method: str, params: Params, call: Call) -> None:
        problems = vk_schema().problems(method, params)
        if problems:
            self.world.violations += problems
            raise Refuse(100, problems[0])
        if method in {"messages.send", "messages.edit"} and params.get("keyboard") and not self.buttons:
            raise Refuse(912)
        limits = check_limits(method, params)
        if limits:
            self.world.violations += [f"{method}: {code} {words}" for code, words in limits]
            raise Refuse(*limits[0])
        fault = self.world.fault(method, call.chat, answers=True)
        if fault is not None:
            if fault.kind == "9" and fault.seconds:
                now = time.monotonic()
                self.world.closed[call.chat] = now, now + fault.seconds
            raise Refuse(int(fault.kind))

    # --- messages ----------------------------------------------------------------------------------------------------

    def _send(self, params: Params, call: Call) -> Any:
        """The message's id; with `peer_ids` what became of each peer, here of one."""
        peers = params.get("peer_ids")
        if peers is None:
            return int(self._send_one(params, call)["id"])
        if len(peers) != 1:
            raise Refuse(100, "the emulator sends to one peer at a time")
        try:
            message = self._send_one(params, call)
        except Refuse as refuse:
            if refuse.code not in OF_PEER:
                raise
            call.error = str(refuse.code)
            error = {"code": refuse.code, "description": refuse.words}
            return [{"peer_id": peers[0], "message_id": 0, "conversation_message_id": 0, "error": error}]
        shown = {"message_id": message["id"], "conversation_message_id": message["conversation_message_id"]}
        return [{"peer_id": peers[0], **shown}]

    def _send_one(self, params: Params, call: Call) -> dict[str, Any]:
        known = self.world.keys.get(params["random_id"])
        if known is not None:
            if known["peer_id"] != call.chat:
                self.world.violations.append(f"random_id {params['random_id']} is used for two messages")
            call.message_id = known["id"]
            return known
        person = self.world.people.get(call.chat)
        if person is None or person.denied:
            raise Refuse(901)
        content = self._content(params) | self._forwarded(params, call)
        message = self.world.message(call.chat, True, random_id=params["random_id"], **content)
        self.world.keys[params["random_id"]] = message
        keyboard = json.loads(params["keyboard"]) if params.get("keyboard") else None
        if keyboard is not None and not keyboard.get("inline"):
            person.keyboard = keyboard if keyboard["buttons"] else None
        call.message_id = message["id"]
        self.push("message_reply", message)
        return message

    def _forwarded(self, params: Params, call: Call) -> dict[str, Any]:
        """What the message answers."""
        if not params.get("forward"):
            return {}
        forward = json.loads(params["forward"])
        wanted = forward.get("conversation_message_ids", [])
        found = [one for one in self.world.shown(call.chat) if one["conversation_message_id"] in wanted]
        if not forward.get("is_reply") or len(wanted) != 1 or forward.get("peer_id") != call.chat or not found:
            raise Refuse(100, "One of the parameters specified was missing or invalid: forward")
        kept = ("id", "date", "from_id", "text", "attachments", "conversation_message_id", "peer_id")
        return {"reply_message": {name: found[0][name] for name in kept}}

    def _set_activity(self, params: Params, call: Call) -> int:
        person = self.world.people.get(call.chat)
        if person is None or person.denied:
            raise Refuse(901)
        self.world.typing.append(call.chat)
        return 1

    def _numbered(self, chat: int, number: int) -> dict[str, Any] | None:
        """The message of this number, deleted ones too."""
        return next((one for one in self.world.chats.get(chat, []) if one["conversation_message_id"] == number), None)

    def _content(self, params: Params) -> dict[str, Any]:
        content: dict[str, Any] = {"text": params.get("message", "")}
        if params.get("format_data"):
            content["format_data"] = json.loads(params["format_data"])
        if params.get("keyboard"):
            content["keyboard"] = json.loads(params["keyboard"])
        names = [name for name in str(params.get("attachment", "")).split(",") if name]
        unknown = [name for name in names if name not in self.world.attachments]
        if unknown:
            raise Refuse(100, f"attachments {unknown} are not known")
        content["attachments"] = [self.world.attachments[name] for name in names]
        return content

    def _edit(self, params: Params, call: Call) -> int:
        message = (
            self._numbered(call.chat, params["cmid"])
            if "cmid" in params
            else self.world.by_id.get(params.get("message_id", 0))
        )
        if message is None or not message["out"] or message["peer_id"] != call.chat or message.get("deleted"):
            raise Refuse(910)
        if not (message.get("keyboard") or {"inline": True}).get("inline"):
            raise Refuse(920)
        message.pop("keyboard", None)
        message |= {**self._content(params), "update_time": int(time.time())}
        self.push("message_edit", message)
        return 1

    def _delete(self, params: Params, call: Call) -> list[dict[str, Any]]:
        found = [self._numbered(call.chat, number) for number in params.get("cmids", [])]
        if not found or not all(found) or any(message and message.get("deleted") for message in found):
            raise Refuse(924)
        for message in found:
            if message is not None:
                message["deleted"] = 1
        return [
            {"peer_id": call.chat, "conversation_message_id": number, "response": 1}
            for number in params.get("cmids", [])
        ]

    def _history(self, params: Params, call: Call) -> dict[str, Any]:
        shown = list(reversed(self.world.shown(call.chat)))
        offset = params.get("offset", 0)
        return {"count": len(shown), "items": shown[offset : offset + params.get("count", 20)]}

    def _conversations(self, params: Params, call: Call) -> dict[str, Any]:
        latest = sorted(
            ((messages[-1]["id"], peer) for peer, messages in self.world.chats.items() if messages), reverse=True
        )
        offset = params.get("offset", 0)
        items = [self._conversation(peer) for _, peer in latest[offset : offset + params.get("count", 20)]]
        return {"count": len(latest), "items": items}

    def _conversation(self, peer: int) -> dict[str, Any]:
        last = self.world.chats[peer][-1]
        conversation = {
            "peer": {"id": peer, "type": "user", "local_id": peer},
            "last_message_id": last["id"], "in_read": 0, "out_read": 0, "version": 1, "last_conversation_message_id":
            last["conversation_message_id"], "in_read_cmid": 0, "out_read_cmid": 0, "is_marked_unread": False,
            "important": False,
        }  # fmt: skip
        return {"conversation": conversation, "last_message": last}

    def _by_number(self, params: Params, call: Call) -> dict[str, Any]:
        wanted = set(params["conversation_message_ids"])
        items = [one for one in self.world.shown(call.chat) if one["conversation_message_id"] in wanted]
        return {"count": len(items), "items": items}

    def _answer(self, params: Params, call: Call) -> int:
        if time.monotonic() - self.world.pressed.pop(params["event_id"], 0.0) > PRESS_SECONDS:
            raise Refuse(100, "event_id is invalid or expired")
        return 1

    def _users(self, params: Params, call: Call) -> list[dict[str, Any]]:
        known = [self.world.people[int(id)] for id in params.get("user_ids", []) if int(id) in self.world.people]
        return [
            {"id": one.id, "first_name": one.name, "last_name": "Иванова", "screen_name": f"id{one.id}"}
            for one in known
        ]

    # --- settings ----------------------------------------------------------------------------------------------------

    def _managed(self) -> None:
        if not self.manages:
            raise Refuse(15)

    def _server(self, params: Params, call: Call) -> dict[str, Any]:
        return {
            "key": self.delivery.key, "server": f"{self.world.upload_base}/lp/{self.world.group}",
            "ts": str(len(self.delivery.events)),
        }  # fmt: skip

    def _set_polling(self, params: Params, call: Call) -> int:
        self._managed()
        self.polled = {name for name, on in params.items() if on == 1 or on is True}
        return 1

    def _polling(self, params: Params, call: Call) -> dict[str, Any]:
        names = vk_schema().definitions["groups_long_poll_events"]["properties"]
        events = {name: int(name in self.polled) for name in names}
        return {"is_enabled": "enabled" in self.polled, "api_version": "5.199", "events": events}

    def _permissions(self, params: Params, call: Call) -> dict[str, Any]:
        names = ["messages", "photos", "docs", *(["manage"] if self.manages else [])]
        return {"mask": 0, "permissions": [{"name": name, "setting": 1} for name in names]}

    def _groups(self, params: Params, call: Call) -> dict[str, Any]:
        return {"groups": [{"id": self.world.group, "name": "Магазин"}], "profiles": []}

    def _servers(self, params: Params, call: Call) -> dict[str, Any]:
        self._managed()
        items = [{name: value for name, value in one.items() if name != "settings"} for one in self.delivery.servers]
        return {"count": len(items), "items": items}

    def _add_server(self, params: Params, call: Call) -> dict[str, Any]:
        self._managed()
        server = {
            "id": len(self.delivery.servers) + 1, "title": params["title"], "creator_id": 1, "url": params["url"],
            "secret_key": params.get("secret_key", ""), "status": "wait", "settings": {},
        }  # fmt: skip
        self.delivery.servers.append(server)
        self.delivery.spawn(self.delivery.confirm(server, self.code))
        return {"server_id": server["id"]}

    def _edit_server(self, params: Params, call: Call) -> int:
        self._managed()
        (server,) = [one for one in self.delivery.servers if one["id"] == params["server_id"]]
        server |= {"url": params["url"], "title": params["title"], "secret_key": params.get("secret_key", "")}
        self.delivery.spawn(self.delivery.confirm(server, self.code))
        return 1

    def _set_events(self, params: Params, call: Call) -> int:
        self._managed()
        (server,) = [one for one in self.delivery.servers if one["id"] == params["server_id"]]
        server["settings"] |= {name: True for name in EVENTS if params.get(name)}
        return 1

    def _confirmation(self, params: Params, call: Call) -> dict[str, Any]:
        self._managed()
        return {"code": self.code}

    def push(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """An event of the community, on its way."""
        event = {
            "type": kind, "object": dict(body), "group_id": self.world.group, "v": "5.199",
            "event_id": f"{self.world.next_object():040x}",
        }  # fmt: skip
        self.world.violations += [f"event {kind}: {one}" for one in vk_schema().event_problems(event)]
        self.delivery.push(event)
        return event

    # --- uploads -----------------------------------------------------------------------------------------------------

    def _upload(self, kind: str) -> dict[str, Any]:
        url = f"{self.world.upload_base}/upload/{kind}/{self.world.next_object()}"
        return {"upload_url": url, **({"album_id": -64, "user_id": 0, "group_id": 0} if kind == "photo" else {})}

    def take_upload(self, kind: str, name: str, data: bytes) -> dict[str, Any]:
        """What an upload server answers."""
        url = self.world.store(name, data)
        if kind == "photo":
            picture = data.startswith((b"\xff\xd8", b"\x89PNG", b"GIF8"))
            return {"server": 1, "photo": json.dumps([url]) if picture else "[]", "hash": "h"}
        return {"file": json.dumps([url, name])}

    def _save_photo(self, params: Params, call: Call) -> list[dict[str, Any]]:
        (url,) = json.loads(params["photo"])
        photo = {
            "id": self.world.next_object(), "album_id": -64, "owner_id": -self.world.group, "access_key": "k",
            "date": int(time.time()), "has_tags": False, "sizes": [{"type": "x", "url": url, "width": 604, "height": 604}],
        }  # fmt: skip
        self.world.attachments[f"photo{photo['owner_id']}_{photo['id']}_k"] = {"type": "photo", "photo": photo}
        return [photo]

    def _save_doc(self, params: Params, call: Call) -> dict[str, Any]:
        url, name = json.loads(params["file"])
        doc = {
            "id": self.world.next_object(), "owner_id": -self.world.group, "title": params.get("title") or name, "size": 1,
            "ext": name.rpartition(".")[2], "date": int(time.time()), "type": 1, "url": url,
        }  # fmt: skip
        self.world.attachments[f"doc{doc['owner_id']}_{doc['id']}"] = {"type": "doc", "doc": doc}
        return {"type": "doc", "doc": doc}


def parse_code(code: str) -> list[tuple[str, dict[str, str]]]:
    """The calls of `return [API.a.b({…}),…];`. Raises Refuse where VK could not compile it."""
    if not (code.startswith("return [") and code.endswith("];")):
        raise Refuse(12)
    found = []
    at = len("return [")
    while at < len(code) - 2:
        call = CALL.match(code, at)
        if call is None:
            raise Refuse(12)
        try:
            params, at = json.JSONDecoder().raw_decode(code, call.end())
        except ValueError:
            raise Refuse(12) from None
        found.append((call[1], {name: str(value) for name, value in params.items()}))
        if code[at : at + 1] != ")":
            raise Refuse(12)
        at += 2  # the bracket, and a comma or the end
    return found
