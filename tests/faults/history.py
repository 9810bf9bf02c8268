"""What a run left behind, read from outside: the store's rows beside what the clients and the platform know."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from storage.codec import decode_message
from tests.faults.clients import Journal
from tests.faults.page import Shown
from tests.faults.platform import Platform

Ask = Callable[[str], Awaitable[list[tuple[Any, ...]]]]


class Event(NamedTuple):
    """A row of the inbox. `state`: 0 pending, 1 processed, 2 dead; `place` grows in the order of processing."""

    id: int
    conversation: int
    channel: str
    external_id: str
    state: int
    place: int


class Word(NamedTuple):
    """A row of the history."""

    conversation: int
    seq: int
    author: str
    state: str
    text: str


class Row(NamedTuple):
    """A row of the outbox. `state`: 0 waiting, 1 sent, 2 dead, 3 unknown, 4 refused."""

    id: int
    conversation: int
    kind: str
    lane: int
    seq: int
    state: int


class Timer(NamedTuple):
    """An armed timer; `due` is None while it waits for a delivery."""

    conversation: int
    key: str
    due: float | None


@dataclass
class History:
    """All of it. `now` is the database's clock, in seconds since the epoch."""

    events: list[Event] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    tickets: list[tuple[int, str]] = field(default_factory=list)  # number, text
    timers: list[Timer] = field(default_factory=list)
    chats: dict[int, str] = field(default_factory=dict)  # conversation → chat
    now: float = 0.0
    journal: Journal = field(default_factory=Journal)
    told: dict[int, list[str]] = field(default_factory=dict)
    unanswered: dict[int, int] = field(default_factory=dict)  # chat → sends whose outcome the platform hid
    pages: list[Shown] = field(default_factory=list)


async def read_history(ask: Ask, journal: Journal, platforms: Sequence[Platform], now: float) -> History:
    """Reads the store when all is done. Chats of several platforms have different numbers."""
    return History(
        events=[Event(*row) for row in await ask(EVENTS)],
        words=[Word(home, seq, author, state, _text(text)) for home, seq, author, state, text in await ask(WORDS)],
        rows=[Row(*row) for row in await ask(ROWS)],
        tickets=[(int(number), str(text)) for number, text in await ask("SELECT number, text FROM tickets")],
        timers=[Timer(*row) for row in await ask("SELECT conversation, key, due FROM timers")],
        chats=dict(await ask("SELECT id, chat FROM conversations")),
        now=now,
        journal=journal,
        told={chat: [said.text for said in heard] for it in platforms for chat, heard in it.told.items()},
        unanswered={chat: times for it in platforms for chat, times in it.unanswered.items()},
    )


EVENTS = "SELECT id, conversation, channel, external_id, state, place FROM inbox ORDER BY id"
WORDS = "SELECT conversation, seq, author, state, message FROM messages ORDER BY conversation, seq"
ROWS = "SELECT id, conversation, kind, lane, seq, state FROM outbox ORDER BY id"
DEAD_EVENTS = "SELECT count(*) FROM inbox WHERE state = 2"
PENDING = "SELECT (SELECT count(*) FROM inbox WHERE state = 0), (SELECT count(*) FROM outbox WHERE state = 0)"


def _text(message: bytes | None) -> str:
    return decode_message.decode(bytes(message)).body.text if message is not None else ""


def by_conversation(words: list[Word]) -> dict[int, list[Word]]:
    found: dict[int, list[Word]] = defaultdict(list)
    for word in words:
        found[word.conversation].append(word)
    return found


def ask_file(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Reads a SQLite store from outside."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
