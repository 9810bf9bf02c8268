"""What the emulated VK knows: people, conversations, files, recorded calls, planted faults."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from tests.emulators.world import ON_ITS_WAY, bytes_of

__all__ = ["Call", "Fault", "Person", "World", "bytes_of"]


class Person(msgspec.Struct):
    """A client. `denied`: has forbidden messages. `keyboard` stands in place of the person's own."""

    id: int
    name: str = "Анна"
    denied: bool = False
    keyboard: dict[str, Any] | None = None


class Call(msgspec.Struct):
    """A call of the bot. `at` is in seconds since the epoch; `error` is empty when it was carried out; `packed`: it came in
    an `execute`."""

    n: int
    method: str
    chat: int
    params: dict[str, Any]
    at: float
    message_id: int = 0
    error: str = ""
    packed: bool = False


class Fault(msgspec.Struct):
    """A scripted trouble for calls. Kinds: a number is that error of VK; html: a proxy's 502 page; slow: so many `seconds`
    later; hang: no answer; cut: closed before the call is read; lost: carried out, then closed without an answer; late:
    carried out at once, answered so many `seconds` later."""

    kind: str
    method: str = ""
    chat: int = 0
    times: int = 1
    seconds: float = 0.0


class World:
    """The state of one community."""

    def __init__(self, group: int) -> None:
        self.group = group
        self.people: dict[int, Person] = {}
        self.chats: dict[int, list[dict[str, Any]]] = {}
        self.by_id: dict[int, dict[str, Any]] = {}
        self.keys: dict[int, dict[str, Any]] = {}  # random_id → the message it made
        self.files: dict[str, bytes] = {}
        self.attachments: dict[str, dict[str, Any]] = {}
        self.pressed: dict[str, float] = {}
        self.calls: list[Call] = []
        self.requests: list[float] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.closed: dict[int, tuple[float, float]] = {}  # peers that flood control has closed, from when until when
        self.intruders: list[str] = []  # calls that came inside of such a window
        self.typing: list[int] = []  # peers that saw “typing…”
        self.upload_base = ""
        self._id = 0
        self._object = 456_239_000

    def person(self, chat: int, name: str = "Анна") -> Person:
        return self.people.setdefault(chat, Person(chat, name))

    def next_object(self) -> int:
        self._object += 1
        return self._object

    def message(self, chat: int, out: bool, **content: Any) -> dict[str, Any]:
        """A message, kept and complete; numbered in the community and in its conversation."""
        self._id += 1
        shown = self.chats.setdefault(chat, [])
        number = shown[-1]["conversation_message_id"] + 1 if shown else 1
        message = {
            "date": int(time.time()), "from_id": -self.group if out else chat, "id": self._id, "out": int(out),
            "peer_id": chat, "text": "", "conversation_message_id": number, "fwd_messages": [], "important": False,
            "random_id": 0, "attachments": [], "is_hidden": False, "version": 1, **content,
        }  # fmt: skip
        shown.append(message)
        self.by_id[self._id] = message
        return message

    def record(self, method: str, params: dict[str, Any], packed: bool = False) -> Call:
        chat = params.get("peer_id") or next(iter(params.get("peer_ids") or ()), 0)
        call = Call(
            len(self.calls) + 1, method, chat if isinstance(chat, int) else 0, params, time.time(), packed=packed
        )
        self.calls.append(call)
        since, until = self.closed.get(call.chat, (0.0, 0.0))
        if since + ON_ITS_WAY < time.monotonic() < until and method.startswith("messages.se"):
            self.intruders.append(f"{method} to {call.chat}, {until - time.monotonic():.2f} s too early")
        return call

    def fault(self, method: str, chat: int, answers: bool) -> Fault | None:
        """The fault that hits this call, used up once; `answers`: an error of VK, else trouble on the way."""
        for fault in self.faults:
            if fault.kind.isdecimal() == answers and fault.method in {"", method} and fault.chat in {0, chat}:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def shown(self, chat: int) -> list[dict[str, Any]]:
        return [message for message in self.chats.get(chat, []) if not message.get("deleted")]

    def button(self, chat: int, label: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """The newest message with an inline button of this label (an empty one: the last button), and what it does."""
        for message in reversed(self.shown(chat)):
            rows = (message.get("keyboard") or {}).get("buttons") or ()
            for button in reversed([button for row in rows for button in row]):
                if label in {"", button["action"].get("label")} and button["action"]["type"] == "callback":
                    return message, button["action"]
        raise LookupError(f"no button {label!r} in chat {chat}")

    def key(self, chat: int, label: str) -> Mapping[str, Any]:
        """A key of the keyboard that stands in place of the person's own."""
        for row in (self.person(chat).keyboard or {}).get("buttons", ()):
            for button in row:
                if button["action"].get("label") == label:
                    action: Mapping[str, Any] = button["action"]
                    return action
        raise LookupError(f"no key {label!r} in chat {chat}")

    def store(self, name: str, data: bytes) -> str:
        """Keeps bytes; the answer is their address."""
        path = f"{self.next_object()}/{name}"
        self.files[path] = data
        return f"{self.upload_base}/files/{path}"
