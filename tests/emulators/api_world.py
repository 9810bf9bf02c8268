"""What the emulated messenger knows: clients, messages, keys it has seen, recorded calls, planted faults; and its judge."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from adapters.api.openapi import components

KINDS = {"send": "Send", "edit": "Edit", "delete": "Delete", "typing": "Typing", "menu": "Menu"}
TEXT_LIMIT, LABEL_LIMIT, ROW_LIMIT, ROWS_LIMIT = 4096, 64, 8, 20


class Person(msgspec.Struct):
    """A client. `blocked`: has forbidden messages."""

    id: str
    name: str = "Анна Иванова"
    blocked: bool = False


class Shown(msgspec.Struct):
    """A message as it stands in the chat. `out`: of the bot."""

    id: str
    chat: str
    out: bool
    text: str = ""
    marks: list[dict[str, Any]] = []
    buttons: list[list[dict[str, Any]]] = []
    files: list[dict[str, Any]] = []
    quote: dict[str, Any] | None = None
    deleted: bool = False


class Call(msgspec.Struct):
    """A call of the bot. `at` is in seconds since the epoch; `status` what it was answered."""

    n: int
    type: str
    chat: str
    key: str
    body: dict[str, Any]
    at: float
    status: int = 0
    message_id: str = ""


class Fault(msgspec.Struct):
    """A scripted trouble. Kinds: a number is that status; html: a proxy's 502 page; slow: so many `seconds` later; hang: no
    answer; cut: closed before the call is read; lost: carried out, then closed without an answer; late: carried out at
    once, answered so many `seconds` later; bare: 200 without a word."""

    kind: str
    type: str = ""
    chat: str = ""
    times: int = 1
    skip: int = 0  # calls that pass before
    seconds: float = 0.0
    said: dict[str, Any] = {}


class Judge:
    """The published schema, and the limits of this messenger."""

    def __init__(self) -> None:
        shapes = components("#/$defs/{name}")
        self._by_type = {
            kind: Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": shapes}) for kind, name in KINDS.items()
        }

    def faults(self, body: dict[str, Any], delivery: str, headers: Any) -> list[str]:
        """What is wrong with a call of theirs."""
        kind = str(body.get("type"))
        judge = self._by_type.get(kind)
        if judge is None:
            return [f"no call {kind}"]
        found = [f"{kind} {error.json_path}: {error.message}"[:300] for error in judge.iter_errors(body)]
        if body.get("key") != delivery or headers.get("Idempotency-Key") != delivery:
            found.append(f"{kind}: key, webhook-id and Idempotency-Key differ")
        return found or self._limits(kind, body)

    def _limits(self, kind: str, body: dict[str, Any]) -> list[str]:
        text = body.get("text", "")
        found = []
        if len(text) > TEXT_LIMIT:
            found.append(f"{kind}: the text is too long")
        if kind == "send" and not (text.strip() or body.get("files")):
            found.append("send: nothing to show")
        rows = body.get("buttons", [])
        if len(rows) > ROWS_LIMIT or any(not 0 < len(row) <= ROW_LIMIT for row in rows):
            found.append(f"{kind}: too many buttons")
        if any(not 0 < len(button["label"]) <= LABEL_LIMIT for row in rows for button in row):
            found.append(f"{kind}: the label of a button does not fit")
        if any(not mark["start"] < mark["end"] <= len(text) for mark in body.get("marks", [])):
            found.append(f"{kind}: a mark lies outside of the text")
        return found


class World:
    """The state of the messenger."""

    def __init__(self) -> None:
        self.judge = Judge()
        self.people: dict[str, Person] = {}
        self.shown: dict[str, Shown] = {}
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}  # by key
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.files: dict[str, bytes] = {}  # what clients sent, by path
        self.fetched: dict[str, bytes] = {}  # what the bot sent, by its file id
        self.typed: list[str] = []
        self.menu: list[dict[str, str]] = []
        self._number = 0

    def person(self, chat: str, name: str = "Анна Иванова") -> Person:
        return self.people.setdefault(chat, Person(chat, name))

    def next(self, word: str) -> str:
        self._number += 1
        return f"{word}{self._number}"

    def show(self, chat: str, out: bool, **content: Any) -> Shown:
        message = Shown(self.next("m"), chat, out, **content)
        self.shown[message.id] = message
        return message

    def chat(self, chat: str) -> list[Shown]:
        return [one for one in self.shown.values() if one.chat == chat and not one.deleted]

    def record(self, body: dict[str, Any], key: str) -> Call:
        call = Call(len(self.calls) + 1, str(body.get("type")), str(body.get("chat", "")), key, body, time.time())
        self.calls.append(call)
        return call

    def fault(self, call: Call) -> Fault | None:
        """The fault that hits this call, used up once."""
        for fault in self.faults:
            if fault.type in {"", call.type} and fault.chat in {"", call.chat}:
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def button(self, chat: str, label: str) -> tuple[Shown, dict[str, Any]]:
        """The newest message with a button of this label (an empty one: the last button), and the button."""
        for message in reversed(self.chat(chat)):
            for button in reversed([one for row in message.buttons for one in row]):
                if label in {"", button["label"]} and button.get("token"):
                    return message, button
        raise LookupError(f"no button {label!r} in chat {chat}")
