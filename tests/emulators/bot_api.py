"""The Bot API methods of the emulator: what each does to the world, and the errors of the real server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.emulators.delivery import Conflict, Delivery, Webhook
from tests.emulators.limits import check_limits
from tests.emulators.schema import telegram_schema
from tests.emulators.world import Recorded, World

QUERY_SECONDS = 60.0
MOST_DOWNLOAD = 20 * 1024 * 1024
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
MEDIA = {
    "sendPhoto": "photo",
    "sendDocument": "document",
    "sendVoice": "voice",
    "sendVideo": "video",
    "sendAudio": "audio",
    "sendSticker": "sticker",
    "sendAnimation": "animation",
    "sendVideoNote": "video_note",
}
NOT_IN_ANSWERS = ("get", "setWebhook", "close", "logOut")

Params = dict[str, Any]
Files = Mapping[str, tuple[str, bytes]]


class Refuse(Exception):
    """An error answer."""

    def __init__(self, code: int, words: str, **parameters: Any) -> None:
        super().__init__(words)
        self.code, self.words, self.parameters = code, words, parameters


class Rates:
    """The platform's own limits: 1/s per chat with short bursts, 30/s in all, 20/min per group."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def check(self, chat: int) -> None:
        """Raises Refuse 429."""
        self._take("all", 30.0, 40.0)
        self._take(f"chat:{chat}", *((20 / 60, 20.0) if chat < 0 else (1.0, 5.0)))

    def _take(self, name: str, per_second: float, burst: float) -> None:
        now = time.monotonic()
        tokens, at = self._buckets.get(name, (burst, now))
        tokens = min(burst, tokens + (now - at) * per_second)
        if tokens < 1:
            after = max(1, round((1 - tokens) / per_second))
            raise Refuse(429, f"Too Many Requests: retry after {after}", retry_after=after)
        self._buckets[name] = (tokens - 1, now)


class BotApi:
    """One bot. `strict` validates every call and notes what breaks the schema or a limit in `world.violations`."""

    def __init__(self, world: World, delivery: Delivery, *, strict: bool, rates: bool) -> None:
        self.world, self.delivery, self.strict = world, delivery, strict
        self.rates = Rates() if rates else None
        self.bot: dict[str, Any] = {"id": 1, "is_bot": True, "first_name": "Bot", "username": "frontline_bot"}
        self._methods: dict[str, Callable[[Params, Files, Recorded], Any]] = {
            "sendMessage": self._send_message,
            **dict.fromkeys(MEDIA, self._send_media),
            "sendMediaGroup": self._send_album,
            "sendChatAction": lambda params, files, call: True,
            "sendLocation": self._send_location,
            "sendContact": self._send_contact,
            "editMessageText": self._edit,
            "editMessageCaption": self._edit,
            "editMessageReplyMarkup": self._edit,
            "deleteMessage": self._delete,
            "answerCallbackQuery": self._answer,
            "getMe": lambda params, files, call: self.bot,
            "getFile": self._get_file,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "setMyCommands": self._set_commands,
            "leaveChat": self._leave,
            "deleteMyCommands": lambda params, files, call: True,
        }

    async def run(self, call: Recorded, files: Files) -> Any:
        """The `result` of a recorded call. Raises Refuse."""
        try:
            result = await self._run(call, files)
        except Refuse as refuse:
            call.error = f"{refuse.code} {refuse.words}"
            raise
        if isinstance(result, list) and result and call.method == "sendMediaGroup":
            call.message_id = result[0]["message_id"]
        if isinstance(result, dict):
            call.message_id = result.get("message_id", 0)
        return result

    async def _run(self, call: Recorded, files: Files) -> Any:
        method, params = call.method, call.params
        if self.strict:
            self._check(method, params, files)
        if method == "getUpdates":
            return await self._get_updates(params)
        if method not in self._methods:
            raise Refuse(404, "Not Found: method not found")
        if "chat_id" in params:
            self._check_chat(call)
        return self._methods[method](params, files, call)

    async def in_answer(self, call: Recorded) -> None:
        """A call that the bot made in its answer to a webhook: its result is never told."""
        if call.method.startswith(NOT_IN_ANSWERS):
            return
        try:
            await self.run(call, {})
        except Refuse:
            return

    def _check(self, method: str, params: Params, files: Files) -> None:
        parts = {f"attach://{name}" for name in files}
        used = {item.get("media") for item in params.get("media") or () if isinstance(item, dict)}
        if not {one for one in used if str(one).startswith("attach://")} <= parts:
            raise Refuse(400, "Bad Request: wrong file identifier/HTTP URL specified")
        names = [name for name in files if f"attach://{name}" not in used]
        problems = telegram_schema().problems(method, params, names)
        problems = problems or [f"{method}: {problem}" for problem in check_limits(method, params)]
        if problems:
            self.world.violations += problems
            raise Refuse(400, f"Bad Request: {problems[0].split(': ', 1)[1]}")

    def _check_chat(self, call: Recorded) -> None:
        person = self.world.people.get(call.chat)
        if call.chat in self.world.moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refuse(400, words, migrate_to_chat_id=self.world.moved[call.chat])
        if person is None and self.strict and call.chat not in self.world.groups:
            raise Refuse(400, "Bad Request: chat not found")
        if person is not None and person.blocked:
            raise Refuse(403, "Forbidden: bot was blocked by the user")
        if self.rates is not None and call.method.startswith("send"):
            self.rates.check(call.chat)

    async def _get_updates(self, params: Params) -> list[dict[str, Any]]:
        self._allow(params)
        try:
            return await self.delivery.get_updates(
                params.get("offset", 0), params.get("limit", 100), params.get("timeout", 0)
            )
        except Conflict as conflict:
            raise Refuse(409, str(conflict)) from None

    def _allow(self, params: Params) -> None:
        """The kinds of updates stay as they are until they are named anew."""
        if params.get("allowed_updates") is not None:
            self.delivery.allowed = frozenset(params["allowed_updates"])

    # --- sends -------------------------------------------------------------------------------------------------------

    def _send_message(self, params: Params, files: Files, call: Recorded) -> dict[str, Any]:
        content = {name: params[name] for name in ("text", "entities") if params.get(name)}
        return self._show(call, content)

    def _send_media(self, params: Params, files: Files, call: Recorded) -> dict[str, Any]:
        field = MEDIA[call.method]
        content: dict[str, Any] = {name: params[name] for name in ("caption", "caption_entities") if params.get(name)}
        if field in files:
            name, data = files[field]
            file_id = self.world.store_file(name, data)
        else:
            file_id = str(params.get(field))
            if file_id not in self.world.files:
                raise Refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        content[field] = self._media(field, file_id)
        return self._show(call, content)

    def _send_album(self, params: Params, files: Files, call: Recorded) -> list[dict[str, Any]]:
        album = str(self.world.next_message_id())
        shown = []
        for item in params["media"]:
            file_id = str(item["media"])
            if file_id.startswith("attach://"):
                name, data = files[file_id.removeprefix("attach://")]
                file_id = self.world.store_file(name, data)
            elif file_id not in self.world.files:
                raise Refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
            content: dict[str, Any] = {name: item[name] for name in ("caption", "caption_entities") if item.get(name)}
            content |= {item["type"]: self._media(item["type"], file_id), "media_group_id": album}
            shown.append(self._show(call, content))
        return shown

    def _set_commands(self, params: Params, files: Files, call: Recorded) -> bool:
        self.world.commands = params["commands"]
        return True

    def _leave(self, params: Params, files: Files, call: Recorded) -> bool:
        if call.chat not in self.world.groups:
            raise Refuse(403, "Forbidden: bot is not a member of the supergroup chat")
        self.world.groups.discard(call.chat)
        self.world.left.append(call.chat)
        return True

    def _media(self, field: str, file_id: str) -> Any:
        _, data = self.world.files[file_id]
        media = {"file_id": file_id, "file_unique_id": f"u-{file_id}", "file_size": len(data)}
        if field == "photo":
            return [{**media, "width": 90, "height": 90}]
        named = {**media, "file_name": self.world.names.get(file_id, "file")}
        return named if field == "document" else {**named, "duration": 1}

    def _send_location(self, params: Params, files: Files, call: Recorded) -> dict[str, Any]:
        return self._show(call, {"location": {name: params[name] for name in ("latitude", "longitude")}})

    def _send_contact(self, params: Params, files: Files, call: Recorded) -> dict[str, Any]:
        return self._show(call, {"contact": {name: params[name] for name in ("phone_number", "first_name")}})

    def _show(self, call: Recorded, content: dict[str, Any]) -> dict[str, Any]:
        markup = call.params.get("reply_markup") or {}
        if "inline_keyboard" in markup:
            content["reply_markup"] = markup
        answered = call.params.get("reply_parameters")
        if answered:
            known = self.world.messages.get((call.chat, answered["message_id"]))
            if known is None and not answered.get("allow_sending_without_reply"):
                raise Refuse(400, "Bad Request: message to be replied not found")
            content |= {"reply_to_message": known} if known else {}
        message = self.world.outgoing(self.bot, call.chat, **content)
        person = self.world.people.get(call.chat)
        if person is not None and "keyboard" in markup:
            person.keyboard = markup
        elif person is not None and markup.get("remove_keyboard"):
            person.keyboard = None
        if markup and "inline_keyboard" not in markup:
            self.world.fixed.add((call.chat, message["message_id"]))
        return message

    # --- edits -------------------------------------------------------------------------------------------------------

    def _edit(self, params: Params, files: Files, call: Recorded) -> dict[str, Any]:
        place = (call.chat, params.get("message_id", 0))
        message = self.world.messages.get(place)
        if message is None:
            raise Refuse(400, "Bad Request: message to edit not found")
        if place in self.world.fixed or message["from"]["id"] != self.bot["id"]:
            raise Refuse(400, "Bad Request: message can't be edited")
        shown = {name: value for name, value in message.items() if name != "edit_date"}
        kind = "caption" if call.method == "editMessageCaption" else "text"
        if call.method == "editMessageText" and "text" not in message:
            raise Refuse(400, "Bad Request: there is no text in the message to edit")
        if call.method == "editMessageCaption" and "text" in message:
            raise Refuse(400, "Bad Request: there is no caption in the message to edit")
        marks = {"text": "entities", "caption": "caption_entities"}[kind]
        fresh = {name: value for name, value in shown.items() if name not in {marks, "reply_markup"}}
        fresh |= {name: params[name] for name in (kind, marks, "reply_markup") if params.get(name)}
        if fresh == shown:
            raise Refuse(400, f"Bad Request: {NOT_MODIFIED}")
        self.world.messages[place] = {**fresh, "edit_date": int(time.time())}
        return self.world.messages[place]

    def _delete(self, params: Params, files: Files, call: Recorded) -> bool:
        if self.world.messages.pop((call.chat, params["message_id"]), None) is None:
            raise Refuse(400, "Bad Request: message to delete not found")
        return True

    def _answer(self, params: Params, files: Files, call: Recorded) -> bool:
        """Once and in time; later it is the server's own 400, no fault of the call's form."""
        asked_at = self.world.queries.pop(str(params["callback_query_id"]), 0.0)
        if time.monotonic() - asked_at > QUERY_SECONDS:
            raise Refuse(400, f"Bad Request: {TOO_OLD}")
        return True

    # --- the rest ----------------------------------------------------------------------------------------------------

    def _get_file(self, params: Params, files: Files, call: Recorded) -> dict[str, Any]:
        file_id = params["file_id"]
        if file_id not in self.world.files:
            raise Refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        path, data = self.world.files[file_id]
        if len(data) > MOST_DOWNLOAD:
            raise Refuse(400, "Bad Request: file is too big")
        return {"file_id": file_id, "file_unique_id": f"u-{file_id}", "file_size": len(data), "file_path": path}

    def _set_webhook(self, params: Params, files: Files, call: Recorded) -> bool:
        if params.get("drop_pending_updates"):
            self.delivery.drop()
        self._allow(params)
        webhook = Webhook(params["url"], params.get("secret_token") or "", params.get("max_connections") or 40)
        self.delivery.set_webhook(webhook)
        return True

    def _delete_webhook(self, params: Params, files: Files, call: Recorded) -> bool:
        return self._set_webhook({**params, "url": ""}, files, call)

    def _webhook_info(self, params: Params, files: Files, call: Recorded) -> dict[str, Any]:
        waiting = self.delivery.waiting
        return {"url": self.delivery.webhook.url, "has_custom_certificate": False, "pending_update_count": waiting}


def query_id() -> str:
    """The id of a pressed button."""
    return str(secrets.randbits(62))
