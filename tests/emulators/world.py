"""What the emulated Telegram knows: people, messages, files, pressed buttons, recorded calls, planted faults."""

from __future__ import annotations

import base64
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

ON_ITS_WAY = 0.1  # seconds; a call that comes so soon behind a 429 was written before its answer was read


class Person(msgspec.Struct):
    """A client. `keyboard` is the reply keyboard the client sees."""

    id: int
    name: str
    blocked: bool = False
    keyboard: dict[str, Any] | None = None

    def user(self) -> dict[str, Any]:
        return {
            "id": self.id, "is_bot": False, "first_name": self.name, "username": f"user{self.id}", "language_code": "ru",
        }  # fmt: skip

    def chat(self) -> dict[str, Any]:
        return {"id": self.id, "type": "private", "first_name": self.name, "username": f"user{self.id}"}


class Recorded(msgspec.Struct):
    """A call of the bot. `at` is in seconds since the epoch; `error` is empty when it was carried out."""

    n: int
    method: str
    chat: int
    params: dict[str, Any]
    at: float
    message_id: int = 0
    error: str = ""
    files: dict[str, int] = {}


class Fault(msgspec.Struct):
    """A scripted trouble for calls. Kinds:

    429, 400, 401, 403, 404, 500: that answer · html: a proxy's 502 page · slow: so many `seconds` later ·
    hang: no answer · cut: closed before the call is read · lost: carried out, then closed without an answer.
    """

    kind: str
    method: str = ""
    chat: int = 0
    times: int = 1
    retry_after: int = 1
    seconds: float = 0.0
    words: str = ""


class World:
    """The state of one bot's Telegram."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.people: dict[int, Person] = {}
        self.messages: dict[tuple[int, int], dict[str, Any]] = {}
        self.order: dict[int, list[int]] = {}  # message ids by chat
        self.calls: deque[Recorded] = deque(maxlen=None if strict else 100_000)
        self.sends: dict[int, list[Recorded]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.names: dict[str, str] = {}  # file_id → the name that its sender gave
        self.queries: dict[str, float] = {}
        self.fixed: set[tuple[int, int]] = set()  # messages with another markup than inline: they cannot be edited
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.closed: dict[
            int, tuple[float, float]
        ] = {}  # chats that a 429 has closed, from when until when (monotonic)
        self.intruders: list[str] = []  # calls that came inside of such a window
        self.commands: list[dict[str, Any]] = []
        self.groups: set[int] = set()  # groups that the bot is in
        self.left: list[int] = []
        self.moved: dict[int, int] = {}  # groups that became supergroups
        self._message_id = 0
        self._update_id = 1000
        self._file = 0
        self._n = 0

    def person(self, chat: int, name: str = "Анна") -> Person:
        """A person of this chat, born when first named."""
        if chat not in self.people:
            self.people[chat] = Person(chat, name)
        return self.people[chat]

    def next_update(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._update_id += 1
        return {"update_id": self._update_id, kind: dict(body)}

    def next_message_id(self) -> int:
        self._message_id += 1
        return self._message_id

    def incoming(self, chat: int, **content: Any) -> dict[str, Any]:
        """A message of a client, kept and complete."""
        person = self.person(chat)
        message = {
            "message_id": self.next_message_id(), "from": person.user(), "chat": person.chat(), "date": int(time.time()),
            **content,
        }  # fmt: skip
        self._keep(chat, message)
        return message

    def outgoing(self, bot: Mapping[str, Any], chat: int, **content: Any) -> dict[str, Any]:
        """A message of the bot, kept and complete; only an inline keyboard shows in it."""
        message = {
            "message_id": self.next_message_id(), "from": dict(bot), "chat": self.chat(chat), "date": int(time.time()),
            **content,
        }  # fmt: skip
        self._keep(chat, message)
        return message

    def _keep(self, chat: int, message: dict[str, Any]) -> None:
        self.messages[chat, message["message_id"]] = message
        self.order.setdefault(chat, []).append(message["message_id"])

    def chat(self, chat: int) -> dict[str, Any]:
        if chat in self.people:
            return self.people[chat].chat()
        return {"id": chat, "type": "group" if chat < 0 else "private", "title": "group", "first_name": "x"}

    def store_file(self, name: str, data: bytes) -> str:
        """Keeps bytes; the answer is their file_id."""
        self._file += 1
        file_id = f"file-{self._file}"
        self.names[file_id] = name
        _, dot, ending = name.rpartition(".")  # of the name Telegram keeps the ending alone
        kept = f".{ending}" if dot and ending.isalnum() and len(ending) <= 5 else ""
        self.files[file_id] = (f"files/file_{self._file}{kept}", data)
        return file_id

    def file_at(self, path: str) -> bytes | None:
        return next((data for place, data in self.files.values() if place == path), None)

    def record(self, method: str, params: dict[str, Any], files: Mapping[str, tuple[str, bytes]]) -> Recorded:
        """Writes a call down, in the order of arrival."""
        self._n += 1
        chat = params.get("chat_id", 0)
        chat = int(chat) if str(chat).lstrip("-").isdigit() else 0
        sizes = {name: len(data) for name, (_, data) in files.items()}
        call = Recorded(self._n, method, chat, params, time.time(), files=sizes)
        self.calls.append(call)
        since, until = self.closed.get(chat, (0.0, 0.0))
        if chat and since + ON_ITS_WAY < time.monotonic() < until:
            self.intruders.append(f"{method} in chat {chat}, {until - time.monotonic():.2f} s too early")
        if method.startswith("send"):
            self.sends.setdefault(chat, []).append(call)
        return call

    def close(self, chat: int, seconds: float) -> None:
        """A 429: for so long no call may come for this chat."""
        now = time.monotonic()
        self.closed[chat] = now, now + seconds

    def fault(self, method: str, chat: int) -> Fault | None:
        """The fault that hits this call, used up once."""
        for fault in self.faults:
            if fault.method in {"", method} and fault.chat in {0, chat}:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def shown(self, chat: int) -> list[dict[str, Any]]:
        """What stands in the chat now, in order."""
        places = [(chat, message_id) for message_id in self.order.get(chat, ())]
        return [self.messages[place] for place in places if place in self.messages]

    def button(self, chat: int, label: str, message_id: int = 0) -> tuple[dict[str, Any], str]:
        """The newest message with an inline button of this label (an empty one: the last button), and its data."""
        for message in reversed(self.shown(chat)):
            if message_id and message["message_id"] != message_id:
                continue
            rows = (message.get("reply_markup") or {}).get("inline_keyboard") or ()
            for button in reversed([button for row in rows for button in row]):
                if label in {"", button["text"]} and "callback_data" in button:
                    return message, button["callback_data"]
        raise LookupError(f"no button {label!r} in chat {chat}")


def bytes_of(content: str) -> bytes:
    """Bytes out of base64, as control calls carry them."""
    return base64.b64decode(content)
