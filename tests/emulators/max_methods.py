"""The methods of the emulated MAX: each call is judged, then carried out or refused as MAX would."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from tests.emulators.max_delivery import Delivery
from tests.emulators.max_schema import limit_problems, max_schema
from tests.emulators.max_world import Call, World

PER_SECOND, PER_DIALOG = 30, 2
RENEWABLE = frozenset(("image", "video", "audio", "file"))

Json = Mapping[str, Any]
Query = Mapping[str, str]


class Refuse(Exception):
    """An answer `{code, message}` with this status."""

    def __init__(self, status: int, code: str, words: str = "", after: int = 0) -> None:
        super().__init__(code)
        self.status, self.code, self.words, self.after = status, code, words, after


class MaxMethods:
    """`rates` switches the limits of 30 calls a second, 2 messages a second into one dialog on. `processing` is how many
    seconds MAX works on an uploaded file."""

    def __init__(self, world: World, delivery: Delivery, *, rates: bool) -> None:
        self.world, self.delivery = world, delivery
        self.rates, self.processing = rates, 0.0
        self._calls: deque[float] = deque(maxlen=PER_SECOND)
        self._dialogs: dict[int, deque[float]] = {}

    async def run(self, call: Call, method: str, path: str) -> Any:
        """The answer. Raises Refuse."""
        problems = max_schema().problems(method, path, call.query, call.body) + limit_problems(method, path, call.body)
        self.world.violations += problems
        self._check_windows(call)
        if problems:
            raise Refuse(400, "proto.payload", "; ".join(problems))
        if self.rates:
            self._check_rates(call)
        name, _, rest = path.lstrip("/").partition("/")
        handler: Callable[[Call, str], Any] | None = getattr(self, f"_{method.lower()}_{name}", None)
        if handler is None:
            raise Refuse(404, "not.found", f"no method {method} {path}")
        answer = handler(call, unquote(rest))
        return await answer if isinstance(answer, Awaitable) else answer

    def _check_windows(self, call: Call) -> None:
        """A message while a 429 forbids it is a mistake of the bot's."""
        until = max(self.world.closed.get(0, 0.0), self.world.closed.get(call.chat, 0.0))
        if call.method == "POST /messages" and call.at < until:
            self.world.violations.append(f"a message {until - call.at:.2f} s before the end of a 429's window")

    def _check_rates(self, call: Call) -> None:
        for calls, most in ((self._calls, PER_SECOND), *self._dialog(call)):
            if len(calls) == most and call.at - calls[0] < 1.0:
                raise Refuse(429, "too.many.requests", "Too many requests")
            if calls.maxlen is None or len(calls) < most or call.at - calls[0] >= 1.0:
                calls.append(call.at)

    def _dialog(self, call: Call) -> list[tuple[deque[float], int]]:
        if call.method != "POST /messages":
            return []
        return [(self._dialogs.setdefault(call.chat, deque(maxlen=PER_DIALOG)), PER_DIALOG)]

    # --- the bot -----------------------------------------------------------------------------------------------------

    def _get_me(self, call: Call, rest: str) -> Json:
        return self.world.me()

    def _patch_me(self, call: Call, rest: str) -> Json:
        self.world.commands = list(call.body["commands"])
        return {"commands": self.world.commands}

    # --- updates -----------------------------------------------------------------------------------------------------

    def _get_subscriptions(self, call: Call, rest: str) -> Json:
        return {
            "subscriptions": [
                {"url": one["url"], "time": one["time"], "update_types": one.get("update_types"), "version": None}
                for one in self.delivery.subscriptions.values()
            ]
        }

    def _post_subscriptions(self, call: Call, rest: str) -> Json:
        if not call.body["url"].startswith(("https://", "http://127.0.0.1")):
            raise Refuse(400, "proto.payload", "Only HTTPS is supported")
        self.delivery.subscribe({**call.body, "time": self.world.now()})
        return {"success": True}

    def _delete_subscriptions(self, call: Call, rest: str) -> Json:
        gone = self.delivery.subscriptions.pop(call.query["url"], None)
        return {"success": gone is not None}

    async def _get_updates(self, call: Call, rest: str) -> Json:
        if self.delivery.subscriptions:  # what MAX answers is not documented: only that both do not go together
            raise Refuse(409, "subscription.active", "the bot has a webhook")
        query = call.query
        marker = int(query["marker"]) if "marker" in query else None
        types = [one for one in query.get("types", "").split(",") if one]
        return await self.delivery.ask(marker, int(query.get("limit", "100")), float(query.get("timeout", "30")), types)

    # --- messages ----------------------------------------------------------------------------------------------------

    def _post_messages(self, call: Call, rest: str) -> Json:
        group = int(call.query.get("chat_id", "0"))
        if group:
            self.world.groups.setdefault(group, []).append(call.body["text"])
            return {
                "message": {"recipient": {"chat_id": group, "chat_type": "chat"}, "body": {"mid": "mid.g", "seq": 1}}
            }
        self._check_reach(call.chat)
        attachments = [self._attached(one) for one in call.body["attachments"] or ()]
        link = self._link(call.body.get("link"), call.chat)
        message = self.world.message(call.chat, True, str(call.body.get("text") or ""), attachments, link)
        if call.body.get("format"):
            message["body"]["format"] = call.body["format"]
        call.mid = message["body"]["mid"]
        return {"message": _public(message)}

    def _check_reach(self, chat: int) -> None:
        person = self.world.people.get(chat)
        if person is None:
            raise Refuse(404, "chat.not.found", f"Chat with user {chat} not found")
        if person.stopped:
            raise Refuse(403, "chat.denied", f"Key: error.dialog.suspended, args: [{person.dialog},].")

    def _attached(self, one: Json) -> dict[str, Any]:
        """An attachment as it stands in the message. Raises Refuse while MAX is at work on it."""
        kind = one["type"]
        if kind not in RENEWABLE:
            return dict(one)
        token = one["payload"].get("token", "")
        if token not in self.world.uploads:
            raise Refuse(400, "proto.payload", "no such token")
        if self.world.ready_at[token] > time.time():
            raise Refuse(400, "attachment.not.ready", "Key: errors.process.attachment.file.not.processed")
        name, data = self.world.uploads[token]
        url = self.world.store(name, data)
        made: dict[str, Any] = {"type": kind, "payload": {"token": token, "url": url}}
        if kind == "image":
            made["payload"]["photo_id"] = self.world.next_number()
        return {**made, "filename": name, "size": len(data)} if kind == "file" else made

    def _link(self, link: Any, chat: int) -> Any:
        if not link:
            return None
        linked = self.world.messages.get(link["mid"])
        if linked is None:
            raise Refuse(404, "message.not.found", "the message to answer is not there")
        return {"type": link["type"], "sender": linked["sender"], "message": linked["body"]}

    def _put_messages(self, call: Call, rest: str) -> Json:
        message = self._own(call.query["message_id"])
        message["body"]["text"] = call.body["text"]
        message["body"].pop("format", None)
        if call.body.get("format"):
            message["body"]["format"] = call.body["format"]
        if call.body["attachments"] is not None:
            message["body"]["attachments"] = [self._attached(one) for one in call.body["attachments"]]
        return {"success": True}

    def _delete_messages(self, call: Call, rest: str) -> Json:
        self._own(call.query["message_id"])
        del self.world.messages[call.query["message_id"]]
        return {"success": True}

    def _own(self, mid: str) -> dict[str, Any]:
        message = self.world.messages.get(mid)
        if message is None:
            raise Refuse(404, "message.not.found", f"Message {mid} not found")
        if not message["sender"]["is_bot"]:
            raise Refuse(403, "chat.denied", "not a message of the bot")
        return message

    def _post_answers(self, call: Call, rest: str) -> Json:
        if not call.body.get("notification") and not call.body.get("message"):
            raise Refuse(400, "proto.payload", "message or notification expected")
        self.world.answered.append(call.query["callback_id"])
        return {"success": True}

    def _post_chats(self, call: Call, rest: str) -> Json:
        dialog = rest.partition("/")[0]
        person = self.world.by_dialog(int(dialog))
        if person is None:
            raise Refuse(404, "chat.not.found", f"Chat {dialog} not found")
        self.world.actions.append((person.id, call.body["action"]))
        return {"success": True}

    def _delete_chats(self, call: Call, rest: str) -> Json:
        del self.world.groups[int(rest.partition("/")[0])]
        self.world.left += 1
        return {"success": True}

    # --- files -------------------------------------------------------------------------------------------------------

    def _post_uploads(self, call: Call, rest: str) -> Json:
        kind, number = call.query["type"], self.world.next_number()
        made = {"url": f"{self.world.base}/upload/{kind}/{number}"}
        return {**made, "token": f"token-{number}"} if kind in {"video", "audio"} else made

    def take_upload(self, kind: str, number: str, name: str, data: bytes) -> Any:
        """The second step: what the server of files answers."""
        token = f"token-{number}"
        self.world.uploads[token] = name, data
        self.world.ready_at[token] = time.time() + self.processing
        if kind == "image":
            return {"photos": {f"photo-{number}": {"token": token}}}
        return "<retval>1</retval>" if kind in {"video", "audio"} else {"fileId": int(number), "token": token}

    def _get_videos(self, call: Call, rest: str) -> Json:
        if rest not in self.world.videos:
            raise Refuse(404, "video.not.found", "no such video")
        urls = {"mp4_480": self.world.videos[rest], "mp4_240": f"{self.world.base}/files/0/small.mp4"}
        return {"token": rest, "urls": urls, "width": 640, "height": 480, "duration": 3}


def _public(message: Json) -> dict[str, Any]:
    """A message as MAX sends it: how it was written is not told."""
    return {**message, "body": {name: value for name, value in message["body"].items() if name != "format"}}
