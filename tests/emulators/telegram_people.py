"""Deeds of people in the emulated Telegram: what they write, send, press, change, and where."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.emulators.bot_api import BotApi, query_id
from tests.emulators.delivery import Delivery
from tests.emulators.world import World, bytes_of


class People:
    """Each deed makes an update, complete as Telegram sends it, and gives it back."""

    world: World
    delivery: Delivery
    api: BotApi

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

    def album(self, chat: int, count: int = 3, caption: str = "") -> list[dict[str, Any]]:
        """So many pictures at once: a message for each, the caption at the first."""
        album = f"{self.world.next_message_id():08d}"
        return [self.photo(chat, caption="" if n else caption, album=album) for n in range(count)]

    def voice(self, chat: int, seconds: int = 7, size: int = 4_000) -> dict[str, Any]:
        file_id = self.world.store_file("voice.ogg", b"OggS" + bytes(size - 4))
        media = {
            "file_id": file_id, "file_unique_id": f"u-{file_id}", "duration": seconds, "mime_type": "audio/ogg",
            "file_size": size,
        }  # fmt: skip
        return self._push_message(chat, {"voice": media})

    def video(self, chat: int, size: int = 5_000) -> dict[str, Any]:
        """A video; above 20 MB Telegram tells its size and does not give it out."""
        file_id = self.world.store_file("video.mp4", bytes(min(size, 21 << 20)))
        media = {
            "file_id": file_id, "file_unique_id": f"u-{file_id}", "width": 9, "height": 9, "duration": 12,
            "mime_type": "video/mp4", "file_size": size,
        }  # fmt: skip
        return self._push_message(chat, {"video": media})

    def sticker(self, chat: int, emoji: str = "👍") -> dict[str, Any]:
        file_id = self.world.store_file("sticker.webp", b"RIFF....WEBP")
        media = {
            "file_id": file_id, "file_unique_id": f"u-{file_id}", "type": "regular", "width": 512, "height": 512,
            "is_animated": False, "is_video": False, "emoji": emoji, "file_size": 12,
        }  # fmt: skip
        return self._push_message(chat, {"sticker": media})

    def reply(self, chat: int, message_id: int, text: str, part: str = "") -> dict[str, Any]:
        """An answer to a message of the chat, or to a part of it."""
        content: dict[str, Any] = {"text": text, "reply_to_message": self.world.messages[chat, message_id]}
        if part:
            content["quote"] = {"text": part, "position": 0, "is_manual": True}
        return self._push_message(chat, content)

    def forward(self, chat: int, text: str, who: str = "Пётр") -> dict[str, Any]:
        """Somebody else's message."""
        origin = {"type": "hidden_user", "date": int(time.time()), "sender_user_name": who}
        return self._push_message(chat, {"text": text, "forward_origin": origin})

    def react(self, chat: int, message_id: int, *emojis: str, before: str = "") -> dict[str, Any]:
        """The client's marks on a message from now on; none takes them away."""
        body = {
            "chat": self.world.person(chat).chat(), "message_id": message_id, "user": self.world.person(chat).user(),
            "date": int(time.time()), "old_reaction": [{"type": "emoji", "emoji": one} for one in before],
            "new_reaction": [{"type": "emoji", "emoji": one} for one in emojis],
        }  # fmt: skip
        return self._push("message_reaction", body)

    def speak_in_group(self, group: int, text: str, chat: int = 7, kind: str = "supergroup") -> dict[str, Any]:
        """Somebody writes in a group that the bot is in."""
        self.world.groups.add(group)
        place = {"id": group, "type": kind, "title": "Соседи", **({"is_forum": True} if kind == "supergroup" else {})}
        person = self.world.person(chat)
        message = {
            "message_id": self.world.next_message_id(), "from": person.user(), "chat": place, "date": int(time.time()),
            "text": text,
        }  # fmt: skip
        return self._push("message", message)

    def migrate(self, group: int, supergroup: int) -> list[dict[str, Any]]:
        """A group becomes a supergroup: both chats tell of it."""
        told = []
        for chat, kind, said in (
            (group, "group", {"migrate_to_chat_id": supergroup}), (supergroup, "supergroup", {"migrate_from_chat_id": group}),
        ):  # fmt: skip
            body = {
                "message_id": self.world.next_message_id(), "chat": {"id": chat, "type": kind, "title": "Соседи"},
                "date": int(time.time()), **said,
            }  # fmt: skip
            told.append(self._push("message", body))
        self.world.moved[group] = supergroup
        return told

    def edit(self, chat: int, message_id: int, text: str, **changes: Any) -> dict[str, Any]:
        """The client changes a message; a text that is the same is a change that nobody sees."""
        old = self.world.messages[chat, message_id]
        field = "text" if "text" in old else "caption"
        message = {**old, field: text, "edit_date": int(time.time()), **changes}
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
