"""What the emulated MAX knows: people, dialogs, messages, uploads, recorded calls, planted faults."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from tests.emulators.max_schema import read_html
from tests.emulators.world import bytes_of

__all__ = ["Call", "Fault", "Person", "World", "bytes_of"]


class Person(msgspec.Struct):
    """A client. `stopped`: has stopped the bot."""

    id: int
    name: str = "Анна"
    stopped: bool = False

    @property
    def dialog(self) -> int:
        """What MAX calls the chat with the bot: another number than the client's."""
        return 50_000_000 + self.id

    def user(self) -> dict[str, Any]:
        return {
            "user_id": self.id, "first_name": self.name, "last_name": "Иванова", "is_bot": False,
            "last_activity_time": int(time.time() * 1000), "name": f"{self.name} Иванова",
        }  # fmt: skip


class Call(msgspec.Struct):
    """A call of the bot: `method` is `POST /messages`. `at` is in seconds since the epoch; `error` is empty when it was
    carried out."""

    n: int
    method: str
    chat: int
    query: dict[str, str]
    body: Any
    at: float
    mid: str = ""
    error: str = ""


class Fault(msgspec.Struct):
    """A scripted trouble for calls. Kinds: a status is that answer of MAX, with `code` and `words`; 429 closes the dialog
    for `retry_after` seconds, with `all` the whole bot; html: a proxy's 502 page; slow: so many `seconds` later; hang: no
    answer; cut: closed before the call is read; lost: carried out, then closed without an answer."""

    kind: str
    method: str = ""
    chat: int = 0
    times: int = 1
    retry_after: int = 0
    seconds: float = 0.0
    code: str = ""
    words: str = ""
    all: bool = False


class World:
    """The state of one bot's MAX. `token` signs cards."""

    def __init__(self, bot: int, token: str) -> None:
        self.bot, self.token = bot, token
        self.people: dict[int, Person] = {}
        self.messages: dict[str, dict[str, Any]] = {}
        self.order: dict[int, list[str]] = {}  # mids by client
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.files: dict[str, tuple[str, bytes]] = {}  # what clients sent, by path
        self.uploads: dict[str, tuple[str, bytes]] = {}  # what the bot uploaded, by token
        self.ready_at: dict[str, float] = {}
        self.videos: dict[str, str] = {}  # token → address
        self.closed: dict[int, float] = {}  # client (0: all) → until when a 429 forbids messages
        self.commands: list[dict[str, Any]] = []
        self.actions: list[tuple[int, str]] = []
        self.answered: list[str] = []
        self.groups: dict[int, list[str]] = {}  # those the bot is in, and what it said there
        self.left = 0
        self.base = ""
        self._seq = 116_000_000_000_000_000
        self._number = 0
        self._clock = 0

    def person(self, chat: int, name: str = "Анна") -> Person:
        return self.people.setdefault(chat, Person(chat, name))

    def by_dialog(self, dialog: int) -> Person | None:
        return next((one for one in self.people.values() if one.dialog == dialog), None)

    def me(self) -> dict[str, Any]:
        return {
            "user_id": self.bot, "first_name": "Поддержка", "username": "shop_bot", "is_bot": True,
            "last_activity_time": int(time.time() * 1000), "name": "Поддержка",
        }  # fmt: skip

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def now(self) -> int:
        """Milliseconds; no two events have the same ones."""
        self._clock = max(self._clock + 1, int(time.time() * 1000))
        return self._clock

    def message(
        self, chat: int, out: bool, text: str = "", attachments: list[Any] | None = None, link: Any = None
    ) -> dict[str, Any]:
        """A message, kept and complete."""
        self._seq += 1
        person = self.person(chat)
        mid = f"mid.{person.dialog:016x}{self._seq:016x}"
        body: dict[str, Any] = {"mid": mid, "seq": self._seq, "text": text}
        if attachments:
            body["attachments"] = attachments
        message = {
            "sender": self.me() if out else person.user(),
            "recipient": {"chat_id": person.dialog, "chat_type": "dialog", "user_id": chat if out else self.bot},
            "timestamp": self.now(), "body": body, **({"link": link} if link else {}),
        }  # fmt: skip
        self.messages[mid] = message
        self.order.setdefault(chat, []).append(mid)
        return message

    def shown(self, chat: int) -> list[dict[str, Any]]:
        """What stands in the dialog now, in order."""
        return [self.messages[mid] for mid in self.order.get(chat, ()) if mid in self.messages]

    def button(self, chat: int, label: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """The newest message with a callback button of this label (an empty one: the last button), and the button."""
        for message in reversed(self.shown(chat)):
            rows = [
                row
                for one in message["body"].get("attachments", ())
                if one["type"] == "inline_keyboard"
                for row in one["payload"]["buttons"]
            ]
            for button in reversed([button for row in rows for button in row]):
                if label in {"", button["text"]} and button["type"] == "callback":
                    return message, button
        raise LookupError(f"no button {label!r} in the dialog of {chat}")

    def record(self, method: str, chat: int, query: dict[str, str], body: Any) -> Call:
        call = Call(len(self.calls) + 1, method, chat, query, body, time.time())
        self.calls.append(call)
        return call

    def fault(self, method: str, chat: int) -> Fault | None:
        """The fault that hits this call, used up once."""
        for fault in self.faults:
            if fault.method in {"", method} and fault.chat in {0, chat}:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def store(self, name: str, data: bytes, mime: str = "image/jpeg") -> str:
        """Keeps bytes; the answer is their address."""
        path = f"{self.next_number()}/{name}"
        self.files[path] = mime, data
        return f"{self.base}/files/{path}"

    def card(self, phone: str, name: str) -> tuple[str, str]:
        """A vCard as MAX sends it (no plus before the number), and its signature."""
        card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:{phone.lstrip('+')}\r\nFN:{name}\r\nEND:VCARD\r\n"
        return card, hmac.new(self.token.encode(), card.encode(), hashlib.sha256).hexdigest()


def plain(body: Mapping[str, Any]) -> str:
    """A text as it is shown."""
    text = str(body.get("text") or "")
    return read_html(text)[0] if body.get("format") == "html" else text
